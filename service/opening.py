"""Opens what a service searches with. Heavy libraries are first imported when this runs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from indexer.errors import DecodeError
from indexer.pixels.ct_windows import WindowName
from service.prompting.prompt import Prompter
from service.prompting.prompt_receipt import Signer
from service.prompting.template_set import Templates
from service.prompting.tokenizers import Tokenizers
from service.prompting.verifier import Verifier
from service.retrieval.columns import ColumnCache
from service.retrieval.encoding import QueryEncoders
from service.retrieval.refining import Refiner
from service.retrieval.rerankers import Rerankers
from service.retrieval.retriever import Retriever
from service.retrieval.selection import Indexes
from service.settings import Settings

if TYPE_CHECKING:
    from service.decoding import Preview, UploadDecoder


class RefreshableIndexes(Indexes, Protocol):
    """Indexes that notice newly published builds: `indexer.store.index_set.IndexSet`."""

    def refresh(self) -> object:
        """Open builds that were published meanwhile; searches go on with the earlier ones."""
        ...


Previewer: TypeAlias = Callable[[Sequence[bytes], WindowName | None], "Preview"]


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts that exist once the indexes are open."""

    indexes: RefreshableIndexes
    columns: ColumnCache
    encoders: QueryEncoders
    retriever: Retriever
    prompter: Prompter
    verifier: Verifier
    preview: Previewer


Opener: TypeAlias = Callable[[Settings, ExitStack], Opened]


def open_indexes(settings: Settings, stack: ExitStack) -> Opened:
    """Open the published indexes and start decoders; `stack` stops and closes them again."""
    from indexer.store.index_set import IndexSet

    decoder = _start_decoder(settings, stack)
    return assemble(
        IndexSet(settings.indexes_dir),
        _encoders(settings, decoder),
        open_rerankers(settings),
        decoder.preview,
        settings,
    )


def open_encoders(settings: Settings, stack: ExitStack) -> QueryEncoders:
    """Start decoders and return what loads encoders when a query needs them."""
    return _encoders(settings, _start_decoder(settings, stack))


def open_rerankers(settings: Settings) -> Rerankers:
    """Return what loads rerankers when a query asks for one."""
    from indexer.encoders.cross_encoder import load_reranker

    return Rerankers(partial(load_reranker, device=settings.device))


def _start_decoder(settings: Settings, stack: ExitStack) -> "UploadDecoder":
    from service.decoding import start_decoder

    return stack.enter_context(start_decoder(settings.decode_workers, settings.max_body_bytes))


def _encoders(settings: Settings, decode: "UploadDecoder") -> QueryEncoders:
    from indexer.encoders.load import load_encoder

    return QueryEncoders(
        partial(load_encoder, device=settings.device),
        decode,
        unpack=decode.unpack,
        cached_texts=settings.cached_texts,
    )


def _show_nothing(_: Sequence[bytes], window: WindowName | None) -> "Preview":  # noqa: ARG001
    raise DecodeError("Images cannot be decoded here.", remedy="Search by text.")


def assemble(
    indexes: RefreshableIndexes,
    encoders: QueryEncoders,
    rerankers: Rerankers | None = None,
    preview: Previewer = _show_nothing,
    settings: Settings | None = None,
) -> Opened:
    """Put a retriever and a prompter, as `settings` want it, on top of indexes and encoders."""
    columns = ColumnCache()
    refiner = Refiner(None if rerankers is None else rerankers.get)
    retriever = Retriever(indexes, encoders, columns, refiner)
    prompter = _prompter(retriever, settings)
    verifier = Verifier(indexes, encoders, prompter.signer)
    return Opened(indexes, columns, encoders, retriever, prompter, verifier, preview)


def _prompter(retriever: Retriever, settings: Settings | None) -> Prompter:
    if settings is None:
        return Prompter(retriever)
    key = settings.receipt_key
    return Prompter(
        retriever,
        Templates(settings.templates_dir),
        Tokenizers(settings.tokenizers_dir),
        Signer(None if key is None else key.get_secret_value().encode()),
    )
