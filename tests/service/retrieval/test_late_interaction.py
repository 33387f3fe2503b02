"""Whole studies as queries: MaxSim against its definition, and what a hit says of itself."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoders.spec import ImageInput
from indexer.errors import DecodeError, QueryError, RecordNotFoundError
from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from service.opening import Opened, assemble
from service.retrieval.columns import BuildColumns
from service.retrieval.encoding import QueryEncoders, QueryImage, Vector
from service.retrieval.late_interaction import SeriesLeg, Slices
from service.retrieval.legs import Area
from service.retrieval.patience import current_patience
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    SeriesSource,
    Source,
    StudySource,
    TextSource,
)
from service.retrieval.reply import SearchReply
from service.retrieval.spaces import Space

# Patient p0 has a study of the chest and one of the head. Greys in the lung or brain window; as
# they are shown, all slices differ.
STUDIES = {
    "chest0": ("p0", (10, 11, 12)), "head0": ("p0", (60, 61, 62)),
    "chest1": ("p1", (10, 13, 14)), "head2": ("p2", (60, 63, 64)), "one1": ("p1", (11,)),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(kit: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("studies")
    greys = [grey for _, levels in STUDIES.values() for grey in levels]
    records = [
        kit.image_record(
            "ct",
            number,
            caption=None,
            case_id=case,
            study_id=study,
            series_id=study,
            slice_number=n,
        )
        for number, (study, case, n) in enumerate(
            (study, case, n)
            for study, (case, levels) in STUDIES.items()
            for n in range(len(levels))
        )
    ]
    by_window = {
        "lung_window": {place: grey for place, grey in enumerate(greys) if grey < 20},
        "brain_window": {place: grey for place, grey in enumerate(greys) if grey > 20},
    }
    shown = [200 + place for place in range(len(greys))]
    kit.publish(folder, "ct", records, greys=shown, by_window=by_window)
    loose = [kit.image_record("films", number, caption=None) for number in range(2)]
    kit.publish(folder, "films", loose, greys=[12, 90])
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path, kit: SimpleNamespace) -> Opened:
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    return assemble(IndexSet(folder), encoders)


@pytest.fixture
def search(opened: Opened) -> Callable[..., SearchReply]:
    def ask(source: Source, **options: object) -> SearchReply:
        values = {"group_by": "study", "indexes": ("ct",)} | options
        return opened.retriever.search(Query(target="images", source=source, **values))

    return ask


def studies(reply: SearchReply) -> list[str]:
    return [hit.group.group_id for hit in reply.hits]


def test_a_study_finds_itself_then_its_like(search: Callable[..., SearchReply]) -> None:
    reply = search(StudySource("study", "chest0"))
    assert studies(reply)[0] == "chest0"
    assert set(studies(reply)[1:]) == {"chest1", "one1"}  # heads show nothing in that window
    [first, *_] = reply.hits
    assert first.score == pytest.approx(1, abs=1e-5)
    assert first.window == "lung"
    assert first.why["late_interaction"].field == "lung_window"
    assert first.record.slice_number is not None
    assert reply.query.kind == "series"


def test_studies_of_other_regions_of_one_patient_are_not_confused(
    search: Callable[..., SearchReply],
) -> None:
    assert set(studies(search(StudySource("study", "chest1")))) == {"chest0", "chest1", "one1"}
    assert studies(search(StudySource("series", "head2"))) == ["head2", "head0"]
    shown = search(SeriesSource((b"grey 200", b"grey 203")))  # no CT: compared with every view
    assert len(shown.hits) == len(STUDIES)
    others = search(StudySource("study", "head0"), exclude_same=frozenset({"case"}))
    assert studies(others)[0] == "head2"
    assert "chest0" not in studies(others)


def test_one_good_slice_is_not_a_good_study(search: Callable[..., SearchReply]) -> None:
    files = SeriesSource(tuple(b"grey 0 lung=%d" % grey for grey in (10, 11, 13, 14)))
    assert studies(search(files))[0] == "chest1"
    best = search(files, match="best_slice")
    assert {*studies(best)[:3]} == {"chest0", "chest1", "one1"}
    assert [round(hit.score, 3) for hit in best.hits[:3]] == [1, 1, 1]


def test_archives_are_unpacked_and_thinned(folder: Path, kit: SimpleNamespace) -> None:
    asked: list[int] = []

    def unpack(raw: bytes, most: int) -> list[bytes]:
        asked.append(most)
        return [b"grey 0 lung=%d" % grey for grey in (10, 13)] * (most // 2)

    load = kit.loader(kit.HashEncoder())
    encoders = QueryEncoders(load, kit.decode_grey, unpack=unpack)
    retriever = assemble(IndexSet(folder), encoders).retriever
    source = SeriesSource((b"PK\x03\x04...", b"grey 0 lung=14"))
    reply = retriever.search(Query(target="images", source=source, group_by="study"))
    assert studies(reply)[0] == "chest1"
    assert asked == [32]


def test_all_files_of_a_query_share_one_patience(folder: Path, kit: SimpleNamespace) -> None:
    patiences: list[object] = []

    def decode(raw: bytes, wanted: ImageInput) -> QueryImage:
        patiences.append(current_patience())
        decoded: QueryImage = kit.decode_grey(raw, wanted)
        return decoded

    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), decode)
    retriever = assemble(IndexSet(folder), encoders).retriever
    query = Query(
        target="images",
        source=SeriesSource((b"grey 1", b"grey 2")),
        group_by="study",
        exclude_same=frozenset({"near_duplicate"}),
    )
    retriever.search(query)
    first, *others = patiences
    assert first is not None
    assert all(one is first for one in others)
    assert len(others) == 3
    retriever.search(query)
    assert patiences[4] is not first


def test_without_an_unpacker_archives_are_refused(search: Callable[..., SearchReply]) -> None:
    with pytest.raises(DecodeError, match="Archives"):
        search(SeriesSource((b"PK\x03\x04...",)))


def test_what_states_no_study_is_a_group_by_itself(search: Callable[..., SearchReply]) -> None:
    reply = search(SeriesSource((b"grey 12", b"grey 90")), indexes=("films",))
    assert len(reply.hits) == 2


def test_the_members_that_match_best_are_listed(search: Callable[..., SearchReply]) -> None:
    reply = search(StudySource("study", "chest0"), k=1, group_size=3)
    group = reply.hits[0].group
    assert group is not None
    assert len(group.best) == 3
    assert {hit.record.study_id for hit in group.best} == {"chest0"}


def test_pages_follow_on_each_other(search: Callable[..., SearchReply]) -> None:
    source = StudySource("study", "chest0")
    whole = studies(search(source, k=5))
    assert [one for offset in range(5) for one in studies(search(source, k=1, offset=offset))] == (
        whole
    )


def test_a_series_is_not_moved_and_says_so(search: Callable[..., SearchReply]) -> None:
    source = StudySource("study", "chest0")
    reply = search(source, unlike=("ct/train/0",))
    assert "ct/train/0" not in {hit.record.record_id for hit in reply.hits}
    [note] = [note for note in reply.notes if note.code == "unlike"]
    assert note.message.startswith("A whole series is compared as it is")


@pytest.mark.parametrize(
    ("source", "options", "error"),
    [
        (StudySource("study", "chest9"), {}, RecordNotFoundError),
        (StudySource("study", "chest0"), {"group_by": None}, QueryError),
        (StudySource("study", "chest0"), {"also": (TextSource("x"),)}, QueryError),
        (StudySource("study", "chest0"), {"mode": "lexical"}, QueryError),
        (RecordSource("ct/train/0"), {"also": (SeriesSource((b"grey 1",)),)}, QueryError),
    ],
)
def test_what_a_series_cannot_be_asked_for(
    search: Callable[..., SearchReply], source: Source, options: dict[str, object], error: type
) -> None:
    with pytest.raises(error):
        search(source, **options)


def test_a_series_of_one_file_is_that_image(search: Callable[..., SearchReply]) -> None:
    series = search(SeriesSource((b"grey 1 brain=63",)), match="best_slice")
    image = search(ImageSource(b"grey 1 brain=63"), mode="dense")
    assert studies(series)[0] == studies(image)[0] == "head2"
    assert series.hits[0].score == pytest.approx(image.hits[0].score, abs=1e-5)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 4), late=st.booleans())
def test_a_group_scores_by_the_definition(folder: Path, seed: int, count: int, late: bool) -> None:
    reader = IndexReader.open(folder / "ct")
    queries = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    space = Space.of(reader, "image")
    codes = BuildColumns(reader.table).groups("study_id").codes
    leg = SeriesLeg(
        name="late_interaction" if late else "best_slice", space=space, weight=1.0,
        slices=(Slices(queries, ("lung_window", "image")),), members=(0,), groups=(codes,), best=1,
    )  # fmt: skip
    allowed = np.random.default_rng(seed).random(len(codes)) < 0.8
    ranking = leg.rank(Area([reader], [Subset(allowed)]), 99, exact=True)
    expected = {}
    for code in range(codes.max() + 1):
        rows = np.flatnonzero((codes == code) & allowed)
        seen = [_seen_beside_lungs(reader, row) for row in rows]
        known = np.array([vector for vector in seen if vector is not None])
        if len(known):
            best = (known @ queries.T).max(axis=0)
            expected[code] = best.mean() if late else best.max()
    found = {codes[key.row]: score for key, score in zip(ranking.keys, ranking.scores, strict=True)}
    assert found == pytest.approx(expected, abs=1e-5)
    assert sorted(ranking.scores, reverse=True) == list(ranking.scores)


def _seen_beside_lungs(reader: IndexReader, row: int) -> Vector | None:
    """Return what of a record is compared with lungs: its lungs, or all of it if in no window."""
    lung, brain = (reader.vector(name, row) for name in ("lung_window", "brain_window"))
    return reader.vector("image", row) if lung is None and brain is None else lung
