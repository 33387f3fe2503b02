"""What a text affirms, denies and places; and whether a text contradicts what is wanted.

A light rule layer in the spirit of NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009),
English and Chinese. It errs towards silence: where phrases do not clearly name one finding,
nothing contradicts.

medspaCy's ConText (1.3.1) was weighed and not kept: it needs spaCy and numpy below 2 (284 MB, and
numpy 2 is pinned here), English alone, no sides, a list of findings to look for; 7.4 ms of
processor a caption of 338 characters against .08 here. negspaCy needs a spaCy model for entities.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from indexer.text.chinese_statements import read_chinese
from indexer.text.chinese_words import CHINESE
from indexer.text.english_statements import forms_of, read_english
from indexer.text.english_words import ENGLISH, WITH_CONTRAST, WITHOUT_CONTRAST, Kind
from indexer.text.statement import Beside, Side, Statement, is_kind_of, is_same_finding, speaks_of
from indexer.text.tokenise import fold

__all__ = ["Side", "Statement", "Wish", "contradicts", "read_statements"]

MOST_STATEMENTS = 32
"""How many statements of a query are held against texts."""

_SENTENCE_ENDS = re.compile(r"[!?;\n\u3002\u2022]+|\.(?!\d)|\s-\s")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_OPPOSITES = frozenset({("left", "right"), ("right", "left"),
                        ("unilateral", "bilateral"), ("bilateral", "unilateral")})  # fmt: skip
# Names so general that their denial speaks of the organ at hand only: "lungs: no abnormality".
_VAGUE = frozenset(
    [(name,) for name in ("abnorm", "find", "chang", "diseas", "symptom", "complaint", "problem")]
    + [tuple(name) for name in ("异常", "病变", "疾病", "不适", "改变", "问题")]
)
# Where a sentence says so of one side, its findings may lie on the other.
_APART = re.compile(
    r"\b(?:normal|clear|unremarkable|intact|absent|preserved|other|opposite|contralateral|unlike|"
    r"compared|comparison|than|replacement|prosthes\w+|amputat\w+|\w+ectomy|transplant\w*|blind|"
    r"history|previous\w*|prior|since|after|status post)\b"
)
_CONTRAST_HINT = re.compile("contrast|enhanced|gado")
_WITHOUT_CONTRAST = re.compile(WITHOUT_CONTRAST)
_WITH_CONTRAST = re.compile(WITH_CONTRAST)


def read_statements(text: str) -> tuple[Statement, ...]:
    """Return what a text states of findings and places, in its order."""
    sentences = _SENTENCE_ENDS.split(fold(text))
    return tuple(one for sentence in sentences for one in _read(sentence))


def contradicts(wanted: Sequence[Statement], stated: Sequence[Statement]) -> bool:
    """Tell whether a text states the opposite of anything that is wanted.

    The opposite of a finding is its denial, of a denied finding the finding, of a finding on the
    left the same on the right only. A finding that the text does not mention, leaves open, or
    states elsewhere as wanted contradicts nothing.
    """
    return any(_is_contradicted(one, stated) for one in wanted if one.negated is not None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a query states, ready to be held against many texts.

    `mention` is in every sentence that could speak of it, `opposite` in one of those that could
    contradict it (None: any of them could). `places` says that another sentence may name the place.
    """

    wanted: tuple[Statement, ...]
    mention: re.Pattern[str]
    opposite: re.Pattern[str] | None
    places: bool = False

    @staticmethod
    def of(text: str) -> "Wish | None":
        """Read a query; None if it states nothing that a text could contradict.

        Of a query of page length only the first `MOST_STATEMENTS` count: a document contradicts
        somewhere almost everything, and holding all of it against many texts would take seconds.
        """
        stated = (one for one in read_statements(text) if one.negated is not None)
        wanted = tuple(islice(stated, MOST_STATEMENTS))
        if not wanted:
            return None
        places = frozenset().union(*map(_place, wanted))
        names = places.union(one.name for one in wanted)
        mention = re.compile("|".join(sorted(map(_beginning, names))))
        if any(one.negated for one in wanted):
            return Wish(wanted, mention, None, bool(places))
        sided = any(one.side for one in wanted)
        return Wish(wanted, mention, _DENIAL_OR_SIDE if sided else _DENIAL, bool(places))

    def is_contradicted_by(self, text: str) -> bool:
        """Tell what `contradicts` tells of the whole text; reads only sentences that matter."""
        folded = fold(text)
        if not self.mention.search(folded):
            return False
        about = [one for one in _SENTENCE_ENDS.split(folded) if self.mention.search(one)]
        # First those sentences that could contradict: most do not, and the rest need no reading.
        suspects = about if self.opposite is None else list(filter(self.opposite.search, about))
        if not suspects:
            return False
        stated = [one for sentence in suspects for one in _read(sentence)]
        found = contradicts(self.wanted, stated)
        if len(suspects) == len(about) or not (found or self.places):
            return found
        others = (sentence for sentence in about if sentence not in suspects)
        return contradicts(self.wanted, [*stated, *(one for each in others for one in _read(each))])


def _read(sentence: str) -> list[Statement]:
    """Return what a folded sentence states; ways to say that contrast was given become one."""
    if _HAN.search(sentence):
        return read_chinese(sentence)
    if _CONTRAST_HINT.search(sentence):
        sentence = _WITHOUT_CONTRAST.sub(" without contrast , ", sentence)
        sentence = _WITH_CONTRAST.sub(" with contrast , ", sentence)
    stated = read_english(sentence)
    return stated if _APART.search(sentence) else _beside_one_place(stated)


def _beside_one_place(stated: list[Statement]) -> list[Statement]:
    """Let what is stated behind the one sided place of a sentence say that it is."""
    sided = [number for number, one in enumerate(stated) if one.side]
    if len(sided) != 1 or stated[sided[0]].negated is not False:
        return stated
    first = stated[sided[0]]
    place = Beside(frozenset(first.words), first.side)
    return [
        replace(one, beside=place) if number > sided[0] else one
        for number, one in enumerate(stated)
    ]


def _is_contradicted(wanted: Statement, stated: Sequence[Statement]) -> bool:
    name = wanted.name
    same = [one for one in stated if one.name == name and is_same_finding(wanted, one)]
    if _is_elsewhere(wanted, stated):
        return True
    if not any(_oppose(wanted, one) for one in same):
        return False
    if not wanted.negated and any(_speaks_for(one, wanted) for one in stated):
        return False
    return not any(_agree(wanted, one) for one in same)


def _place(wanted: Statement) -> frozenset[str]:
    """Return the words that say where a finding is wanted, of one that is wanted on a side.

    None of Chinese: where a word ends is not known.
    """
    sided = wanted.side in {"left", "right"} and not wanted.negated
    return frozenset(wanted.words[:-1] if sided and not _HAN.match(wanted.name) else ())


def _is_elsewhere(wanted: Statement, stated: Sequence[Statement]) -> bool:
    """Tell whether a text shows only the other side of the place, and such a finding with it.

    As "the right wrist: fracture of the radius" does, for a fracture of the left wrist. Nothing may
    be said of the wanted side.
    """
    place = _place(wanted)
    found = [one for one in stated if one.name == wanted.name and one.negated is False]
    if not place or not found or any(one.side in {wanted.side, "bilateral"} for one in stated):
        return False
    return all(
        one.beside is not None
        and place <= one.beside.words
        and (wanted.side, one.beside.side) in _OPPOSITES
        for one in found
    )


def _agree(wanted: Statement, stated: Statement) -> bool:
    """Tell whether a statement of the same finding leaves the wanted one true.

    A denial is met only by one that denies as much: "no pericardial effusion" is not "no effusion".
    """
    if stated.negated is None:
        return True
    if stated.negated != wanted.negated or (wanted.side, stated.side) in _OPPOSITES:
        return False
    return not wanted.negated or is_kind_of(wanted, stated)


def _speaks_for(stated: Statement, wanted: Statement) -> bool:
    """Tell whether a text has the wanted finding in some other phrase: "uptake in the lesion".

    For a wanted side it is enough that the thing is named on it: "left ventricle ratio".
    """
    if stated.negated or (wanted.side and stated.side != wanted.side):
        return False
    return speaks_of(stated, wanted) or bool(wanted.side and wanted.name in stated.words)


def _oppose(wanted: Statement, stated: Statement) -> bool:
    if stated.negated and stated.words in _VAGUE and stated.words != wanted.words:
        return False
    if wanted.negated == stated.negated:
        return not wanted.negated and (wanted.side, stated.side) in _OPPOSITES
    denied, affirmed = (wanted, stated) if wanted.negated else (stated, wanted)
    return denied.side in {None, "bilateral"} or affirmed.side in {denied.side, "bilateral"}


def _beginning(name: str) -> str:
    """Return a pattern of the words of a stem: its beginning, but for a last e or i (staging)."""
    if _HAN.match(name):
        return name
    if name == "contrast":
        return _CONTRAST_HINT.pattern
    forms = (form[:-1] if len(form) > 2 and form[-1] in "ei" else form for form in forms_of(name))
    return rf"\b(?:{'|'.join(map(re.escape, forms))})"


def _any_of(*kinds: Kind) -> re.Pattern[str]:
    """Return a pattern that finds whatever could be a word of these kinds, and little else."""
    english = {phrase.split()[0] for kind in kinds for phrase in ENGLISH[kind].split("|")}
    chinese = {phrase.strip() for kind in kinds for phrase in CHINESE[kind].split("|")}
    return re.compile(
        rf"\b{_one_of(english)}\b|n't\b|-free\b|{_CONTRAST_HINT.pattern}|{_one_of(chinese)}"
    )


def _one_of(words: set[str]) -> str:
    """Return a pattern of some words; where none begins, a look at one letter says so."""
    beginnings = "".join(sorted({word[0] for word in words}))
    return f"(?=[{beginnings}])(?:{'|'.join(map(re.escape, sorted(words)))})"


_DENIAL = _any_of("denies", "denied")
_DENIAL_OR_SIDE = _any_of("denies", "denied", "left", "right", "bilateral", "unilateral")
