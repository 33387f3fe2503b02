"""Neighbour evidence: labels among the nearest cases against how common they are anyway.

Evidence, never a diagnosis: it says what the most similar cases were labelled, and how much of
that chance alone would give.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from service.retrieval.columns import BuildColumns, Mask
from service.retrieval.fusion import Key

NEAREST_CASES = 10
MIN_CASES = 2
MAX_LABELS = 10
ABNORMAL = "abnormal"
"""The label that a record's flag `abnormal` stands for, as MURA itself calls it."""

_CASES = "case_id"
_TAGS = "labels"
_Z_95 = 1.959963984540054  # 97.5 % of a standard normal distribution lie below


class Case(NamedTuple):
    """A case of one of the searched builds: the build's position, and the case's number there."""

    reader: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvidence:
    """How many of the nearest cases have a label, against what was to be expected of any.

    `of` counts the nearest cases that state any label at all, for what is not stated is not a
    "no". `share` is `cases` / `of`, with its 95 % Wilson score interval from `low` to `high`.
    `base_rate` is the label's share among the cases of the indexes that the nearest come from,
    each index counting as often as it does among them: with one index, simply its share there.
    """

    label: str
    cases: int
    of: int
    share: float
    low: float
    high: float
    base_rate: float
    sentence: str

    @property
    def stands_out(self) -> bool:
        """Whether the label is more common here than chance would let it be."""
        return self.low > self.base_rate


def wilson_interval(cases: int, of: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share: Wilson, JASA 22 (1927) 209-212.

    Raises
    ------
    ValueError
        `cases` is not from 0 to `of`, or there are none.
    """
    if not 0 <= cases <= of or of < 1:
        message = f"{cases} of {of} is no share"
        raise ValueError(message)
    share, spread = cases / of, _Z_95**2 / of
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)
    low = 0.0 if cases == 0 else centre - half
    return low, 1.0 if cases == of else centre + half


def cases_of(keys: Iterable[Key], builds: Sequence[BuildColumns]) -> tuple[Case, ...]:
    """Return the distinct cases of some records, in their order."""
    columns = [build.groups(_CASES).codes for build in builds]
    cases = (Case(key.reader, int(columns[key.reader][key.row])) for key in keys)
    return tuple(dict.fromkeys(cases))


def gather_evidence(
    nearest: Sequence[Case],
    builds: Sequence[BuildColumns],
    allowed: Sequence[Mask | None],
    own: Collection[Case] = (),
) -> tuple[LabelEvidence, ...]:
    """Return what stands out among the nearest cases, most surprising first, at most 10 labels.

    A case has a label if any of its allowed records has, both among the nearest and among all;
    `allowed` holds a mask bool (n,) for each build, None for all. The query's `own` cases count
    nowhere. Labels of fewer than two of the nearest cases are left out. The order is by how far
    `low` lies above the base rate; below it, a label is as common as chance may make it.
    """
    labels_of = _labels_of(nearest, builds, allowed)
    stating = [case for case in nearest if labels_of[case] is not None]
    holders: dict[str, list[Case]] = defaultdict(list)
    for case in stating:
        for label in labels_of[case] or ():
            holders[label].append(case)
    labels = sorted(label for label, cases in holders.items() if len(cases) >= MIN_CASES)
    rates = {
        reader: _rates(labels, builds[reader], allowed[reader], _codes(own, reader))
        for reader in sorted({case.reader for case in stating})
    }
    found = [
        _weigh(
            label,
            len(holders[label]),
            len(stating),
            sum(float(rates[case.reader][place]) for case in stating) / len(stating),
        )
        for place, label in enumerate(labels)
    ]
    found.sort(key=lambda one: (one.base_rate - one.low, one.label))
    return tuple(found[:MAX_LABELS])


def _weigh(label: str, cases: int, of: int, base_rate: float) -> LabelEvidence:
    low, high = wilson_interval(cases, of)
    sentence = (
        f"{cases} of the {of} nearest labelled cases: {label} (95 % interval {_percent(low)} to "
        f"{_percent(high)} %); {_percent(base_rate)} % of the cases searched are."
    )
    if low <= base_rate:
        sentence += " Chance alone may give that."
    return LabelEvidence(
        label=label,
        cases=cases,
        of=of,
        share=cases / of,
        low=low,
        high=high,
        base_rate=base_rate,
        sentence=sentence,
    )


def _percent(share: float) -> str:
    """Return a share as a number of percent, without rounding the rare to never."""
    if 0 < share < 0.01:
        return "under 1"
    if 0.99 < share < 1:
        return "over 99"
    return f"{100 * share:.0f}"


def _codes(cases: Collection[Case], reader: int) -> list[int]:
    return [case.code for case in cases if case.reader == reader]


def _labels_of(
    cases: Sequence[Case], builds: Sequence[BuildColumns], allowed: Sequence[Mask | None]
) -> Mapping[Case, set[str] | None]:
    """Return the labels of each case, None where its allowed records state nothing."""
    found: dict[Case, set[str] | None] = dict.fromkeys(cases)
    for reader in {case.reader for case in cases}:
        build, mask = builds[reader], allowed[reader]
        codes, tags = build.groups(_CASES).codes, build.tags(_TAGS)
        near = _flagged(np.array(_codes(cases, reader)), build)[codes]
        rows = np.flatnonzero(near if mask is None else near & mask)
        starts, ends = (np.searchsorted(tags.rows, rows, side) for side in ("left", "right"))
        flags = _abnormal(build, None)
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
            labels = {tags.values[code] for code in tags.codes[start:end] if code >= 0}
            flag = -1 if flags is None else int(flags[row])
            if flag == 1:
                labels.add(ABNORMAL)
            if labels or flag == 0:
                case = Case(reader, int(codes[row]))
                found[case] = (found[case] or set()) | labels
    return found


def _rates(
    labels: Sequence[str], build: BuildColumns, allowed: Mask | None, own: Sequence[int]
) -> npt.NDArray[np.float64]:
    """Return each label's share among the cases of a build that state any: float64 (labels,)."""
    cases, tags = build.groups(_CASES).codes, build.tags(_TAGS)
    stated = tags.codes >= 0 if allowed is None else (tags.codes >= 0) & allowed[tags.rows]
    stating = _flagged(cases[tags.rows[np.flatnonzero(stated)]], build)
    holding = np.zeros((len(labels), len(stating)), np.bool_)
    places = {label: place for place, label in enumerate(labels)}
    place_of = np.array([*(places.get(value, -1) for value in tags.values), -1], np.int32)
    held = np.flatnonzero(stated & (place_of >= 0)[tags.codes])
    holding[place_of[tags.codes[held]], cases[tags.rows[held]]] = True
    flags = _abnormal(build, allowed)
    if flags is not None:
        stating |= _flagged(cases[np.flatnonzero(flags >= 0)], build)
        if ABNORMAL in places:
            holding[places[ABNORMAL]] |= _flagged(cases[np.flatnonzero(flags == 1)], build)
    stating[own] = False
    holders = np.count_nonzero(holding & stating, axis=1)
    return np.asarray(holders / max(int(stating.sum()), 1), np.float64)


def _abnormal(build: BuildColumns, allowed: Mask | None) -> npt.NDArray[np.int8] | None:
    """Return the flags of the allowed records, -1 elsewhere; None if the build has no flags."""
    if ABNORMAL not in build.names:
        return None
    flags = build.flags(ABNORMAL)
    return flags if allowed is None else np.where(allowed, flags, np.int8(-1))


def _flagged(codes: npt.NDArray[np.integer[Any]], build: BuildColumns) -> Mask:
    """Return which of a build's cases are among some: bool (cases,)."""
    flags = np.zeros(len(build.groups(_CASES).sizes), np.bool_)
    flags[codes] = True
    return flags
