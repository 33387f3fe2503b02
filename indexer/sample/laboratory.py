"""Calculators of laboratory and bedside values, with patients drawn for them.

Formulas: Cockcroft DW, Gault MH, Nephron 1976;16:31-41. Corrected calcium: Payne RB et al, BMJ
1973;4:643-646 (0.8 mg/dL per g/dL of albumin below 4). QTc: Bazett HC, Heart 1920;7:353-370. MELD
with sodium: OPTN policy 9, 2016. Sodium at high glucose: Hillier TA et al, Am J Med
1999;106:399-403 (2.4 mEq/L per 100 mg/dL). FENa: Espinel CH, JAMA 1976;236:579-581.
"""

import math

import numpy as np

from indexer.sample.calculation import (
    Calculation,
    Calculator,
    decimal_answer,
    draw_number,
    draw_sex,
    exact_answer,
    text_of,
)

_SEX_WORDS = {"woman": "Female", "man": "Male"}


def cockcroft_gault(
    age: float, weight_kg: float, creatinine_mg_dl: float, *, female: bool
) -> float:
    """Return creatinine clearance in mL/min."""
    return (140 - age) * weight_kg * (0.85 if female else 1.0) / (72 * creatinine_mg_dl)


def meld_sodium(bilirubin: float, inr: float, creatinine: float, sodium: float) -> int:
    """Return the MELD score with sodium; bilirubin and creatinine in mg/dL, sodium in mEq/L.

    Values below 1 count as 1, creatinine at most 4, sodium between 125 and 137.
    """
    creatinine = min(max(creatinine, 1.0), 4.0)
    raw = (
        0.957 * math.log(creatinine)
        + 0.378 * math.log(max(bilirubin, 1.0))
        + 1.120 * math.log(max(inr, 1.0))
        + 0.643
    )
    score = round(raw, 1) * 10
    if score > 11:
        gap = 137 - min(max(sodium, 125.0), 137.0)
        score += 1.32 * gap - 0.033 * score * gap
    return min(round(score), 40)


def _clearance(rng: np.random.Generator) -> Calculation:
    sex, age = draw_sex(rng), draw_number(rng, 31, 88)
    weight, creatinine = draw_number(rng, 48, 104, 1), draw_number(rng, 0.7, 3.4, 1)
    value = cockcroft_gault(age, weight, creatinine, female=sex == "woman")
    factor = "0.85 (woman)" if sex == "woman" else "1 (man)"
    return decimal_answer(
        value,
        {"age": text_of(age), "sex": sex, "weight": text_of(weight),
         "creatinine": text_of(creatinine)},
        {"sex": _SEX_WORDS[sex], "age": (age, "years"), "weight": (weight, "kg"),
         "creatinine": (creatinine, "mg/dL")},
        f"Clearance is (140 - age) x weight x factor / (72 x creatinine). With age {age}, weight "
        f"{weight} kg, creatinine {creatinine} mg/dL and the factor {factor}, clearance in mL/min",
    )  # fmt: skip


def _arterial_pressure(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 19, 84), draw_sex(rng)
    systolic, diastolic = draw_number(rng, 84, 178), draw_number(rng, 42, 80)
    return decimal_answer(
        diastolic + (systolic - diastolic) / 3,
        {"age": text_of(age), "sex": sex, "systolic": text_of(systolic),
         "diastolic": text_of(diastolic)},
        {"Systolic Blood Pressure": (systolic, "mm hg"),
         "Diastolic Blood Pressure": (diastolic, "mm hg")},
        "Mean pressure is the diastolic pressure plus a third of the pulse pressure: "
        f"{diastolic} + ({systolic} - {diastolic}) / 3, in mm Hg",
    )  # fmt: skip


def _body_mass(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 16, 63), draw_sex(rng)
    height, weight = draw_number(rng, 152, 191), draw_number(rng, 44, 142, 1)
    return decimal_answer(
        weight / (height / 100) ** 2,
        {"age": text_of(age), "sex": sex, "height": text_of(height), "weight": text_of(weight)},
        {"weight": (weight, "kg"), "height": (height, "cm")},
        "The index is weight by the square of height in meters: "
        f"{weight} / ({height / 100})^2, in kg/m2",
    )


def _calcium(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 24, 87), draw_sex(rng)
    calcium, albumin = draw_number(rng, 6.9, 13.2, 1), draw_number(rng, 1.6, 3.9, 1)
    return decimal_answer(
        calcium + 0.8 * (4 - albumin),
        {"age": text_of(age), "sex": sex, "calcium": text_of(calcium),
         "albumin": text_of(albumin)},
        {"Calcium": (calcium, "mg/dL"), "Albumin": (albumin, "g/dL")},
        f"For each g/dL of albumin below 4, 0.8 mg/dL are added: {calcium} + 0.8 x "
        f"(4 - {albumin}), in mg/dL",
    )  # fmt: skip


def _corrected_qt(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 17, 79), draw_sex(rng)
    pulse, qt = draw_number(rng, 48, 118), draw_number(rng, 320, 460)
    return decimal_answer(
        qt / math.sqrt(60 / pulse),
        {"age": text_of(age), "sex": sex, "pulse": text_of(pulse), "qt": text_of(qt)},
        {"Heart Rate or Pulse": (pulse, "beats per minute"), "QT interval": (qt, "msec")},
        "By Bazett the QT interval is divided by the square root of the RR interval in seconds, "
        f"which is 60 / {pulse}: {qt} / sqrt(60 / {pulse}), in msec",
    )


def _liver_score(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 34, 71), draw_sex(rng)
    bilirubin, inr = draw_number(rng, 0.9, 16.5, 1), draw_number(rng, 1.1, 3.2, 1)
    creatinine, sodium = draw_number(rng, 0.7, 4.4, 1), draw_number(rng, 122, 141)
    score = meld_sodium(bilirubin, inr, creatinine, sodium)
    return exact_answer(
        str(score),
        {"age": text_of(age), "sex": sex, "bilirubin": text_of(bilirubin), "inr": text_of(inr),
         "creatinine": text_of(creatinine), "sodium": text_of(sodium)},
        {"Bilirubin": (bilirubin, "mg/dL"), "international normalized ratio": inr,
         "creatinine": (creatinine, "mg/dL"), "Sodium": (sodium, "mEq/L")},
        "First MELD(i) = 10 x (0.957 ln creatinine + 0.378 ln bilirubin + 1.120 ln INR + 0.643), "
        "with values below 1 set to 1 and creatinine to at most 4; above 11, sodium between 125 "
        f"and 137 enters. With bilirubin {bilirubin}, INR {inr}, creatinine {creatinine} and "
        f"sodium {sodium} the score is {score}.",
    )  # fmt: skip


def _corrected_sodium(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 29, 83), draw_sex(rng)
    sodium, glucose = draw_number(rng, 119, 139), draw_number(rng, 280, 980)
    return decimal_answer(
        sodium + 0.024 * (glucose - 100),
        {"age": text_of(age), "sex": sex, "sodium": text_of(sodium), "glucose": text_of(glucose)},
        {"Sodium": (sodium, "mEq/L"), "Glucose": (glucose, "mg/dL")},
        f"Sodium rises by 0.024 mEq/L per mg/dL of glucose above 100: {sodium} + 0.024 x "
        f"({glucose} - 100), in mEq/L",
    )


def _osmolality(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 21, 66), draw_sex(rng)
    sodium, bun = draw_number(rng, 118, 152), draw_number(rng, 6, 41)
    glucose = draw_number(rng, 74, 230)
    return decimal_answer(
        2 * sodium + bun / 2.8 + glucose / 18,
        {"age": text_of(age), "sex": sex, "sodium": text_of(sodium), "bun": text_of(bun),
         "glucose": text_of(glucose)},
        {"Sodium": (sodium, "mEq/L"), "Blood Urea Nitrogen (BUN)": (bun, "mg/dL"),
         "Glucose": (glucose, "mg/dL")},
        f"Osmolality is 2 x sodium + BUN / 2.8 + glucose / 18: 2 x {sodium} + {bun} / 2.8 + "
        f"{glucose} / 18, in mOsm/kg",
    )  # fmt: skip


def _anion_gap(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 18, 77), draw_sex(rng)
    sodium, chloride = draw_number(rng, 128, 147), draw_number(rng, 88, 113)
    bicarbonate = draw_number(rng, 6, 21)
    return decimal_answer(
        float(sodium - (chloride + bicarbonate)),
        {"age": text_of(age), "sex": sex, "sodium": text_of(sodium), "chloride": text_of(chloride),
         "bicarbonate": text_of(bicarbonate)},
        {"Sodium": (sodium, "mEq/L"), "Chloride": (chloride, "mEq/L"),
         "Bicarbonate": (bicarbonate, "mEq/L")},
        f"The gap is sodium less chloride and bicarbonate: {sodium} - ({chloride} + "
        f"{bicarbonate}), in mEq/L",
    )  # fmt: skip


def _sodium_excretion(rng: np.random.Generator) -> Calculation:
    age, sex = draw_number(rng, 26, 82), draw_sex(rng)
    sodium, creatinine = draw_number(rng, 129, 146), draw_number(rng, 1.4, 5.8, 1)
    urine_sodium, urine_creatinine = draw_number(rng, 8, 84), draw_number(rng, 32, 190)
    return decimal_answer(
        100 * urine_sodium * creatinine / (sodium * urine_creatinine),
        {"age": text_of(age), "sex": sex, "sodium": text_of(sodium),
         "creatinine": text_of(creatinine), "urine_sodium": text_of(urine_sodium),
         "urine_creatinine": text_of(urine_creatinine)},
        {"Sodium": (sodium, "mEq/L"), "creatinine": (creatinine, "mg/dL"),
         "Urine sodium": (urine_sodium, "mEq/L"),
         "Urine creatinine": (urine_creatinine, "mg/dL")},
        "The fraction is urine sodium x serum creatinine / (serum sodium x urine creatinine): "
        f"100 x {urine_sodium} x {creatinine} / ({sodium} x {urine_creatinine}), in percent",
    )  # fmt: skip


LABORATORY = (
    Calculator(
        number=2, name="Creatinine Clearance (Cockcroft-Gault Equation)", category="lab",
        output_type="decimal", draw=_clearance,
        question="Estimate the creatinine clearance in mL/min by Cockcroft and Gault, with the "
        "patient's actual body weight.",
    ),
    Calculator(
        number=5, name="Mean Arterial Pressure (MAP)", category="physical", output_type="decimal",
        draw=_arterial_pressure, question="How high is the mean arterial pressure in mm Hg?",
    ),
    Calculator(
        number=6, name="Body Mass Index (BMI)", category="physical", output_type="decimal",
        draw=_body_mass, question="Calculate the body mass index of this patient in kg/m2.",
    ),
    Calculator(
        number=7, name="Calcium Correction for Hypoalbuminemia", category="lab",
        output_type="decimal", draw=_calcium,
        question="What is the calcium in mg/dL once it is corrected for albumin, taking 4 g/dL "
        "as normal?",
    ),
    Calculator(
        number=11, name="QTc Bazett Calculator", category="physical", output_type="decimal",
        draw=_corrected_qt, question="Correct the QT interval for the heart rate by Bazett's "
        "formula; answer in msec.",
    ),
    Calculator(
        number=23, name="MELD Na (UNOS/OPTN)", category="severity", output_type="integer",
        draw=_liver_score, question="Which MELD score, sodium included, does this patient have?",
    ),
    Calculator(
        number=26, name="Sodium Correction for Hyperglycemia", category="lab",
        output_type="decimal", draw=_corrected_sodium,
        question="Correct the sodium concentration for the high glucose; answer in mEq/L.",
    ),
    Calculator(
        number=30, name="Serum Osmolality", category="lab", output_type="decimal",
        draw=_osmolality, question="Calculate the serum osmolality in mOsm/kg.",
    ),
    Calculator(
        number=39, name="Anion Gap", category="lab", output_type="decimal", draw=_anion_gap,
        question="How large is the anion gap in mEq/L, without potassium?",
    ),
    Calculator(
        number=40, name="Fractional Excretion of Sodium (FENa)", category="lab",
        output_type="decimal", draw=_sodium_excretion,
        question="Which percentage of the filtered sodium is excreted (FENa)?",
    ),
)  # fmt: skip
