"""Genuine CT by window, with the encoders that ship: words, a slice and a series as queries."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.selection import select_encoders
from indexer.pixels.pseudonyms import Pseudonymiser
from service.opening import open_indexes
from service.retrieval.query import Query, Source, StudySource, TextSource
from service.retrieval.reply import SearchReply
from service.retrieval.series_slices import source_of_file
from service.settings import Settings

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

NODULE = "siim_ct/dicom_dir/ID_0099_AGE_0061_CONTRAST_0_CT.dcm"
LUNG_BASES = "tcia/CPTAC-PDA"
CANCERS = ("cancer_ct", "tcga_luad")


# Patient p has a study of the chest and one of the abdomen, cut from one genuine scan; the others
# have one each, of genuine files.
STUDIES = {
    ("p", "chest"): ("1-01", "1-07"), ("p", "abdomen"): ("1-25", "1-31"),
    ("q", "chest"): ("ID_0099_AGE_0061_CONTRAST_0_CT", "ID_0000_AGE_0060_CONTRAST_1_CT"),
    ("r", "chest"): ("1-025", "1-016"), ("s", "abdomen"): ("ID_0010_AGE_0060_CONTRAST_1_CT",),
    ("t", "abdomen"): ("1-049", "1-009"), ("u", "head"): ("693_UNCI", "J2K_pixelrep_mismatch"),
}  # fmt: skip


def write_studies(genuine: Path, folder: Path) -> None:
    """Copy genuine slices into studies of our own; nothing but identifiers is changed."""
    files = {path.stem: path for path in genuine.rglob("*.dcm") if "TCGA-LIHC" not in path.parts}
    for number, ((patient, region), names) in enumerate(STUDIES.items()):
        (folder / f"{patient}-{region}").mkdir(parents=True)
        for place, name in enumerate(names):
            slice_ = dcmread(files[name])
            slice_.PatientID = patient
            slice_.StudyInstanceUID = f"1.2.3.{number}"
            slice_.SeriesInstanceUID = f"1.2.3.{number}.1"
            slice_.InstanceNumber = place + 1
            slice_.save_as(folder / f"{patient}-{region}" / f"{place}.dcm")


@pytest.fixture(scope="module")
def indexes(realdata_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    indexes = tmp_path_factory.mktemp("indexes")
    encoders = select_encoders([])
    genuine = realdata_dir / "genuine"
    studies = tmp_path_factory.mktemp("studies")
    write_studies(genuine, studies)
    for name, folder in (
        ("cancer_ct", genuine / "siim_ct"),
        ("tcga_luad", genuine / "tcia" / "TCGA-LUAD"),
        ("tcga_kich", studies),
    ):
        build_index(
            get_dataset(name), folder, indexes,
            text=encoders.text, image=encoders.image, options=BuildOptions(workers=1),
        )  # fmt: skip
    return indexes


@pytest.fixture(scope="module")
def search(indexes: Path) -> Iterator[Callable[..., SearchReply]]:
    with ExitStack() as stack:
        opened = open_indexes(Settings(indexes_dir=indexes, decode_workers=1), stack)

        def ask(source: Source, **options: object) -> SearchReply:
            query = Query(target="images", source=source, k=5, group_by="case", indexes=CANCERS)
            return opened.retriever.search(replace(query, **options))

        yield ask


def test_words_about_the_lung_window_find_slices_in_it(
    search: Callable[..., SearchReply],
) -> None:
    hits = search(TextSource("lung window chest CT")).hits
    assert {hit.window for hit in hits} == {"lung"}
    assert len({hit.record.case_id for hit in hits}) == len(hits) == 5
    assert {hit.window for hit in search(TextSource("bone window CT")).hits} == {"bone"}


def test_a_slice_of_lung_finds_lungs_of_other_patients(
    search: Callable[..., SearchReply], realdata_dir: Path
) -> None:
    source = source_of_file((realdata_dir / "genuine" / NODULE).read_bytes())
    [own, *_] = search(source).hits
    hits = search(source, exclude_same=frozenset({"case"})).hits
    assert own.score == pytest.approx(1, abs=1e-3)
    assert own.record.case_id not in {hit.record.case_id for hit in hits}
    assert {hit.window for hit in hits} == {"lung"}
    assert {hit.why["image"].field for hit in hits} == {"lung_window"}
    assert all(hit.record.slice_number is not None for hit in hits)


def test_studies_of_two_regions_of_one_patient_are_not_confused(
    search: Callable[..., SearchReply],
) -> None:
    name = Pseudonymiser.from_environment().pseudonym
    studies = {name("study", f"1.2.3.{number}"): one for number, one in enumerate(STUDIES)}

    def like(patient: str, region: str) -> list[tuple[str, str]]:
        [study] = [study for study, one in studies.items() if one == (patient, region)]
        source = StudySource("study", study)
        hits = search(source, group_by="study", indexes=("tcga_kich",), k=len(STUDIES)).hits
        return [studies[hit.record.study_id or ""] for hit in hits]

    assert like("p", "chest") == [("p", "chest"), ("r", "chest"), ("q", "chest")]
    assert like("r", "chest") == [("r", "chest"), ("q", "chest"), ("p", "chest")]
    assert like("u", "head") == [("u", "head")]
    [own, *_, last] = like("p", "abdomen")
    assert (own, last) == (("p", "abdomen"), ("u", "head"))
    assert {region for _, region in like("s", "abdomen")[:3]} == {"abdomen"}
    assert {region for _, region in like("t", "abdomen")[:3]} == {"abdomen"}


def test_a_zipped_series_finds_studies(
    search: Callable[..., SearchReply], realdata_dir: Path
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((realdata_dir / "genuine" / LUNG_BASES).rglob("*.dcm")):
            archive.write(file, file.name)
        archive.writestr("LICENSE", "CC BY 3.0")
    reply = search(source_of_file(stream.getvalue()), group_by="study")
    assert reply.query.kind == "series"
    assert [set(hit.why) for hit in reply.hits] == [{"late_interaction"}] * 5
    assert {hit.window for hit in reply.hits} <= {"lung", "soft_tissue", None}
    assert reply.hits[0].score > 0.8
