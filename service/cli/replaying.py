"""`medsearch replay`: a search run again from its receipt, on the builds of that time."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from indexer.errors import QueryError
from service.cli.answers import show
from service.cli.console import errors_console


def replay(
    receipt: Annotated[
        Path,
        typer.Argument(help="Written by `search --receipt`, or a reply in JSON.", dir_okay=False),
    ],
    image: Annotated[
        list[Path] | None,
        typer.Option(help="The image that was searched with.", exists=True, dir_okay=False),
    ] = None,
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a query again on the builds of its receipt, with the same hits, or say why not."""
    from service.opening import open_encoders, open_rerankers
    from service.retrieval.receipt import MAX_RECEIPT_BYTES, read_receipt
    from service.retrieval.replaying import replay as replay_receipt
    from service.settings import Settings

    if not receipt.is_file() or receipt.stat().st_size > MAX_RECEIPT_BYTES:
        raise QueryError(
            f"There is no receipt {receipt}.",
            remedy="`medsearch search --receipt FILE` writes one.",
        )
    kept = read_receipt(receipt.read_text("utf-8", "replace"))
    images = [path.read_bytes() for path in image or ()]
    with ExitStack() as stack, errors_console().status("Opening builds"):
        settings = Settings(indexes_dir=indexes)
        encoders = open_encoders(settings, stack)
        reply = replay_receipt(kept, indexes, encoders, images, open_rerankers(settings).get)
    show(reply, as_json=as_json)
    errors_console().print(
        f"The hits are those of {kept.created_at} (medsearch {kept.software}).", highlight=False
    )
