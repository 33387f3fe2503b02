"""A phrase under construction, and the scope of a denial: what NegEx and ConText decide by rule.

The language modules cut a sentence into words of known kinds (`indexer.text.english_words`) and
tell a `Clause` one after another; it hands back the sentence's statements.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from indexer.text.english_words import Kind
from indexer.text.statement import Side, Statement

Joint: TypeAlias = Literal["clause", "predicate", "comma", "and", "or"]


@dataclass(slots=True)
class _Phrase:
    """One finding in the making; `place` holds the words after "of", "in" ..."""

    negated: bool | None
    joint: Joint
    words: list[str] = field(default_factory=list)
    place: list[str] = field(default_factory=list)
    degrees: set[str] = field(default_factory=set)
    sides: set[Side] = field(default_factory=set)
    part: Literal["name", "place", "method"] = "name"

    def finish(self) -> Statement:
        side = self.sides.pop() if len(self.sides) == 1 else "bilateral" if self.sides else None
        return Statement(
            words=(*self.place, *self.words),
            degrees=frozenset(self.degrees),
            negated=self.negated,
            side=side,
        )


class Clause:
    """Takes the words of one sentence in their order and keeps who is denied."""

    def __init__(self, sizes: frozenset[str]) -> None:
        self._sizes = sizes
        self._done: list[_Phrase] = []
        self._negated: bool | None = False
        self._fresh = False  # a trigger was met, and nothing in its scope yet
        self._one_phrase = False  # the scope ends with the phrase ("absent flow void and ...")
        self._after_verb = False
        self._phrase = _Phrase(False, "clause")

    def tell(self, kind: Kind, word: str = "") -> None:
        """Take a word of a known kind; `word` matters for degrees alone."""
        side = _SIDES.get(kind)
        if side:
            self._phrase.sides.add(side)
        elif kind == "degree":
            self._size(word)
        elif kind != "skip":
            _ACTIONS[kind](self)
            self._after_verb = kind == "is"

    def tell_content(self, word: str) -> None:
        """Take a word of the finding itself, in its normal form."""
        phrase = self._phrase
        self._after_verb = self._fresh = False
        if phrase.part == "name":
            phrase.words.append(word)
        elif phrase.part == "place":
            phrase.place.append(word)

    def deny_phrase(self) -> None:
        """Deny the phrase that has begun, and it alone ("pain-free")."""
        self._phrase.negated = True
        self._scope(negated=False)

    def finish(self) -> list[Statement]:
        """Return the statements of the sentence."""
        self._close("clause")
        return [phrase.finish() for phrase in self._done]

    def _close(self, joint: Joint) -> None:
        """End the phrase; a side that stands alone belongs to the one before ("nodule, left")."""
        phrase = self._phrase
        if phrase.words:
            self._done.append(phrase)
        elif phrase.sides and self._done and phrase.joint != "clause":
            self._done[-1].sides |= phrase.sides
        elif not phrase.sides and not phrase.degrees:  # nothing in it yet: it serves again
            phrase.negated, phrase.joint = self._negated, joint
            return
        self._phrase = _Phrase(self._negated, joint)

    def _join(self, joint: Joint) -> None:
        """End the phrase; the next one belongs to the same list, if one has begun."""
        if joint != "or" and not self._phrase.words and self._phrase.joint == "predicate":
            self._scope(negated=False)  # "no nodule is seen, the liver ..."
        begun = self._phrase.words or self._phrase.joint != "clause"
        if begun and self._one_phrase and joint != "or":
            self._scope(negated=False)
        self._close(joint if begun else "clause")

    def _scope(self, *, negated: bool | None) -> None:
        """Begin a new scope; what stood before is out of it."""
        self._negated = negated
        self._one_phrase = False
        self._close("clause")
        self._fresh = negated is not False

    def _end_scope(self) -> None:
        """End a denial, unless nothing was denied yet ("does not show")."""
        self._scope(negated=self._negated if self._fresh else False)

    def _be(self) -> None:
        """Take a verb of being; a list's last phrase that has a verb of its own is not denied.

        "No effusion and the lungs are clear", but "no effusion or mass is seen".
        """
        phrase = self._phrase
        if phrase.words and phrase.negated is not False and phrase.joint in {"comma", "and"}:
            self._negated = phrase.negated = False
        self._close("predicate")

    def _deny_back(self, negated: bool | None) -> None:
        """Deny what stands before: the last phrase, and those that a list ties to it."""
        if not self._phrase.words and not self._after_verb:
            self._scope(negated=negated)
            self._one_phrase = True
            return
        self._close("clause")
        in_list = False
        for phrase in reversed(self._done):
            phrase.negated = negated
            in_list = in_list or phrase.joint in {"and", "or"}
            if phrase.joint in {"clause", "predicate"} or not in_list:
                break
        self._scope(negated=False)

    def _place(self) -> None:
        if self._phrase.words:
            self._phrase.part = "place"
        elif self._after_verb and self._done:
            self._phrase = self._done.pop()
            self._phrase.part = "place"

    def _method(self) -> None:
        self._place()
        if self._phrase.words:
            self._phrase.part = "method"

    def _size(self, word: str) -> None:
        phrase = self._phrase
        begins = not phrase.words and phrase.joint in {"comma", "and"}
        if begins and word in self._sizes and phrase.negated is not False:
            self._negated = phrase.negated = False
        if phrase.part == "name":
            phrase.degrees.add(word)


_SIDES: Mapping[Kind, Side] = {
    "left": "left",
    "right": "right",
    "bilateral": "bilateral",
    "unilateral": "unilateral",
}
_ACTIONS: Mapping[Kind, Callable[[Clause], None]] = {
    "denies": lambda clause: clause._scope(negated=True),
    "doubts": lambda clause: clause._scope(negated=None),
    "denied": lambda clause: clause._deny_back(True),
    "doubted": lambda clause: clause._deny_back(None),
    "skip_all": lambda clause: clause._end_scope(),
    "ends": lambda clause: clause._scope(negated=False),
    "shows": lambda clause: clause._end_scope(),
    "with": lambda clause: clause._end_scope(),
    "is": lambda clause: clause._be(),
    "and": lambda clause: clause._join("and"),
    "comma": lambda clause: clause._join("comma"),
    "or": lambda clause: clause._join("or"),
    "of": lambda clause: clause._place(),
    "on": lambda clause: clause._method(),
}
