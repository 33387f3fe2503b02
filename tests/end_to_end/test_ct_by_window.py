"""Genuine CT by window, with the encoders that ship: words, a slice and a series as queries."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.selection import select_encoders
from service.opening import open_indexes
from service.retrieval.query import Query, SearchReply, Source, TextSource
from service.retrieval.series_slices import source_of_file
from service.settings import Settings

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

NODULE = "siim_ct/dicom_dir/ID_0099_AGE_0061_CONTRAST_0_CT.dcm"
LUNG_BASES = "tcia/CPTAC-PDA"


@pytest.fixture(scope="module")
def search(
    realdata_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., SearchReply]]:
    indexes = tmp_path_factory.mktemp("indexes")
    encoders = select_encoders([])
    for name, folder in (("cancer_ct", "siim_ct"), ("tcga_luad", "tcia/TCGA-LUAD")):
        build_index(
            get_dataset(name), realdata_dir / "genuine" / folder, indexes,
            text=encoders.text, image=encoders.image, options=BuildOptions(workers=1),
        )  # fmt: skip
    with ExitStack() as stack:
        opened = open_indexes(Settings(indexes_dir=indexes, decode_workers=1), stack)

        def ask(source: Source, **options: object) -> SearchReply:
            query = Query(target="images", source=source, k=5, group_by="case")
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
