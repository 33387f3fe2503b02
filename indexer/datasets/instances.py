"""DICOM instances as records: what their header says, in plain words and under pseudonyms."""

import os
from dataclasses import dataclass
from pathlib import Path

from indexer.datasets.base import DatasetInfo
from indexer.datasets.tree import is_nameable
from indexer.errors import DecodeError, NotAnImageError
from indexer.pixels.dicom import DicomHeader, read_header
from indexer.pixels.dicom_words import body_region, modality_name, organ_label
from indexer.pixels.pseudonyms import PATH_KIND, Pseudonymiser
from indexer.records import ImageRecord, ImageRef, Reject, RejectKind, make_record_id

SPLIT = "all"


ALLOW_BURNED_IN = "MEDSEARCH_ALLOW_BURNED_IN"
"""The environment variable by which pictures that may show a patient's name are let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceContext:
    """What is known of every instance of a collection, before its header is read.

    `body_part` is the region that the collection shows, for headers that do not say it;
    `labels` are what the collection says of all its patients.
    """

    info: DatasetInfo
    pseudonyms: Pseudonymiser
    labels: tuple[str, ...] = ()
    body_part: str | None = None
    attribution: str | None = None


def identity_terms() -> str:
    """Return on what terms scans are read now: which pictures are let in, under which key.

    What was read on other terms must not be gone on with. Of a key it says no more than a
    pseudonym does.
    """
    pictures = "all" if os.environ.get(ALLOW_BURNED_IN) else "nameless"
    return f"{pictures} {Pseudonymiser.from_environment().pseudonym('key', '')}"


def read_instance(file: Path, path: str) -> DicomHeader | Reject:
    """Return the header of a DICOM file, or why it cannot become a record.

    `path` is the file's name relative to the dataset's root. A picture into which a patient's
    data are burned is refused, for no pseudonym would hide them: by its own account, or where
    nothing is said, if it is an ultrasound image or a secondary capture. Whoever has looked at
    them may allow them (`MEDSEARCH_ALLOW_BURNED_IN=1`).
    """
    if not is_nameable(str(file)):
        reason = "the file's name is not UTF-8; rename it"
        return _refuse(path, reason, "bad_reference")
    try:
        header = read_header(file)
    except NotAnImageError as error:
        return _refuse(path, error.message, "not_an_image")
    except DecodeError as error:
        return _refuse(path, error.message, "undecodable")
    if header.may_show_identity and not os.environ.get(ALLOW_BURNED_IN):
        said = "its header says" if header.burned_in else "its kind makes it likely, undenied,"
        reason = f"{said} that a patient's data are burned into the picture"
        return _refuse(path, reason, "burned_in")
    return header


def _refuse(path: str, reason: str, kind: RejectKind) -> Reject:
    return Reject(path=path, line=None, reason=reason, kind=kind, of_scan=True)


def make_instance(
    header: DicomHeader,
    path: str,
    context: InstanceContext,
    *,
    frame: int = 0,
    native_id: str | None = None,
) -> ImageRecord:
    """Return the record of one frame of the instance in the file `path`.

    No original identifier enters it: patient, study, series and instance are pseudonyms. An
    instance without a UID of its own is known by its path. `native_id` overrides both.
    """
    name = context.pseudonyms.pseudonym
    instance = (
        name("instance", header.instance_uid) if header.instance_uid else name(PATH_KIND, path)
    )
    study = name("study", header.study_uid) if header.study_uid else None
    series = name("series", header.series_uid) if header.series_uid else None
    patient = name("patient", header.patient_id) if header.patient_id else None
    identity = native_id or instance
    if header.frames > 1:
        identity = f"{identity}:{frame + 1:04d}"
    organ = organ_label(header.body_part)
    scout = ("localizer",) if header.is_localizer else ()
    return ImageRecord(
        record_id=make_record_id(context.info.name, SPLIT, identity),
        dataset=context.info.name,
        split=SPLIT,
        source_id=identity,
        source_path=path,
        case_id=patient or study or series or identity,
        labels=tuple(dict.fromkeys((*context.labels, *((organ,) if organ else ()), *scout))),
        licence=context.info.licence,
        attribution=context.attribution,
        image=ImageRef(path=path, frame=frame),
        modality=modality_name(header.modality),
        body_part=body_region(header.body_part) or context.body_part,
        patient_id=patient,
        study_id=study,
        series_id=series,
        slice_number=header.instance_number,
        age_years=header.age_years,
        sex=header.sex,
        contrast=header.contrast,
    )
