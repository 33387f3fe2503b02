"""Links from records to the images in a viewer, where this service may know the original UIDs."""

import string
from urllib.parse import quote

from indexer.errors import MedsearchError
from indexer.pacs.private_table import OriginalUids, PrivateTable
from indexer.records import AnyRecord, ImageRecord
from service.settings import Settings

_PLACES = frozenset({"study_uid", "series_uid"})
_REMEMBERED = 4096


class ViewerSettingError(MedsearchError, ValueError):
    """Links to a viewer cannot be made as they are set."""

    code = "bad_setting"


class Viewer:
    """Fills a template with the UIDs of a record's study and series."""

    def __init__(self, template: str, table: PrivateTable, dataset: str) -> None:
        """Keep the template.

        Raises
        ------
        ViewerSettingError
            It has a place that nothing fills, or none for the study.
        """
        try:
            places = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        except ValueError:
            places = set()
        if "study_uid" not in places or not places <= _PLACES:
            raise ViewerSettingError(
                "MEDSEARCH_VIEWER_TEMPLATE cannot be filled.",
                remedy="It needs {study_uid} and may have {series_uid}: "
                "/ohif/viewer?StudyInstanceUIDs={study_uid}",
            )
        self._template = template
        self._dataset = dataset
        # Only what was found is remembered: a study may be mirrored any moment.
        self._found: dict[tuple[str, str], OriginalUids] = {}
        self._table = table

    @classmethod
    def from_settings(cls, settings: Settings) -> "Viewer | None":
        """Return the links that are set, or None.

        Raises
        ------
        ViewerSettingError
            The template is wrong, there is no mirror to look UIDs up in, or everybody may ask.
        """
        if settings.viewer_template is None:
            return None
        if settings.pacs_mirror is None or not settings.api_keys:
            raise ViewerSettingError(
                "MEDSEARCH_VIEWER_TEMPLATE puts original UIDs into replies.",
                remedy="It needs MEDSEARCH_PACS_MIRROR, to look them up, and MEDSEARCH_API_KEYS, "
                "so that not everybody may ask.",
            )
        return cls(settings.viewer_template, PrivateTable(settings.pacs_mirror), settings.pacs_name)

    def url(self, record: AnyRecord) -> str | None:
        """Return where the record's images are shown, or None if its study is not known here."""
        if not isinstance(record, ImageRecord) or record.dataset != self._dataset:
            return None
        if record.study_id is None or record.series_id is None:
            return None
        key = record.study_id, record.series_id
        uids = self._found.get(key) or self._table.find(*key)
        if uids is None:
            return None
        if len(self._found) < _REMEMBERED:
            self._found[key] = uids
        return self._template.format(
            study_uid=quote(uids.study_uid, safe=""), series_uid=quote(uids.series_uid, safe="")
        )
