"""`medsearch index pacs --dicomweb URL`: brings the mirror of a PACS up to date and indexes it."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from indexer.datasets.instances import identity_terms
from indexer.datasets.pacs import INFO, PacsMirror
from indexer.datasets.registry import all_datasets
from indexer.errors import DatasetEmptyError, StoreError
from indexer.pixels.pseudonyms import Pseudonymiser
from service.cli.console import errors_console, progress_bars
from service.errors import ExtraMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.build import BuildResult
    from indexer.pacs.address import PacsAddress
    from indexer.pacs.dicomweb import DicomWeb
    from indexer.pacs.folder import MirrorFolder
    from indexer.pacs.mirror import MirrorReport

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsChoice:
    """What the command line says about a PACS: where and who it is, what of it is wanted.

    `only` is a file with UIDs of studies or series, one a line; `-` is the standard input.
    """

    url: str
    name: str
    root: Path
    user: str | None
    ca_file: Path | None
    since: date | None
    only: str | None
    recheck: bool
    if_changed: bool


def choose_folder(names: list[str], name: str, data: Path) -> Path:
    """Return the folder of the mirror, from `pacs` or `pacs=FOLDER`.

    Raises
    ------
    typer.BadParameter
        Something else is named, or the index's name is none or a dataset's.
    """
    kind, _, folder = names[0].partition("=") if len(names) == 1 else ("", "", "")
    if kind != INFO.name:
        raise typer.BadParameter("--dicomweb goes with `pacs` or `pacs=FOLDER`, and nothing else")
    if not _NAME.fullmatch(name):
        raise typer.BadParameter("--name takes small letters, digits and _, a letter first")
    if name != INFO.name and name in all_datasets():
        raise typer.BadParameter(f"--name {name} is the name of another dataset")
    return Path(folder) if folder else data / name


def index_pacs(
    choice: PacsChoice, indexes: Path, build: "Callable[[PacsMirror, Path], BuildResult]"
) -> "tuple[MirrorReport, BuildResult | None]":
    """Bring the mirror up to date and build its index; None if the PACS holds nothing any more.

    Of the index only the new build is kept: earlier ones may show what the PACS has deleted.

    Raises
    ------
    PacsError
        The PACS is away or refuses, or the mirror's folder cannot be used. Nothing is published.
    DatasetEmptyError
        Nothing of what the PACS holds is an image that can be read.
    """
    try:
        from indexer.pacs.dicomweb import DicomWeb
    except ModuleNotFoundError as error:
        raise ExtraMissingError("pacs") from error
    from indexer.pacs.folder import open_mirror
    from indexer.store.publish import prune, withdraw

    address = _address(choice)
    with open_mirror(
        choice.root,
        url=address.url,
        indexes_dir=indexes,
        pseudonyms=Pseudonymiser.from_environment(),
    ) as folder:
        report = _update(DicomWeb(address), folder, choice)
        if report.stored + report.refused == 0:
            withdraw(indexes / choice.name)
            errors_console().print(f"{choice.name}: the PACS holds nothing, so there is no index.")
            return report, None
        if choice.if_changed and (kept := _unchanged(folder, indexes / choice.name)):
            return report, kept
        try:
            result = build(PacsMirror().named(choice.name), choice.root)
        except DatasetEmptyError:
            withdraw(indexes / choice.name)
            raise
        prune(indexes / choice.name, keep=1)
        folder.journal.note_indexed(result.published.folder, identity_terms())
        return report, result


def _unchanged(folder: "MirrorFolder", index_folder: Path) -> "BuildResult | None":
    """Return the live build if it was made from the mirror as it is now, or None."""
    from indexer.build import BuildResult
    from indexer.store.manifest import read_manifest
    from indexer.store.plan import Published
    from indexer.store.publish import current_build

    try:
        live = current_build(index_folder)
        if not folder.journal.is_indexed_as(live, identity_terms()):
            return None
        published = Published(manifest=read_manifest(live), folder=live, unchanged=True)
    except StoreError:
        return None
    return BuildResult(published=published, encoded=0, reused=0)


def _address(choice: PacsChoice) -> "PacsAddress":
    from indexer.pacs.address import PASSWORD_VARIABLE, PacsAddress

    password = os.environ.get(PASSWORD_VARIABLE)
    address = PacsAddress.parse(
        choice.url, user=choice.user, password=password, ca_file=choice.ca_file
    )
    if address.sends_password_in_clear:
        errors_console().print(
            "[yellow]The password travels unencrypted to another machine; use https.[/]"
        )
    return address


def _update(pacs: "DicomWeb", folder: "MirrorFolder", choice: PacsChoice) -> "MirrorReport":
    """Update the mirror behind a progress bar and say what was done."""
    from indexer.pacs.mirror import MirrorOptions, update_mirror

    options = MirrorOptions(
        since=choice.since, only=_read_uids(choice.only), recheck=choice.recheck
    )
    with progress_bars() as progress:
        task = progress.add_task(choice.name, total=None)
        report = update_mirror(
            pacs,
            folder,
            options,
            lambda stage, done, total: progress.update(
                task, description=f"{choice.name}: {stage}", completed=done, total=total
            ),
        )
    free_gb = shutil.disk_usage(choice.root).free / 1e9
    errors_console().print(
        f"{choice.name}: fetched {report.fetched:,}, deleted {report.deleted:,}; the mirror holds "
        f"{report.stored:,} instances, {report.refused:,} could not be had ({free_gb:,.1f} GB of "
        "disk are free)."
    )
    return report


def _read_uids(only: str | None) -> tuple[str, ...] | None:
    """Return the UIDs of the file, or None if there is none to read.

    Raises
    ------
    typer.BadParameter
        It cannot be read, or a line is no UID.
    """
    from indexer.pacs.instances import is_uid

    if only is None:
        return None
    try:
        text = sys.stdin.read() if only == "-" else Path(only).read_text("ascii")
    except (OSError, ValueError) as error:
        raise typer.BadParameter("--only: the file cannot be read") from error
    uids = tuple(dict.fromkeys(text.split()))
    wrong = [number for number, uid in enumerate(uids, 1) if not is_uid(uid)]
    if wrong:
        raise typer.BadParameter(f"--only: line {wrong[0]} is no UID")
    return uids
