"""Neighbour evidence against counting cases one by one."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.records import ImageRecord, ImageRef
from indexer.store.records import to_row, to_table
from service.retrieval.columns import BuildColumns
from service.retrieval.evidence import (
    MAX_LABELS,
    MIN_CASES,
    Case,
    cases_of,
    gather_evidence,
    wilson_interval,
)
from service.retrieval.fusion import Key


def image(case: int, labels: Sequence[str] = (), abnormal: bool | None = None) -> ImageRecord:
    return ImageRecord(
        record_id="d/s/1", dataset="d", split="s", source_id="1", source_path="p",
        case_id=f"case{case}", licence="CC0", image=ImageRef(path="p"), labels=tuple(labels),
        abnormal=abnormal,
    )  # fmt: skip


def columns(records: Sequence[ImageRecord]) -> BuildColumns:
    extra = {"content_key": "0", "image_sha256": None, "image_hash": None}
    return BuildColumns(to_table([to_row(one, extra) for one in records], "image"))


RECORDS = st.lists(
    st.builds(
        image,
        st.integers(0, 6),
        st.lists(st.sampled_from(["a", "b", "abnormal", "normal"]), max_size=3),
        st.sampled_from([None, True, False]),
    ),
    min_size=1,
    max_size=14,
)


def labels_by_case(
    records: Sequence[ImageRecord], mask: Sequence[bool], own: set[str]
) -> dict[str, set[str]]:
    """Say what the documentation says: the labels of every case that states anything."""
    found: dict[str, set[str]] = {}
    for record, allowed in zip(records, mask, strict=True):
        labels = set(record.labels) | ({"abnormal"} if record.abnormal else set())
        states = bool(labels) or record.abnormal is not None
        if allowed and states and record.case_id not in own:
            found.setdefault(record.case_id, set()).update(labels)
    return found


@given(st.lists(RECORDS, min_size=1, max_size=3), st.randoms(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_evidence_equals_counting_cases_one_by_one(parts: list, random, everything: bool) -> None:
    builds = [columns(records) for records in parts]
    masks = [[everything or random.random() < 0.7 for _ in records] for records in parts]
    ranked = [
        Key(reader, row) for reader, mask in enumerate(masks) for row, one in enumerate(mask) if one
    ]
    random.shuffle(ranked)
    own_key = ranked.pop(0) if ranked and random.random() < 0.5 else None
    names = [(key.reader, parts[key.reader][key.row].case_id) for key in ranked]
    own_name = (own_key.reader, parts[own_key.reader][own_key.row].case_id) if own_key else None
    own = cases_of([own_key], builds) if own_key else ()
    nearest = [case for case in cases_of(ranked, builds) if case not in own]
    wanted = [name for name in dict.fromkeys(names) if name != own_name]

    known = [
        labels_by_case(
            records, mask, {own_name[1]} if own_name and own_name[0] == reader else set()
        )
        for reader, (records, mask) in enumerate(zip(parts, masks, strict=True))
    ]
    stating = [(reader, case) for reader, case in wanted if case in known[reader]]
    holders: dict[str, int] = {}
    for reader, case in stating:
        for label in known[reader][case]:
            holders[label] = holders.get(label, 0) + 1
    allowed = [None if everything else np.array(mask) for mask in masks]
    found = gather_evidence(nearest, builds, allowed, own)

    assert {one.label: one.cases for one in found} == {
        label: cases for label, cases in holders.items() if cases >= MIN_CASES
    }
    for one in found:
        shares = [
            sum(one.label in labels for labels in known[reader].values()) / len(known[reader])
            for reader, _ in stating
        ]
        assert one.of == len(stating)
        assert one.base_rate == pytest.approx(sum(shares) / len(shares))
        assert (one.low, one.high) == wilson_interval(one.cases, one.of)
        assert one.stands_out == (one.low > one.base_rate)
    surprise = [one.low - one.base_rate for one in found]
    assert surprise == sorted(surprise, reverse=True)


@given(st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_is_wilsons(pair: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    cases, of = pair
    reference = stats.binomtest(cases, of).proportion_ci(0.95, method="wilson")
    assert wilson_interval(cases, of) == pytest.approx((reference.low, reference.high), abs=1e-12)


@given(st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_shares_that_a_score_test_would_not_refuse(
    pair: tuple[int, int],
) -> None:
    """Wilson's definition: at its ends the share lies 1.96 standard errors away."""
    cases, of = pair
    low, high = wilson_interval(cases, of)
    assert 0 <= low <= cases / of <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            error = sqrt(end * (1 - end) / of)
            assert abs(cases / of - end) / error == pytest.approx(1.959963985)


@pytest.mark.parametrize(("cases", "of"), [(-1, 3), (4, 3), (0, 0)])
def test_what_is_no_share_is_refused(cases: int, of: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson_interval(cases, of)


def test_ten_slices_of_one_patient_are_one_case() -> None:
    records = [image(0, ["nodule"])] * 10 + [image(case, ["normal"]) for case in (1, 2, 2)]
    builds = [columns(records)]
    ranked = [Key(0, row) for row in range(13)]
    nearest = cases_of(ranked, builds)
    assert nearest == (Case(0, 0), Case(0, 1), Case(0, 2))
    [normal] = gather_evidence(nearest, builds, [None])
    assert (normal.label, normal.cases, normal.of) == ("normal", 2, 3)
    assert normal.base_rate == pytest.approx(2 / 3)


def mura(abnormal: int, normal: int) -> list[ImageRecord]:
    return [image(n, ["abnormal"], True) for n in range(abnormal)] + [
        image(1000 + n, ["normal"], False) for n in range(normal)
    ]


def test_a_sentence_says_shares_and_never_a_diagnosis() -> None:
    records = mura(38, 62)
    builds = [columns(records)]
    nearest = [*(Case(0, n) for n in range(7)), *(Case(0, 50 + n) for n in range(3))]
    first, second = gather_evidence(nearest, builds, [None])
    assert first.sentence == (
        "7 of the 10 nearest labelled cases: abnormal (95 % interval 40 to 89 %); 38 % of the "
        "cases searched are."
    )
    assert first.stands_out
    assert second.sentence == (
        "3 of the 10 nearest labelled cases: normal (95 % interval 11 to 60 %); 62 % of the "
        "cases searched are. Chance alone may give that."
    )


def test_what_is_rare_is_not_said_to_be_never() -> None:
    builds = [columns(mura(3, 997))]
    [rare] = gather_evidence([Case(0, 0), Case(0, 1)], builds, [None])
    assert rare.base_rate == 0.003
    assert "to 100 %); under 1 % of the cases" in rare.sentence


def test_a_label_of_one_index_is_expected_there_and_not_in_another() -> None:
    """Ten neighbours in MURA: what ROCOv2 is labelled must not thin out MURA's base rate."""
    builds = [columns(mura(5, 5)), columns([image(n, ["X-ray"]) for n in range(90)])]
    alone = [Case(0, code) for code in range(10)]
    found = {one.label: one for one in gather_evidence(alone, builds, [None, None])}
    assert found["abnormal"].base_rate == 0.5
    half = [*alone[:5], *(Case(1, code) for code in range(5))]
    found = {one.label: one for one in gather_evidence(half, builds, [None, None])}
    assert found["abnormal"].base_rate == 0.25
    assert found["X-ray"].base_rate == 0.5


def test_cases_that_state_nothing_are_no_evidence_of_absence() -> None:
    records = [image(0, ["nodule"]), image(1, ["nodule"]), image(2), image(3)]
    nearest = [Case(0, code) for code in range(4)]
    [nodule] = gather_evidence(nearest, [columns(records)], [None])
    assert (nodule.cases, nodule.of, nodule.base_rate) == (2, 2, 1.0)
    assert gather_evidence([Case(0, 2), Case(0, 3)], [columns(records)], [None]) == ()
    assert gather_evidence([], [columns(records)], [None]) == ()


def test_only_the_ten_most_surprising_labels_are_told() -> None:
    records = [image(case, [f"{n:02d}" for n in range(15)]) for case in range(4)]
    found = gather_evidence([Case(0, 0), Case(0, 1)], [columns(records)], [None])
    assert [one.label for one in found] == [f"{n:02d}" for n in range(MAX_LABELS)]
