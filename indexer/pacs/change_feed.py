"""Orthanc's numbered log of changes: which instances arrived since a given number.

Its `/changes` lists what arrived, also where an instance was replaced by another under the same
UID. Deletions are not in it (Orthanc keeps them out of its database), so they are found by listing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from indexer.errors import PacsProtocolError
from indexer.pacs.dicomweb import DicomWeb
from indexer.pacs.instances import InstanceRef, is_uid, read_date
from indexer.pacs.transport import attempt

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Instances that arrived, and the number of the last change looked at."""

    arrived: list[InstanceRef]
    last: int


class ChangeFeed:
    """The change log of one Orthanc, beside its DICOMweb service."""

    def __init__(self, pacs: DicomWeb) -> None:
        self._pacs = pacs
        self._root = pacs.address.url.rpartition("/")[0]
        self._series: dict[str, InstanceRef | None] = {}

    @classmethod
    def find(cls, pacs: DicomWeb) -> "ChangeFeed | None":
        """Return the change log of the PACS, or None if it is no Orthanc or does not show it."""
        feed = cls(pacs)
        system = feed._get("system")
        if not isinstance(system, dict) or not {"ApiVersion", "DicomAet"} <= set(system):
            return None
        return feed if isinstance(feed._get("changes?last"), dict) else None

    def last(self) -> int:
        """Return the number of the latest change."""
        return _read_last(self._get("changes?last"))

    def read(self, since: int) -> Iterator[ChangePage]:
        """Yield what arrived after change number `since`, page by page."""
        done = False
        while not done:
            found = self._get(f"changes?since={since}&limit={_PAGE}")
            last = _read_last(found)
            ids = [
                str(change["ID"])
                for change in found["Changes"]
                if change["ChangeType"] == "NewInstance"
            ]
            resolved = (self._resolve(one) for one in dict.fromkeys(ids))
            yield ChangePage([ref for ref in resolved if ref is not None], last)
            done = bool(found["Done"]) or last <= since
            since = last

    def _resolve(self, orthanc_id: str) -> InstanceRef | None:
        """Return the instance of one of Orthanc's ids, or None if it was deleted meanwhile."""
        found = self._get(f"instances/{orthanc_id}")
        if found is None:
            return None
        parent = str(found["ParentSeries"])
        if parent not in self._series:
            self._series[parent] = self._resolve_series(parent)
        series = self._series[parent]
        instance_uid = found["MainDicomTags"].get("SOPInstanceUID")
        if series is None or not is_uid(instance_uid):
            return None
        return InstanceRef(series.study_uid, series.series_uid, instance_uid, series.study_date)

    def _resolve_series(self, orthanc_id: str) -> InstanceRef | None:
        """Return study, series and date of a series, as a reference without an instance."""
        series = self._get(f"series/{orthanc_id}")
        study = self._get(f"studies/{series['ParentStudy']}") if series else None
        if not series or not study:
            return None
        series_uid = series["MainDicomTags"].get("SeriesInstanceUID")
        study_uid = study["MainDicomTags"].get("StudyInstanceUID")
        if not is_uid(series_uid) or not is_uid(study_uid):
            return None
        return InstanceRef(
            study_uid, series_uid, "", read_date(study["MainDicomTags"].get("StudyDate"))
        )

    def _get(self, path: str) -> Any:
        """Return what Orthanc answers, or None where it has nothing there or does not show it."""

        def ask() -> Any:
            reply = self._pacs.session.get(f"{self._root}/{path}")
            if reply.status_code in {401, 403, 404, 405}:
                return None
            reply.raise_for_status()
            try:
                return reply.json()
            except requests.exceptions.InvalidJSONError:
                return None

        return attempt(ask, self._pacs.address)


def _read_last(found: Any) -> int:
    """Return the number of the last change that a reply covers.

    Raises
    ------
    PacsProtocolError
        It is no list of changes.
    """
    if not isinstance(found, dict) or not isinstance(found.get("Last"), int):
        raise PacsProtocolError(
            "Orthanc's list of changes cannot be read.",
            remedy="The user needs the right to read /changes, /instances, /series and /studies.",
        )
    return int(found["Last"])
