"""Rankings become one: by score where scores mean the same, else by rank, or by a blend.

Measured with MiniLM and BM25 (R@1 on Medical Question Pairs, nDCG@10 on NFCorpus, their
development halves): dense alone .901, .291; words alone .758, .302; fused by rank with equal
weights .862, .325 and with words at a tenth .902, .304; blended .7 to .3 .908, .339. No weight
makes fusion by rank as good as the better ranking on both, because ranks hide how much better a
first place is than a second. Blending needs scores of known range, so that words are counted as
the share of the most that a text could reach; cf. Bruch, Gai and Ingber, ACM TOIS 42 (2023).

A cosine counts from what unrelated pairs of the index have, which its calibration knows. For
MiniLM that is .1, and changes .002 or less. For multilingual-e5-small (at 4 bits), which reads
Chinese here, it is .84 to .87: the same weights give .812 on Chinese COVID-19 question pairs (dense
alone .802, words .758; blended as they are .805). English is not its own: on Medical Question Pairs
it has .854, and no blend of both encoders with words more than .908.

Tried on the same halves without a clear gain, R@1 and nDCG@10 beside .908 and .336 (every record
ranked): scores scaled to each query's first thirty .902, .307; a bonus for the places in both
rankings .907, .336; words matched both ways (Jaccard, Dice or cosine of idf) .888 to .898, .295 to
.317; adjacent pairs of words .904, .338; letters by fours .906, .343; embeddings centred .907,
.323, or whitened .908, .334; the query turned towards the first three .907, .340; or encoded again
by its content words .899, .335, or by sentences .908. Words matched by MiniLM's word vectors give
.909, .339, by its token states .916 in place of words, at the price of encoding every candidate;
beside words, for half of the score, .911, .347; states of its other layers no more. Its states
pooled by idf, alone or beside the plain mean, give .884 and .896. Weights learnt from known items
(half of a record's words as the query) would give words all of the vote: such queries repeat what a
person would reword. Weights that follow how well words are covered, as for captions below, change
.002 or less. 250 lines of English names for one thing (renal and kidney, brand and drug, oedema and
edema), folded when building and asking: words .752, .307 (.756, .301), blended .907, .337. Cosines
less those to a record's own nearest (CSLS) give .915 there, .325 on NFCorpus; but where only second
questions are searched, .903 against .912: it finds out how that set was made.
"""

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from service.retrieval.hits import Measure, Place, ScoreKind

RRF_CONSTANT = 60
"""k of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009."""

# A guess is not worth a vote. Measured on 3,022 radiology images, half of them without captions: an
# image sought by its very caption is among the first ten for .67 of 120 with a whole vote, for .92
# with a quarter, for all with none. Ten first hits for names of classes show modality and body part
# for .72, .72 and .70, the label for .74, .72 and .68; .63, .46 and .31 of them have no caption.
_GUESSED_SHARE = 0.25

Fusion: TypeAlias = Literal["rrf", "blend"]


# Of texts that are blended before a fusion by rank (captions): how much of the blend goes to words
# for each share of the query that the best caption covers, and at most. Asked for 65 labels and 26
# places ("CT of the brain") among 3,022 images, P@10 of label / label's place / place, and R@10 of
# 200 long texts: dense .46 / .75 / .57, words .85 / .91 / .77; by ranks alone .65 / .88 / .69, .87;
# so .84 / .92 / .77, .96. With half of the captions removed .62 / .83 / .65, .60, and so .84 / .92
# / .78, .65; with all removed .68 / .86 / .73 if pictures have the vote of what is stated of them,
# and .76 / .94 / .82 with .4 of it. In other words than captions have ("cerebrum, magnetic
# resonance image"), where words alone have .27 / .41 / .15, by ranks .38 / .72 / .43, and so .45 /
# .72 / .35. Captions of ROCOv2, P@10 of 61 concepts by name / otherwise put: dense .68 / .27, words
# .69 / .23, so .72 / .27.
_WORDS_FOR_COVERED = 1.6
_MOST_FOR_WORDS = 0.8

# What is written of the records and covers the words knows better than pictures sought by them.
# Were these to give up nothing: .83 / .92 / .78, .93 above; .83 / .92 / .79, .66 without half of
# the captions; the same in other words.
_GIVEN_UP = 0.8


class Key(NamedTuple):
    """A record among several readers: the reader's position, then the record's row."""

    reader: int
    row: int


@dataclass(frozen=True, slots=True)
class Found:
    """What one reader found in one field: rows int64 (n,) and scores float32 (n,), best first."""

    reader: int
    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    field: str | None = None


class Score(NamedTuple):
    """What one record scores by one measure, and the field that matched, if there are several."""

    score: float
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Records ranked by one measure, best first; `weight` is its vote in a fusion.

    A record that is missing here would have scored `floor` at most. Unrelated records score about
    `chance`: a blend counts what is above that, as a share of what could be. `excused` holds
    records that this ranking could not hold, having nothing to rank: an image without caption,
    among captions.
    `fields` names the field that each record matched in, where a ranking compares several.
    `found` is what each reader found, before the best of all were taken.
    `of_texts` says that it compares what is written of the records. Where it compares words,
    `covered` is how much of the query's the best text holds, as a share of what a text could; the
    more, the less of its vote has a ranking that `gives_way`.
    """

    name: str
    measure: Measure
    weight: float
    keys: Sequence[Key]
    scores: Sequence[float]
    floor: float = 0.0
    chance: float = 0.0
    excused: Set[Key] = frozenset()
    fields: Mapping[Key, str] = field(default_factory=dict)
    found: Sequence[Found] = ()
    of_texts: bool = False
    covered: float | None = None
    gives_way: bool = False

    def place(self, key: Key, rank: int) -> Place:
        """Return where this ranking put the record of a rank."""
        return Place(rank, self.scores[rank - 1], self.fields.get(key))


class Fused(NamedTuple):
    """One record of a fused ranking."""

    key: Key
    score: float


@dataclass(frozen=True, slots=True)
class FusedRanking:
    """All ranked records, best first; `score_kind` says what their scores are."""

    fused: Sequence[Fused]
    score_kind: ScoreKind
    rankings: Sequence[Ranking]
    ranks: Sequence[Mapping[Key, int]]

    def why(self, key: Key) -> dict[str, Place]:
        """Return the place that each ranking gave a record."""
        return {
            ranking.name: ranking.place(key, rank)
            for ranking, ranks in zip(self.rankings, self.ranks, strict=True)
            if (rank := ranks.get(key)) is not None
        }


@dataclass(frozen=True, slots=True)
class Merged:
    """Records of several results, each once and best first; see `Ranking`."""

    keys: list[Key]
    scores: list[float]
    fields: dict[Key, str]


def merge_by_score(found: Sequence[Found], depth: int) -> Merged:
    """Merge results whose scores mean the same (one embedding space and metric), best first.

    A record that was found in several fields counts with its best score. Equal scores keep the
    order of readers, then of rows, then of results, so a merge is deterministic.
    """
    if not found:
        return Merged([], [], {})
    counts = [len(one.rows) for one in found]
    readers = np.repeat([one.reader for one in found], counts)
    rows = np.concatenate([one.rows for one in found])
    scores = np.concatenate([one.scores for one in found])
    sources = np.repeat(np.arange(len(found)), counts)
    order = np.lexsort((sources, rows, readers, -scores))
    if len({one.reader for one in found}) < len(found):
        pairs = np.stack([readers[order], rows[order]], axis=1)
        _, first = np.unique(pairs, axis=0, return_index=True)
        first.sort()
        order = order[first]
    order = order[:depth]
    keys = list(map(Key, readers[order].tolist(), rows[order].tolist()))
    names = [found[source].field for source in sources[order].tolist()]
    matched = {key: name for key, name in zip(keys, names, strict=True) if name is not None}
    return Merged(keys, scores[order].tolist(), matched)


def fuse(rankings: Sequence[Ranking], fusion: Fusion) -> FusedRanking:
    """Make one ranking of several.

    A ranking that stands alone keeps its own scores, even where it is empty, so that the kind of
    score follows from the question and not from what was found. Several are fused by rank (`rrf`:
    the sum of weight / (60 + rank) over the rankings that hold the record) or by score
    (`blend`: the weighted mean of scores above chance, where a ranking that lacks a record counts
    its floor). Before they are fused by rank, those of texts become one by their scores.
    Ties are broken by the best single place, then by key.
    """
    ranks = _places(rankings)
    if len(rankings) == 1:
        [only] = rankings
        alone = list(map(Fused, only.keys, only.scores))
        return FusedRanking(alone, only.measure, rankings, ranks)
    totals = _sum_by_rank(_votes(rankings)) if fusion == "rrf" else _mean_of_scores(rankings)
    best: dict[Key, int] = {}
    for ranked in ranks:
        for key, rank in ranked.items():
            if rank < best.get(key, rank + 1):
                best[key] = rank
    order = sorted(totals, key=lambda key: (-totals[key], best[key], key))
    return FusedRanking([Fused(key, totals[key]) for key in order], fusion, rankings, ranks)


class _Vote(NamedTuple):
    """What a fusion by rank needs to know of a ranking."""

    weight: float
    keys: Sequence[Key]
    excused: Set[Key]


def _places(rankings: Sequence[Ranking | _Vote]) -> list[dict[Key, int]]:
    return [dict(zip(one.keys, range(1, len(one.keys) + 1), strict=True)) for one in rankings]


def _votes(rankings: Sequence[Ranking]) -> list[_Vote]:
    """Return the votes of all rankings; those of texts are blended into one that has both's votes.

    Captions lie in one embedding space or another: each record counts with its cosine above chance
    in its own, and all spaces have one vote. Words that are found are worth much, words that nobody
    writes nothing: of their share, see `_WORDS_FOR_COVERED`.
    """
    texts = [one for one in rankings if one.of_texts]
    meant = [one for one in texts if one.covered is None]
    said = [one for one in texts if one.covered is not None]
    # Words that hardly count among texts take hardly anything from pictures.
    weight_of_words = min(1.0, _most(said) / _most(meant)) if meant else 1.0
    kept = 1 - _GIVEN_UP * _covered(said) * weight_of_words
    if len(texts) < 2:
        return [_vote(one, kept) for one in rankings]
    scores = _blend_texts(meant, said)
    keys = sorted(scores, key=lambda key: (-scores[key], key))
    excused = frozenset.intersection(*(frozenset(one.excused) for one in texts))
    others = [_vote(one, kept) for one in rankings if not one.of_texts]
    return [_Vote(_most(meant) + _most(said), keys, excused), *others]


def _vote(ranking: Ranking, kept: float) -> _Vote:
    """Return a ranking's own vote, or what it keeps of it."""
    weight = ranking.weight * kept if ranking.gives_way else ranking.weight
    return _Vote(weight, ranking.keys, ranking.excused)


def _blend_texts(meant: Sequence[Ranking], said: Sequence[Ranking]) -> dict[Key, float]:
    """Return the score of every record in the rankings by embeddings and by words."""
    floors = [(one.excused, _above_chance(one, one.floor)) for one in meant]
    lowest = min((floor for _, floor in floors), default=0.0)
    cosines: dict[Key, float] = {}
    for one in meant:
        for key, score in zip(one.keys, one.scores, strict=True):
            cosines[key] = max(_above_chance(one, score), cosines.get(key, -math.inf))
    words = {key: score for one in said for key, score in zip(one.keys, one.scores, strict=True)}
    share = _share_of_words(meant, said)
    floor_of_words = max((one.floor for one in said), default=0.0)

    def floor_of(key: Key) -> float:
        own = (floor for excused, floor in floors if key not in excused)
        return max(own, default=lowest)

    return {
        key: (1 - share) * (cosines[key] if key in cosines else floor_of(key))
        + share * words.get(key, floor_of_words)
        for key in cosines.keys() | words.keys()
    }


def _share_of_words(meant: Sequence[Ranking], said: Sequence[Ranking]) -> float:
    """Return how much of a blend goes to words, by how well they are covered and by the votes."""
    if not meant or not said:
        return float(not meant)
    share = min(_MOST_FOR_WORDS, _WORDS_FOR_COVERED * _covered(said))
    odds = share / (1 - share) * _most(said) / _most(meant)
    return odds / (1 + odds)


def _covered(said: Sequence[Ranking]) -> float:
    return max((one.covered or 0.0 for one in said), default=0.0)


def _most(rankings: Sequence[Ranking]) -> float:
    return max((one.weight for one in rankings), default=0.0)


def _above_chance(ranking: Ranking, score: float) -> float:
    return (score - ranking.chance) / (1 - ranking.chance)


def _sum_by_rank(votes: Sequence[_Vote]) -> dict[Key, float]:
    """Return the sum of reciprocal ranks; rankings that excuse a record guess its vote.

    The plain sum would put an image without caption, first among images, behind every captioned
    one in the first sixty. A ranking that excuses a record counts only if that helps the record;
    else it votes as the others do, with `_GUESSED_SHARE` of its weight.
    """
    totals: dict[Key, float] = {}
    ranks = _places(votes)
    for vote, placed in zip(votes, ranks, strict=True):
        for key, rank in placed.items():
            totals[key] = totals.get(key, 0.0) + vote.weight / (RRF_CONSTANT + rank)
    for key in totals.keys() & set().union(*(vote.excused for vote in votes)):
        totals[key] = _sum_with_guesses(key, votes, ranks)
    return totals


def _sum_with_guesses(
    key: Key, votes: Sequence[_Vote], ranks: Sequence[Mapping[Key, int]]
) -> float:
    """Return the sum of reciprocal ranks of a record that some of the rankings excuse."""
    everything = sum(vote.weight for vote in votes)
    owed = given = 0.0
    favours: list[tuple[float, float]] = []
    for vote, placed in zip(votes, ranks, strict=True):
        share = 1 / (RRF_CONSTANT + placed[key]) if key in placed else 0.0
        if key not in vote.excused:
            owed += vote.weight
            given += vote.weight * share
        elif share:
            favours.append((share, vote.weight))
    for share, weight in favours:
        if share * owed >= given:
            owed += weight
            given += weight * share
    return given / owed * (owed + _GUESSED_SHARE * (everything - owed))


def _mean_of_scores(rankings: Sequence[Ranking]) -> dict[Key, float]:
    weights = sum(ranking.weight for ranking in rankings)
    shares = [ranking.weight / weights / (1 - ranking.chance) for ranking in rankings]
    base = sum(
        share * (ranking.floor - ranking.chance)
        for ranking, share in zip(rankings, shares, strict=True)
    )
    totals: dict[Key, float] = {}
    for ranking, share in zip(rankings, shares, strict=True):
        for key, score in zip(ranking.keys, ranking.scores, strict=True):
            totals[key] = totals.get(key, base) + share * (score - ranking.floor)
    return totals
