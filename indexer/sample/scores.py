"""Risk scores and dates of pregnancy, with patients drawn for them.

CHA2DS2-VASc: Lip GYH et al, Chest 2010;137:263-272. Wells' criteria for pulmonary embolism: Wells
PS et al, Thromb Haemost 2000;83:416-420. CURB-65: Lim WS et al, Thorax 2003;58:377-382, urea
above 7 mmol/L being BUN above 19 mg/dL. Naegele's rule: 280 days from the last period, shifted
by the cycle's difference from 28 days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from indexer.sample.calculation import (
    Calculation,
    Calculator,
    Entity,
    PatientDraw,
    exact_answer,
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
    Criterion("Previously Documented Pulmonary Embolism", "a pulmonary embolism four years ago",
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
    told = [f"Recorded: {_list_words(there, 'and')}."] if there else []
    return " ".join([*told, *([f"No {_list_words(gone, 'or')}."] if gone else [])])


def _sum(criteria: Sequence[Criterion], held: Sequence[bool]) -> float:
    return sum(c.points for c, is_met in zip(criteria, held, strict=True) if is_met)


def _points_text(criteria: Sequence[Criterion], held: Sequence[bool]) -> str:
    met = [c for c, is_met in zip(criteria, held, strict=True) if is_met]
    return "".join(f" {c.name}: {c.points:g}." for c in met)


def _entities(criteria: Sequence[Criterion], held: Sequence[bool]) -> dict[str, Entity]:
    return {c.name: is_met for c, is_met in zip(criteria, held, strict=True)}


def _stroke_risk(patient: PatientDraw) -> Calculation:
    age, sex = patient.person(48, 91)
    held = [patient.chance(0.45) for _ in STROKE_RISKS]
    for_age = 2 if age >= 75 else 1 if age >= 65 else 0
    score = int(_sum(STROKE_RISKS, held)) + for_age + (sex == "woman")
    return exact_answer(
        str(score),
        patient.slots | {"history": _tell(STROKE_RISKS, held)},
        {"sex": "Female" if sex == "woman" else "Male", "age": (age, "years")}
        | _entities(STROKE_RISKS, held),
        f"Age {age}: {for_age}. Female sex: {int(sex == 'woman')}."
        f"{_points_text(STROKE_RISKS, held)} The score is {score}.",
    )


def _embolism(patient: PatientDraw) -> Calculation:
    patient.person(27, 81)
    pulse = patient.number("pulse", 72, 131)
    held = [patient.chance(0.35) for _ in EMBOLISM_SIGNS]
    for_pulse = _FAST_PULSE_POINTS if pulse > 100 else 0
    score = _sum(EMBOLISM_SIGNS, held) + for_pulse
    return exact_answer(
        f"{score:g}",
        patient.slots | {"evidence": _tell(EMBOLISM_SIGNS, held)},
        {"Heart Rate or Pulse": (pulse, "beats per minute")} | _entities(EMBOLISM_SIGNS, held),
        f"Heart rate {pulse}, above 100 or not: {for_pulse:g}."
        f"{_points_text(EMBOLISM_SIGNS, held)} The score is {score:g}.",
    )


def _pneumonia(patient: PatientDraw) -> Calculation:
    age, _ = patient.person(38, 92)
    confused = patient.chance(0.4)
    breaths, bun = patient.number("breaths", 16, 38), patient.number("bun", 8, 46)
    systolic, diastolic = patient.number("systolic", 82, 148), patient.number("diastolic", 44, 72)
    low = systolic < 90 or diastolic <= 60
    points = (confused, bun > 19, breaths >= 30, low, age >= 65)
    orientation = "New confusion about place and time." if confused else "Fully oriented."
    return exact_answer(
        str(sum(points)),
        patient.slots | {"evidence": orientation},
        {
            "age": (age, "years"),
            "Confusion": confused,
            "respiratory rate": (breaths, "breaths per minute"),
            "Blood Urea Nitrogen (BUN)": (bun, "mg/dL"),
            "Systolic Blood Pressure": (systolic, "mm hg"),
            "Diastolic Blood Pressure": (diastolic, "mm hg"),
        },
        "One point each for confusion, BUN above 19 mg/dL, 30 or more breaths a minute, systolic "
        "pressure below 90 or diastolic of 60 or less, and age of 65 or more: "
        f"{' + '.join(str(int(point)) for point in points)} = {sum(points)}.",
    )


def _due_date(patient: PatientDraw) -> Calculation:
    patient.person(19, 42)
    period, cycle = _draw_date(patient), int(patient.number("cycle", 25, 33))
    term = period + timedelta(days=_TERM_DAYS)
    shift = cycle - _USUAL_CYCLE_DAYS
    due = (term + timedelta(days=shift)).strftime(_DATE)
    started = period.strftime(_DATE)
    return exact_answer(
        due,
        patient.slots | {"period": started},
        {"cycle length": cycle, "Last menstrual date": started},
        f"40 weeks after {started} is {term.strftime(_DATE)}. The cycle of {cycle} days differs "
        f"by {shift:+d} days from 28, so the due date is {due}.",
    )


def _gestational_age(patient: PatientDraw) -> Calculation:
    patient.person(18, 43)
    period, days = _draw_date(patient), int(patient.number("days", 36, 260))
    weeks, rest = divmod(days, 7)
    today = (period + timedelta(days=days)).strftime(_DATE)
    started = period.strftime(_DATE)
    answer = (f"{weeks} week{'s' * (weeks != 1)}", f"{rest} day{'s' * (rest != 1)}")
    return exact_answer(
        str(answer),
        patient.slots | {"period": started, "today": today},
        {"Current Date": today, "Last menstrual date": started},
        f"From {started} to {today} there are {days} days, which are {weeks} x 7 + {rest}: "
        f"{answer[0]} and {answer[1]}.",
    )


def _draw_date(patient: PatientDraw) -> date:
    return date(2017, 1, 1) + timedelta(days=int(patient.number("day", 0, 2400)))


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
