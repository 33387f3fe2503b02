"""Risk scores and dates of pregnancy, with patients drawn for them.

CHA2DS2-VASc: Lip GYH et al, Chest 2010;137:263-272. Wells' criteria for pulmonary embolism: Wells
PS et al, Thromb Haemost 2000;83:416-420. CURB-65: Lim WS et al, Thorax 2003;58:377-382, urea
above 7 mmol/L being BUN above 19 mg/dL. Naegele's rule: 280 days from the last period, shifted
by the cycle's difference from 28 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from indexer.sample.calculation import (
    Calculation,
    Calculator,
    draw_number,
    draw_sex,
    exact_answer,
    text_of,
)

_TERM_DAYS = 280
_USUAL_CYCLE_DAYS = 28
_DATE = "%m/%d/%Y"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item of a score: its name in the table, words for a note with and without it, points."""

    name: str
    present: str
    absent: str
    points: float


STROKE_RISKS = (
    Criterion("Congestive Heart Failure", "heart failure", "heart failure", 1),
    Criterion("Hypertension history", "hypertension", "hypertension", 1),
    Criterion("Stroke", "a previous stroke", "stroke or transient ischemic attack", 2),
    Criterion("Vascular disease history", "an old myocardial infarction", "vascular disease", 1),
    Criterion("Diabetes history", "diabetes", "diabetes", 1),
)
EMBOLISM_SIGNS = (
    Criterion("Clinical signs and symptoms of Deep Vein Thrombosis",
              "swelling and tenderness along the deep veins of one calf",
              "swelling of a leg", 3),
    Criterion("Pulmonary Embolism is #1 diagnosis OR equally likely",
              "no diagnosis more likely than pulmonary embolism",
              "", 3),
    Criterion("Immobilization for at least 3 days", "bed rest for the past five days",
              "immobilization", 1.5),
    Criterion("Previously Documented Pulmonary Embolism", "an embolism four years ago",
              "previous thrombosis or embolism", 1.5),
    Criterion("Hemoptysis", "blood-stained sputum", "hemoptysis", 1),
    Criterion("Malignancy with treatment within 6 months or palliative",
              "chemotherapy for colon cancer last month", "cancer", 1),
)  # fmt: skip
_FAST_PULSE_POINTS = 1.5


def _list_words(words: Sequence[str], last: str) -> str:
    """Return "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _tell(criteria: Sequence[Criterion], held: Sequence[bool]) -> str:
    """Return sentences that state which criteria are met and which are not."""
    there = [c.present for c, is_met in zip(criteria, held, strict=True) if is_met]
    gone = [c.absent for c, is_met in zip(criteria, held, strict=True) if not is_met and c.absent]
    told = f"There is {_list_words(there, 'and')}. " if there else ""
    return told + (f"There is no {_list_words(gone, 'or')}." if gone else "")


def _sum(criteria: Sequence[Criterion], held: Sequence[bool]) -> float:
    return sum(c.points for c, is_met in zip(criteria, held, strict=True) if is_met)


def _points_text(criteria: Sequence[Criterion], held: Sequence[bool]) -> str:
    met = [c for c, is_met in zip(criteria, held, strict=True) if is_met]
    return "".join(f" {c.name}: {c.points:g}." for c in met)


def _stroke_risk(rng: np.random.Generator) -> Calculation:
    age, sex = int(draw_number(rng, 48, 91)), draw_sex(rng)
    held = [bool(rng.random() < 0.45) for _ in STROKE_RISKS]
    for_age = 2 if age >= 75 else 1 if age >= 65 else 0
    score = int(_sum(STROKE_RISKS, held)) + for_age + (sex == "woman")
    return exact_answer(
        str(score),
        {"age": text_of(age), "sex": sex, "history": _tell(STROKE_RISKS, held)},
        {"sex": "Female" if sex == "woman" else "Male", "age": (age, "years")}
        | {c.name: is_met for c, is_met in zip(STROKE_RISKS, held, strict=True)},
        f"Age {age}: {for_age}. Female sex: {int(sex == 'woman')}."
        f"{_points_text(STROKE_RISKS, held)} The score is {score}.",
    )


def _embolism(rng: np.random.Generator) -> Calculation:
    age, sex, pulse = draw_number(rng, 27, 81), draw_sex(rng), draw_number(rng, 72, 131)
    held = [bool(rng.random() < 0.35) for _ in EMBOLISM_SIGNS]
    fast = pulse > 100
    score = _sum(EMBOLISM_SIGNS, held) + (_FAST_PULSE_POINTS if fast else 0)
    return exact_answer(
        f"{score:g}",
        {"age": text_of(age), "sex": sex, "pulse": text_of(pulse),
         "evidence": _tell(EMBOLISM_SIGNS, held)},
        {"Heart Rate or Pulse": (pulse, "beats per minute")}
        | {c.name: is_met for c, is_met in zip(EMBOLISM_SIGNS, held, strict=True)},
        f"Heart rate {pulse}, above 100 or not: {_FAST_PULSE_POINTS if fast else 0:g}."
        f"{_points_text(EMBOLISM_SIGNS, held)} The score is {score:g}.",
    )  # fmt: skip


def _pneumonia(rng: np.random.Generator) -> Calculation:
    age, sex, confused = draw_number(rng, 38, 92), draw_sex(rng), bool(rng.random() < 0.4)
    breaths, bun = draw_number(rng, 16, 38), draw_number(rng, 8, 46)
    systolic, diastolic = draw_number(rng, 78, 148), draw_number(rng, 44, 74)
    low = systolic < 90 or diastolic <= 60
    points = (confused, bun > 19, breaths >= 30, low, age >= 65)
    return exact_answer(
        str(sum(points)),
        {"age": text_of(age), "sex": sex, "breaths": text_of(breaths), "bun": text_of(bun),
         "systolic": text_of(systolic), "diastolic": text_of(diastolic),
         "evidence": "New confusion about place and time." if confused else "Fully oriented."},
        {"age": (age, "years"), "Confusion": confused,
         "respiratory rate": (breaths, "breaths per minute"),
         "Blood Urea Nitrogen (BUN)": (bun, "mg/dL"),
         "Systolic Blood Pressure": (systolic, "mm hg"),
         "Diastolic Blood Pressure": (diastolic, "mm hg")},
        "One point each for confusion, BUN above 19 mg/dL, 30 or more breaths a minute, systolic "
        "pressure below 90 or diastolic of 60 or less, and age of 65 or more: "
        f"{' + '.join(str(int(point)) for point in points)} = {sum(points)}.",
    )  # fmt: skip


def _draw_date(rng: np.random.Generator) -> date:
    return date(2017, 1, 1) + timedelta(days=int(rng.integers(0, 2400)))


def _due_date(rng: np.random.Generator) -> Calculation:
    period, age = _draw_date(rng), draw_number(rng, 19, 42)
    cycle = int(rng.choice([25, 26, 27, 29, 30, 31, 33]))
    due = period + timedelta(days=_TERM_DAYS + cycle - _USUAL_CYCLE_DAYS)
    started = period.strftime(_DATE)
    return exact_answer(
        due.strftime(_DATE),
        {"age": text_of(age), "period": started, "cycle": text_of(cycle)},
        {"cycle length": cycle, "Last menstrual date": started},
        f"40 weeks after {started} is {(period + timedelta(days=_TERM_DAYS)).strftime(_DATE)}. The "
        f"cycle of {cycle} days differs by {cycle - _USUAL_CYCLE_DAYS:+d} days from 28, so the due "
        f"date is {due.strftime(_DATE)}.",
    )


def _gestational_age(rng: np.random.Generator) -> Calculation:
    period, age = _draw_date(rng), draw_number(rng, 18, 43)
    days = int(rng.integers(36, 260))
    weeks, rest = divmod(days, 7)
    today = (period + timedelta(days=days)).strftime(_DATE)
    started = period.strftime(_DATE)
    answer = (f"{weeks} week{'s' * (weeks != 1)}", f"{rest} day{'s' * (rest != 1)}")
    return exact_answer(
        str(answer),
        {"age": text_of(age), "period": started, "today": today},
        {"Current Date": today, "Last menstrual date": started},
        f"From {started} to {today} there are {days} days, which are {weeks} x 7 + {rest}: "
        f"{answer[0]} and {answer[1]}.",
    )


SCORES = (
    Calculator(
        number=4, name="CHA2DS2-VASc Score for Atrial Fibrillation Stroke Risk", category="risk",
        output_type="integer", draw=_stroke_risk,
        question="How many points does this patient have in the CHA2DS2-VASc score?",
    ),
    Calculator(
        number=8, name="Wells' Criteria for Pulmonary Embolism", category="risk",
        output_type="decimal", draw=_embolism,
        question="Add up Wells' criteria for pulmonary embolism for this patient.",
    ),
    Calculator(
        number=13, name="Estimated Due Date", category="date", output_type="date", draw=_due_date,
        question="When is the child due by Naegele's rule, allowing for the length of the cycle? "
        "Answer as MM/DD/YYYY.",
    ),
    Calculator(
        number=45, name="CURB-65 Score for Pneumonia Severity", category="risk",
        output_type="integer", draw=_pneumonia,
        question="Determine the CURB-65 score of this patient with pneumonia.",
    ),
    Calculator(
        number=69, name="Estimated Gestational Age", category="date", output_type="date",
        draw=_gestational_age,
        question="How old is this pregnancy, counted from the last menstrual period? Answer as a "
        "tuple of weeks and days.",
    ),
)  # fmt: skip
