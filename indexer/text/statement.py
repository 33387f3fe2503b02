"""What a text says of one finding or place: there or not there, and on which side."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

Side: TypeAlias = Literal["left", "right", "bilateral", "unilateral"]

_FIRST_HAN = "\u3400"


class Beside(NamedTuple):
    """The place, and its side, that a sentence showed before: "right wrist: ..." ."""

    words: frozenset[str]
    side: Side | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One finding, or one place, as a text speaks of it.

    `words` are its content words in normal form (English: stems; Chinese: characters), the word
    that names it last: "fracture of the left femur" gives ("femur", "fractur"). `degrees` are
    words of size and course, which say how much and not what. `negated` is None where the text
    leaves it open ("possible", "to rule out", 待排). `beside` is what the sentence showed before.
    """

    words: tuple[str, ...]
    degrees: frozenset[str] = frozenset()
    negated: bool | None = False
    side: Side | None = None
    beside: Beside | None = None

    @property
    def name(self) -> str:
        """The word that names the finding; of Chinese the last character."""
        return self.words[-1]


def is_kind_of(special: Statement, general: Statement) -> bool:
    """Tell whether the one finding is the other or a kind of it: pleural effusion, effusion.

    English phrases name the thing last and may say more of it before; so do Chinese ones, whose
    words are not cut apart: there the shorter must be the end of the longer, or its last two
    characters must be while what stands before is said before (肺结节: 肺上叶毛刺状结节).
    """
    if special.name != general.name:
        return False
    if general.name >= _FIRST_HAN:
        place, name = general.words[:-2], general.words[-2:]
        where = "".join(special.words[:-2])
        return special.words[-len(general.words) :] == general.words or (
            bool(place) and special.words[-2:] == name and "".join(place) in where
        )
    return all(word in special.words for word in general.words)


def speaks_of(stated: Statement, wanted: Statement) -> bool:
    """Tell whether a statement has a finding in it, be it as the place of another: its margin."""
    if wanted.name >= _FIRST_HAN:
        return "".join(wanted.words) in "".join(stated.words)
    return set(wanted.words) <= set(stated.words)


def is_same_finding(one: Statement, other: Statement) -> bool:
    """Tell whether two statements speak of the same finding, either perhaps more precisely.

    Two degrees that differ make two findings: a small effusion is not what "no large effusion"
    denies.
    """
    if one.degrees and other.degrees and not one.degrees & other.degrees:
        return False
    return is_kind_of(one, other) or is_kind_of(other, one)
