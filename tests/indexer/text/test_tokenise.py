import csv
import math
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.tokenise import tokenise, weigh
from indexer.text.traditional import PAIRS, TO_SIMPLIFIED


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Fractures of the Radius", ["fractur", "radius"]),
        ("x-rays", ["xray", "x", "ray"]),
        ("COVID-19", ["covid19", "covid", "19"]),
        ("COVID\u201119", ["covid19", "covid", "19"]),
        ("covid19", ["covid19"]),
        ("CHA2DS2-VASc", ["cha2ds2vasc", "cha2ds2", "vasc"]),
        ("IL-6", ["il6", "il", "6"]),
        ("Crohn's / Crohn\u2019s", ["crohn", "crohn"]),
        ("don't", ["dont"]),
        ("Sjögren, Ménière", ["sjogren", "menier"]),
        ("1,200 mg/dL at 38.1°C", ["1200", "mg", "dl", "38.1", "c"]),
        ("6-8 or 6–8", ["6", "8", "6", "8"]),
        ("ＣＴ ﬁbrosis", ["ct", "fibrosi"]),
        ("β-blocker", ["βblocker", "β", "blocker"]),
        ("snake_case", ["snake", "case"]),
        ("肺炎", ["肺", "肺炎", "炎"]),
        ("肺", ["肺"]),
        ("肺CT检查", ["肺", "ct", "检", "检查", "查"]),
        ("什么是肺炎", ["哪些", "是肺", "肺", "肺炎", "炎"]),
        ("", []),
        (" ,。!\n", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokenise(text) == tokens


@pytest.mark.parametrize(("one", "other"), [
    ("脊椎側彎矯正手術", "脊椎侧弯矫正手术"),
    ("心臟超音波檢查", "心脏超音波检查"),
    ("肺炎怎麼醫治？", "肺炎如何治疗"),
    ("FRACTURE", "fractures"),
    ("cafe\u0301", "CAFÉ"),
    ("10\u2079/L", "10⁹ l"),
])  # fmt: skip
def test_writings_of_one_thing_meet(one: str, other: str) -> None:
    assert tokenise(one) == tokenise(other)


def test_function_words_alone_are_kept() -> None:
    assert tokenise("What is it?") == ["what", "is", "it"]
    assert tokenise("是吧") == ["是", "是吧", "吧"]
    assert tokenise("what is gout") == ["gout"]


def test_weights_are_how_often_a_token_is_said_and_a_wording_counts_thrice() -> None:
    assert weigh("gout, gout or fever") == {"gout": 2.0, "fever": 1.0}
    assert weigh("怎么治疗痛风") == {"如何": 3.0, "治疗": 3.0, "痛": 1.0, "痛风": 1.0, "风": 1.0}
    assert weigh("怎么如何") == {"如何": 6.0}
    assert weigh("") == {}


@given(st.text())
def test_every_token_has_a_weight(text: str) -> None:
    assert list(weigh(text)) == list(dict.fromkeys(tokenise(text)))
    assert sum(weigh(text).values()) >= len(tokenise(text))


@given(st.text())
def test_tokens_hold_no_space_and_depend_on_the_text_alone(text: str) -> None:
    tokens = tokenise(text)
    assert tokens == tokenise(text)
    assert all(token and len(token.split()) == 1 for token in tokens)


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.text(max_size=20))
def test_a_line_break_separates_like_a_space(one: str, other: str) -> None:
    content = "gout "  # or else function words alone might be kept in one of the two
    assert tokenise(f"{content}{one}\n{other}") == tokenise(f"{content}{one} {other}")


def test_the_table_of_traditional_characters_is_sound() -> None:
    assert len(PAIRS) == 2 * len(TO_SIMPLIFIED)
    simplified = set(TO_SIMPLIFIED.values())
    assert not simplified & {chr(code) for code in TO_SIMPLIFIED}
    assert all(len(character) == 1 for character in simplified)


def mean_reciprocal_rank(pairs: list[tuple[str, str]], documents: list[str]) -> float:
    """Rank documents by BM25 (k1 1.2, b .75) for each first text; find its second among them."""
    tokens = [tokenise(document) for document in documents]
    postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, document in enumerate(tokens):
        for token, count in Counter(document).items():
            postings[token].append((number, count))
    mean_length = sum(map(len, tokens)) / len(tokens)
    places = {document: number for number, document in enumerate(documents)}
    total = 0.0
    for asked, wanted in pairs:
        scores: Counter[int] = Counter()
        for token, weight in weigh(asked).items():
            found = postings.get(token, [])
            rarity = math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for number, count in found:
                length = len(tokens[number]) / mean_length
                saturation = count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length))
                scores[number] += weight * rarity * saturation
        del scores[places[asked]]
        best = scores[places[wanted]]
        if best > 0:
            total += 1 / (1 + sum(score > best for score in scores.values()))
    return total / len(pairs)


@pytest.mark.realdata
def test_reworded_english_questions_are_found(realdata_dir: Path) -> None:
    with (realdata_dir / "relevance/mqp/mqp.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    documents = list(dict.fromkeys(text for row in rows for text in row[1:3]))
    pairs = [(row[1], row[2]) for row in rows if row[3] == "1"]
    assert mean_reciprocal_rank(pairs, documents) > 0.82


@pytest.mark.realdata
def test_reworded_chinese_questions_are_found(realdata_dir: Path) -> None:
    path = realdata_dir / "relevance/ncov_sentence_pair/train_20200228.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(islice(csv.DictReader(stream), 2000))
    documents = list(dict.fromkeys(row[name] for row in rows for name in ("query1", "query2")))
    pairs = [(row["query2"], row["query1"]) for row in rows if row["label"] == "1"]
    assert mean_reciprocal_rank(pairs[::3], documents) > 0.6
