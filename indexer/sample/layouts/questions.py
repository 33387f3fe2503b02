"""MedQA, JMED and medical-o1: questions as JSON lines and JSON lists, in English and Chinese."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.sample.tally import Tally, write_lines
from indexer.sample.texts import read_texts

_LETTERS = "ABCDEFGHIJKLMNOPQRSTU"
_FOUR = 4


def write_medqa(root: Path, seed: int) -> Tally:
    """Write US questions with five and four options, Mainland and Taiwan ones; a broken line."""
    rng = np.random.default_rng([seed, 137])
    tally = Tally()
    home = root / "data_clean" / "questions"
    us = [_us_row(entry) for entry in read_texts("medqa_us")]
    chinese = read_texts("medqa_zh")
    mainland = [_choice_row(entry, entry["source"]) for entry in chinese["Mainland"]]
    taiwan = [_choice_row(entry, "taiwanese_test_Q") for entry in chinese["Taiwan"]]
    for region, rows in (("US", us), ("Mainland", mainland), ("Taiwan", taiwan)):
        for split, part in _split(rows).items():
            write_lines(home / region / f"{split}.jsonl", map(_line, part))
        tally.records += len(rows)
    for split, part in _split(us).items():
        four = [_with_four_options(row, rng) for row in part]
        name = f"phrases_no_exclude_{split}.jsonl"
        write_lines(home / "US" / "4_options" / name, map(_line, four))
        tally.duplicates += len(four)
    broken = home / "Mainland" / "train.jsonl"
    lines = broken.read_text(encoding="utf-8").splitlines()
    write_lines(broken, [*lines, lines[0][: len(lines[0]) // 2]])
    tally.expect_reject(
        broken.relative_to(root).as_posix(),
        "bad_row",
        "a line that ends in the middle",
        line=len(lines) + 1,
    )
    return tally


def write_jmed(root: Path, seed: int) -> Tally:
    """Write vignettes with 5 to 21 options, some letters lacking; one answer has no option."""
    rng = np.random.default_rng([seed, 139])
    texts = read_texts("jmed")
    rows = []
    for number, case in enumerate(texts["cases"]):
        count = (5, 9, 21)[number % 3]
        rows.append(_jmed_row(number, case, texts["ask"], texts["other"], count, rng))
    bad = dict(rows[0]) | {"id": "900000000000000-99-diagnose-option", "answer": ["Z"]}
    write_lines(root / "JMED.jsonl", map(_line, [*rows, bad]))
    tally = Tally(records=len(rows))
    tally.expect_reject(
        "JMED.jsonl", "bad_row", "an answer that is none of the options", line=len(rows) + 1
    )
    return tally


def write_medical_o1_sft(root: Path, seed: int) -> Tally:
    """Write both languages; thoughts are missing once and tagged once, a response is null once.

    The texts do not depend on the seed.
    """
    del seed
    tally = Tally()
    for name, texts in (("medical_o1_sft.json", "medical_o1_en"),
                        ("medical_o1_sft_Chinese.json", "medical_o1_zh")):  # fmt: skip
        entries = read_texts(texts)
        rows = [
            {"Question": e["question"], "Complex_CoT": e["thoughts"], "Response": e["response"]}
            for e in entries
        ]
        rows[1]["Complex_CoT"] = None
        tagged = f"<think>\n{rows[2]['Complex_CoT']}\n</think>\n\n{rows[2]['Response']}"
        rows[2] |= {"Complex_CoT": "", "Response": tagged}
        tally.records += len(rows)
        if texts == "medical_o1_en":
            rows.append(
                {"Question": "What was never answered?", "Complex_CoT": "", "Response": None}
            )
        text = json.dumps(rows, ensure_ascii=False, indent=2)
        write_lines(root / name, [text])
    line = _line_of_last_entry((root / "medical_o1_sft.json").read_text(encoding="utf-8"))
    tally.expect_reject("medical_o1_sft.json", "bad_row", "a response that is null", line=line)
    return tally


def _line_of_last_entry(text: str) -> int:
    """Return the number of the line on which the last object of the list begins."""
    return max(i for i, line in enumerate(text.splitlines(), start=1) if line == "  {")


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _split(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return train, dev and test parts: of six rows four, one and one."""
    parts: dict[str, list[dict[str, Any]]] = {"train": [], "dev": [], "test": []}
    for i, row in enumerate(rows):
        parts["dev" if i % 6 == 4 else "test" if i % 6 == 5 else "train"].append(row)
    return parts


def _us_row(entry: dict[str, Any]) -> dict[str, Any]:
    return _choice_row(entry, entry["step"])


def _choice_row(entry: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a row of MedQA: options by letter, the answer as text and as letter."""
    options = dict(zip(_LETTERS, entry["options"], strict=False))
    return {
        "question": entry["question"],
        "answer": entry["options"][entry["answer"]],
        "options": options,
        "meta_info": source,
        "answer_idx": _LETTERS[entry["answer"]],
    }


def _with_four_options(row: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return the row with one wrong option left out, lettered anew."""
    wrong = [text for text in row["options"].values() if text != row["answer"]]
    left_out = wrong[int(rng.integers(len(wrong)))]
    kept = [text for text in row["options"].values() if text != left_out]
    phrases = [part.strip() for part in row["question"].rstrip("?").split(",") if part.strip()]
    return {
        "question": row["question"],
        "answer": row["answer"],
        "options": dict(zip(_LETTERS[:_FOUR], kept, strict=True)),
        "meta_info": row["meta_info"],
        "answer_idx": _LETTERS[kept.index(row["answer"])],
        "metamap_phrases": phrases,
    }


def _jmed_row(
    number: int,
    case: dict[str, Any],
    ask: str,
    others: Sequence[str],
    count: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return a row of JMED with `count` options; one letter lacks where there are many."""
    strange = [name for name in others if name not in (*case["answer"], *case["near"])]
    pool = [*case["answer"], *case["near"], *strange]
    chosen = pool[: min(count, len(pool))]
    letters = [letter for letter in _LETTERS if count != 9 or letter != "D"][: len(chosen)]
    shuffled = [chosen[i] for i in rng.permutation(len(chosen))]
    options = dict(zip(letters, shuffled, strict=True))
    right = sorted(letter for letter, text in options.items() if text in case["answer"])
    question = (
        f"\n患者年龄：{case['age']}\n患者性别：{case['sex']}\n"
        f"患者病情摘要：{case['summary']}\n\n{ask}\n"
    )
    return {
        "id": f"{900_000_000_000_001 + 37 * number}-{number}-diagnose-option",
        "question": question,
        "options": options,
        "answer": right,
    }
