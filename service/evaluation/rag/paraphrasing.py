"""Rewords examination questions by rules, so that the same can be asked in other words."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from indexer.records import Language

# Each rule keeps the meaning: another order, a synonym, an abbreviation, another way of asking.
# Written for this project; nothing is reworded that names a disease, a drug or a finding.
_RULES: Mapping[Language, tuple[tuple[re.Pattern[str], str], ...]] = MappingProxyType(
    {
        "en": tuple(
            (re.compile(pattern, re.IGNORECASE), words)
            for pattern, words in (
                (r"\ban? (\d+)-year-old (man|woman|boy|girl)\b", r"a \2 aged \1 years"),
                (r"\ban? (\d+)-year-old (male|female)\b", r"a \2 of \1 years"),
                (r"\bpresents (to [^.,;]{3,40}? )?with\b", r"comes \1because of"),
                (r"\bis brought to the emergency department\b", "arrives in the ER"),
                (r"\bthe emergency (department|room)\b", "the ER"),
                (r"\bphysical examination shows\b", "on examination there is"),
                (r"\bblood pressure\b", "BP"),
                (r"\bheart rate\b", "HR"),
                (r"\brespiratory rate\b", "RR"),
                (r"\bphysician\b", "doctor"),
                (r"\bmedications\b", "drugs"),
                (r"\bwhich of the following is the most likely\b", "what is the most probable"),
                (r"\bwhich of the following is the (most appropriate|best)\b", "what is the best"),
                (r"\bwhich of the following\b", "which of these"),
                (r"\bwhat is the patient's\b", "calculate this patient's"),
                (r"\bin terms of\b", "expressed in"),
                (r"\bbased on\b", "going by"),
            )
        ),
        "zh": tuple(
            (re.compile(pattern), words)
            for pattern, words in (
                (r"^([男女])(?:性)?，(\d+)岁", r"\2岁\1性"),
                (r"患者", "病人"),
                (r"查体", "体格检查"),
                (r"请问最有可能的诊断是什么", "最可能是什么病"),
                (r"最(?:有)?可能的诊断(?:是|为)", "诊断上首先考虑"),
                (r"(?:下列|以下)哪(?:一)?项", "下面哪一个"),
                (r"应首选", "首先应选"),
                (r"正确的是", "说法对的是"),
                (r"错误的是", "说法不对的是"),
            )
        ),
    }
)


def paraphrase(text: str, language: Language) -> str | None:
    """Return the text in other words; None if no rule changes it."""
    changed = text
    for pattern, words in _RULES[language]:
        changed = pattern.sub(words, changed)
    return None if changed == text else changed
