"""Whether what was found is better than chance, by what the builds know of chance.

A percentile says how a hit compares with pairs that have nothing to do with each other. A verdict
says whether the best of all hits compares with what queries find that have nothing to do with the
index; see `indexer.store.calibration`.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.store.calibration import Asked, Measured
from indexer.text.normalise import detect_language
from service.retrieval.columns import BuildColumns
from service.retrieval.drafting import Leg, Plan
from service.retrieval.fusion import Found, Key, Ranking, Score
from service.retrieval.hits import Place
from service.retrieval.late_interaction import SeriesLeg
from service.retrieval.legs import FEW_TEXTS, LEXICAL, Area, LexicalLeg
from service.retrieval.query import Match, Query, TextSource
from service.retrieval.spaces import Space

_IMAGE = "image"
_BY_SERIES: frozenset[str] = frozenset(get_args(Match))
_BY_PICTURE = _BY_SERIES | {_IMAGE}
_NOUNS = {_IMAGE: "pictures", "caption": "captions", "question": "questions"} | dict.fromkeys(
    _BY_SERIES, "series"
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """Whether anything found is better than chance; None where that cannot be said.

    `reason` says why nothing is, in words for the person who asked.
    """

    relevant: bool | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """The best that one ranking found in one index, and what it had to reach."""

    ranking: str
    score: float
    least: float
    looks_alike: bool

    @property
    def passes(self) -> bool:
        return self.looks_alike and self.score >= self.least


class Chance:
    """Compares what one query found with what chance finds in the same builds.

    `builds` are the readers' columns; only queries by picture need them. Series are judged as the
    pictures that they consist of: chance does not bring a mean over slices nearer than one of them.
    How similar unrelated series are nobody measured, so that they have no percentile.
    """

    def __init__(
        self,
        query: Query,
        plan: Plan,
        area: Area,
        builds: Sequence[BuildColumns] = (),
    ) -> None:
        self._query = query
        self._plan = plan
        self._area = area
        self._readers = area.readers
        self._builds = builds
        self._language = _language_of(query, plan)
        self._alike: dict[int, bool] = {}
        self._chances = {
            (leg.name, member): _chances(leg) for leg in plan.legs for member in leg.members
        }
        self._by_words = all(isinstance(one, TextSource) for one in query.sources)

    def scores(
        self, whys: Mapping[Key, Mapping[str, Place]], floor_of_words: float = math.inf
    ) -> dict[Key, dict[str, Score]]:
        """Return what records score by each ranking, of those that hold them and of deeper ones.

        How deep rankings are read depends on how many hits are wanted; what a hit compares with
        chance must not. Only words are not looked up again, unless hits must have a percentile
        that they may have by nothing else. `floor_of_words` is what records score at most that the
        ranking by words does not hold: 0 if it holds all that share a word.
        """
        scores = {
            key: {name: Score(place.score, place.field) for name, place in why.items()}
            for key, why in whys.items()
        }
        for leg in sorted(self._plan.legs, key=lambda leg: isinstance(leg, LexicalLeg)):
            lacking = [
                key for key, known in scores.items()
                if leg.name not in known and key.reader in leg.members
            ]  # fmt: skip
            if isinstance(leg, LexicalLeg):
                lacking = self._hang_on_words(lacking, scores, leg, floor_of_words)
            for key, score in leg.scores(self._area, lacking).items():
                scores[key][leg.name] = score
        return scores

    def _hang_on_words(
        self,
        keys: Sequence[Key],
        scores: Mapping[Key, Mapping[str, Score]],
        leg: LexicalLeg,
        floor: float,
    ) -> list[Key]:
        """Return which hits words alone decide over: those not shown otherwise, or unknown.

        A search among records that share few words, if any, reads all that hold one of them: so
        those that cannot score enough are left out, if they are few enough to cut their texts.
        """
        if self.shows_all:
            return []

        def may_matter(key: Key, most: float) -> bool:
            by_words = {leg.name: Score(most)}
            if most <= 0 or self.percentile(key, by_words) is None:
                return False
            known = self.percentile(key, scores[key]) is not None
            return not known or self.is_shown(key, {**scores[key], **by_words})

        open_ = [
            key for key in keys
            if self.percentile(key, scores[key]) is None or not self.is_shown(key, scores[key])
        ]  # fmt: skip
        left = [key for key in open_ if may_matter(key, floor)]
        if len(left) > FEW_TEXTS:
            return left
        most = leg.most(self._area, left)
        return [key for key in left if may_matter(key, min(floor, most[key]))]

    def percentile(self, key: Key, scores: Mapping[str, Score]) -> float | None:
        """Return the share of unrelated pairs that a hit beats in its best ranking, 0 to 100.

        None where the build was not calibrated, or had too few unrelated pairs to compare.
        """
        known = [
            measured.percentile(one.score)
            for name, one in scores.items()
            if name not in _BY_SERIES
            and (measured := self._measured(name, one.field, key.reader)) is not None
        ]
        return max((one for one in known if one is not None), default=None)

    def beats_chance(self, key: Key, scores: Mapping[str, Score]) -> bool | None:
        """Return whether a hit reaches in any ranking what chance hardly does; None if unknown."""
        known = [
            self._passes(name, key.reader, one.score, measured)
            for name, one in scores.items()
            if (measured := self._measured(name, one.field, key.reader)) is not None
        ]
        return any(known) if known else None

    @property
    def shows_all(self) -> bool:
        """Whether the query asks for no percentile, so that every hit is shown."""
        return self._query.min_percentile is None

    def is_shown(self, key: Key, scores: Mapping[str, Score]) -> bool:
        """Return whether a hit has the percentile that the query asks for, or none is known."""
        wanted = self._query.min_percentile
        reached = None if wanted is None else self.percentile(key, scores)
        return wanted is None or reached is None or reached >= wanted

    def is_exhausted(self, rankings: Sequence[Ranking]) -> bool:
        """Return whether nothing that these rankings have not reached can have the percentile."""
        if self._query.min_percentile is None:
            return False
        return not any(
            self.is_shown(Key(member, 0), {leg.name: Score(one.floor, _field_of(leg))})
            for leg, one in zip(self._plan.legs, rankings, strict=True)
            for member in leg.members
        )

    def judge(self, rankings: Sequence[Ranking], excluded: Collection[Key]) -> Relevance:
        """Return whether the best of any ranking is better than chance.

        `rankings` are those of the plan's legs, in their order. One that passes in one index is
        enough; where none does, an index that was not calibrated leaves the question open.
        """
        findings: list[_Finding] = []
        uncalibrated = False
        for leg, ranking in zip(self._plan.legs, rankings, strict=True):
            best = _best_by_reader(ranking.found, excluded)
            for member in leg.members:
                measured = self._measured(leg.name, _field_of(leg), member)
                if measured is None:
                    uncalibrated = uncalibrated or member in best
                elif member in best:
                    alike = self._looks_alike(leg.name, member)
                    least = measured.least_among(_chances(leg))
                    findings.append(_Finding(leg.name, best[member], least, alike))
        if any(finding.passes for finding in findings):
            return Relevance(True)
        if uncalibrated:
            return Relevance(None)
        return Relevance(False, " ".join(self._reasons(findings)))

    def _measured(self, ranking: str, field: str | None, position: int) -> Measured | None:
        """Return what is known of a ranking by a field of an index; None of it: by words."""
        calibration = self._readers[position].manifest.calibration
        if calibration is None:
            return None
        # CT slices by window are calibrated as further views of their image.
        asked_of = _IMAGE if field in WINDOW_FIELDS else field
        return calibration.of(self._asked(ranking), asked_of or ranking)

    def _asked(self, ranking: str) -> Asked:
        return "image" if ranking in _BY_PICTURE and not self._by_words else self._language

    def _passes(self, ranking: str, position: int, score: float, measured: Measured) -> bool:
        least = measured.least_among(self._chances.get((ranking, position), 1))
        return score >= least and self._looks_alike(ranking, position)

    def _looks_alike(self, ranking: str, position: int) -> bool:
        """Return whether any picture of the query looks like those of an index.

        Where it shows none (words, an indexed record, an embedding), nothing speaks against it.
        """
        if ranking not in _BY_PICTURE or not self._plan.looks:
            return True
        if position not in self._alike:
            self._alike[position] = self._compare_looks(position)
        return self._alike[position]

    def _compare_looks(self, position: int) -> bool:
        reader = self._readers[position]
        space, calibration = Space.of(reader, _IMAGE), reader.manifest.calibration
        looks = self._plan.looks.get(space, ()) if space else ()
        known = self._builds[position].looks if looks else None
        if known is None or calibration is None:
            return True
        apart = known.distances(np.array(looks))
        farthest = calibration.farthest_look
        return farthest is None or bool(apart.min() <= farthest)

    def _reasons(self, findings: Sequence[_Finding]) -> Iterator[str]:
        """Yield sentences that say what was missing, of each ranking where it came nearest."""
        if not findings:
            yield "Nothing was found."
            return
        yield "Nothing found is better than chance."
        strange = [one for one in findings if not one.looks_alike]
        if strange and not any(one.looks_alike for one in findings if one.ranking in _BY_PICTURE):
            yield "The picture looks like none that is indexed."
        nearest: dict[str, _Finding] = {}
        for one in findings:
            known = nearest.get(one.ranking)
            if one not in strange and (known is None or _share(one) > _share(known)):
                nearest[one.ranking] = one
        for name, one in nearest.items():
            if name == LEXICAL:
                yield (
                    f"The best text shares {_down(one.score)}% of the query's words, rare ones "
                    f"counting more; {_up(one.least)}% is needed."
                )
            elif name in _NOUNS:
                yield (
                    f"The nearest of the {_NOUNS[name]} has a cosine of "
                    f"{_down(one.score) / 100:.2f}; {_up(one.least) / 100:.2f} is needed."
                )
        if LEXICAL not in nearest and any(isinstance(leg, LexicalLeg) for leg in self._plan.legs):
            yield "None of the query's words occurs in what was searched."


def _field_of(leg: Leg) -> str | None:
    """Return the field in which a leg ranks embeddings; None of the leg that ranks by words."""
    return None if isinstance(leg, LexicalLeg) else leg.space.field


def _down(score: float) -> int:
    """Return hundredths, so that what falls short of a limit does not look equal to it."""
    return math.floor(100 * score)


def _up(least: float) -> int:
    return math.ceil(100 * least)


def _share(finding: _Finding) -> float:
    """Return how much of what it needed a finding reached."""
    return finding.score / max(finding.least, 1e-9)


def _best_by_reader(found: Sequence[Found], excluded: Collection[Key]) -> dict[int, float]:
    """Return the best score in each reader that has any.

    Not of the records that are best of all, among which those of a small index may not be.
    """
    best: dict[int, float] = {}
    for one in found:
        left = (
            score for row, score in zip(one.rows.tolist(), one.scores.tolist(), strict=True)
            if Key(one.reader, row) not in excluded
        )  # fmt: skip
        best[one.reader] = max(next(left, -math.inf), best.get(one.reader, -math.inf))
    return {reader: score for reader, score in best.items() if score > -math.inf}


def _chances(leg: Leg) -> int:
    """Return in how many searches a leg has the chance to find something."""
    return len(leg.members) * (leg.comparisons if isinstance(leg, SeriesLeg) else 1)


def _language_of(query: Query, plan: Plan) -> Asked:
    """Return the language of a query's words; of an indexed question, that of its own words."""
    words = [leg.text for leg in plan.legs if isinstance(leg, LexicalLeg)]
    words += [one.text for one in query.sources if isinstance(one, TextSource)]
    return detect_language("\n".join(words))
