"""Brings a mirror up to what a PACS holds; killed at any moment, the next run goes on.

First it is written down what the PACS has and the mirror has not (wanted) and the other way round
(deleted); then the wanted is fetched and the deleted is removed. Each step may be repeated.
"""

from dataclasses import dataclass
from datetime import date

from indexer.pacs.change_feed import ChangeFeed
from indexer.pacs.dicomweb import DicomWeb
from indexer.pacs.fetching import OnMirrorProgress, fetch_wanted
from indexer.pacs.folder import MirrorFolder
from indexer.pacs.instances import StudyRef
from indexer.pacs.journal import Journal

_LAST_CHANGE = "last_change"
_RECHECK = "recheck"
_REMOVED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions:
    """What to look for. `since` leaves out studies of earlier days.

    With `only`, the studies with these UIDs, or with series of these, are compared instead of all
    that the PACS lists (what Orthanc's log announces is fetched all the same). `recheck` compares
    each study instance by instance even where their number is right.
    """

    since: date | None = None
    only: tuple[str, ...] | None = None
    recheck: bool = False
    connections: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorReport:
    """What a run did: instances fetched and deleted; what is there now, what was refused."""

    fetched: int
    deleted: int
    stored: int
    refused: int


def update_mirror(
    pacs: DicomWeb,
    folder: MirrorFolder,
    options: MirrorOptions,
    on_progress: OnMirrorProgress,
) -> MirrorReport:
    """Make the mirror hold what the PACS holds.

    Raises
    ------
    PacsError
        The PACS is away or refuses. What was fetched is kept.
    """
    journal = folder.journal
    pacs.check()
    _read_changes(pacs, journal, options, on_progress)
    if options.only is None:
        _compare_all(pacs, journal, options, on_progress)
    else:
        for done, uid in enumerate(options.only, 1):
            _compare_named(pacs, journal, uid)
            on_progress("comparing studies", done, len(options.only))
    deleted = _remove_deleted(folder, on_progress)
    fetched = fetch_wanted(pacs, folder, options.connections, on_progress)
    # An instance that was deleted between being listed and being fetched.
    deleted += _remove_deleted(folder, on_progress)
    folder.list_refusals()
    return MirrorReport(
        fetched=fetched,
        deleted=deleted,
        stored=journal.total("stored"),
        refused=journal.total("refused"),
    )


def _read_changes(
    pacs: DicomWeb, journal: Journal, options: MirrorOptions, on_progress: OnMirrorProgress
) -> None:
    """Want what Orthanc's log announces since the last run.

    The first run only notes where the log stands, before anything is listed: whatever is changed
    from here on is in the log, whatever was there before is found by listing.
    """
    feed = ChangeFeed.find(pacs)
    if feed is None:
        return
    noted = journal.fact(_LAST_CHANGE)
    latest = feed.last()
    if noted is None or latest < int(noted):
        # The first run; or an archive whose log began anew, of which nothing is taken for granted.
        journal.note({_LAST_CHANGE: str(latest), _RECHECK: "" if noted is None else "yes"})
        return
    earliest = f"{options.since:%Y%m%d}" if options.since else ""
    for page in feed.read(int(noted)):
        arrived = [ref for ref in page.arrived if (ref.study_date or "99999999") >= earliest]
        journal.want(arrived, {_LAST_CHANGE: str(page.last)})
        on_progress("reading changes", page.last - int(noted), max(latest, page.last) - int(noted))


def _compare_all(
    pacs: DicomWeb, journal: Journal, options: MirrorOptions, on_progress: OnMirrorProgress
) -> None:
    """Compare every study that the PACS lists or the mirror has."""
    if options.recheck:
        journal.note({_RECHECK: "yes"})
    recheck = journal.fact(_RECHECK) == "yes"
    listed: set[str] = set()
    for study in pacs.iter_studies(options.since):
        listed.add(study.study_uid)
        if recheck or study.instances is None or study.instances != journal.count(study.study_uid):
            _compare(pacs, journal, study)
        on_progress("comparing studies", len(listed), None)
    earliest = f"{options.since:%Y%m%d}" if options.since else ""
    for study_uid, study_date in journal.studies():
        # A page that shifts while it is read can hide a study: so it is asked for by itself.
        if study_uid not in listed and (study_date or "99999999") >= earliest:
            _compare(pacs, journal, StudyRef(study_uid, study_date, None))
    if recheck:
        journal.note({_RECHECK: ""})


def _compare_named(pacs: DicomWeb, journal: Journal, uid: str) -> None:
    """Compare the study of that UID; if there is none, that of the series of that UID."""
    listed = pacs.list_instances(StudyRef(uid, None, None))
    if listed or journal.count(uid):
        journal.reconcile(uid, listed)
        return
    study_uid = pacs.study_of_series(uid) or journal.study_of_series(uid)
    if study_uid:
        _compare(pacs, journal, StudyRef(study_uid, None, None))


def _compare(pacs: DicomWeb, journal: Journal, study: StudyRef) -> None:
    journal.reconcile(study.study_uid, pacs.list_instances(study))


def _remove_deleted(folder: MirrorFolder, on_progress: OnMirrorProgress) -> int:
    """Remove the files of what the PACS no longer holds; return how many."""
    removed = 0
    while doomed := folder.journal.entries("deleted", limit=_REMOVED_AT_ONCE):
        for entry in doomed:
            folder.remove(entry.path)
        folder.sync(entry.path for entry in doomed)
        folder.journal.forget(doomed)
        removed += len(doomed)
        on_progress("removing", removed, None)
    return removed
