"""What a PACS may announce."""

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from service.filter_schemas import Request

Uid: TypeAlias = Annotated[str, Field(pattern=r"^[0-9.]{1,64}$", examples=["1.2.840.113619.2.1"])]


class IngestRequest(Request):
    """A study that came, was changed or was deleted: by its UID, or by that of one of its series.

    Orthanc knows which when it calls a study or a series stable, or deleted.
    """

    study_uid: Uid | None = None
    series_uid: Uid | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.study_uid is None) == (self.series_uid is None):
            message = "give either study_uid or series_uid"
            raise ValueError(message)
        return self

    @property
    def uid(self) -> str:
        """The UID that is given."""
        return self.study_uid or self.series_uid or ""
