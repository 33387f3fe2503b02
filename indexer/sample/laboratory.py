"""Calculators of laboratory and bedside values, with patients drawn for them.

Formulas: Cockcroft DW, Gault MH, Nephron 1976;16:31-41. Corrected calcium: Payne RB et al, BMJ
1973;4:643-646 (0.8 mg/dL per g/dL of albumin below 4). QTc: Bazett HC, Heart 1920;7:353-370. MELD
with sodium: OPTN policy 9, 2016. Sodium at high glucose: Hillier TA et al, Am J Med
1999;106:399-403 (2.4 mEq/L per 100 mg/dL). FENa: Espinel CH, JAMA 1976;236:579-581.
"""

import math

from indexer.sample.calculation import (
    Calculation,
    Calculator,
    PatientDraw,
    decimal_answer,
    exact_answer,
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


def _clearance(patient: PatientDraw) -> Calculation:
    age, sex = patient.person(31, 88)
    weight = patient.number("weight", 48, 104, 1)
    creatinine = patient.number("creatinine", 0.7, 3.4, 1)
    value = cockcroft_gault(age, weight, creatinine, female=sex == "woman")
    factor = "0.85 (woman)" if sex == "woman" else "1 (man)"
    return decimal_answer(
        value,
        patient.slots,
        {"sex": _SEX_WORDS[sex], "age": (age, "years"), "weight": (weight, "kg"),
         "creatinine": (creatinine, "mg/dL")},
        f"Clearance is (140 - age) x weight x factor / (72 x creatinine). With age {age}, weight "
        f"{weight} kg, creatinine {creatinine} mg/dL and the factor {factor}, clearance in mL/min",
    )  # fmt: skip


def _arterial_pressure(patient: PatientDraw) -> Calculation:
    patient.person(19, 84)
    systolic = patient.number("systolic", 84, 178)
    diastolic = patient.number("diastolic", 42, 80)
    return decimal_answer(
        diastolic + (systolic - diastolic) / 3,
        patient.slots,
        {"Systolic Blood Pressure": (systolic, "mm hg"),
         "Diastolic Blood Pressure": (diastolic, "mm hg")},
        "Mean pressure is the diastolic pressure plus a third of the pulse pressure: "
        f"{diastolic} + ({systolic} - {diastolic}) / 3, in mm Hg",
    )  # fmt: skip


def _body_mass(patient: PatientDraw) -> Calculation:
    patient.person(16, 63)
    height = patient.number("height", 152, 191)
    weight = patient.number("weight", 44, 142, 1)
    return decimal_answer(
        weight / (height / 100) ** 2,
        patient.slots,
        {"weight": (weight, "kg"), "height": (height, "cm")},
        "The index is weight by the square of height in meters: "
        f"{weight} / ({height / 100})^2, in kg/m2",
    )


def _calcium(patient: PatientDraw) -> Calculation:
    patient.person(24, 87)
    calcium = patient.number("calcium", 6.9, 13.2, 1)
    albumin = patient.number("albumin", 1.6, 3.9, 1)
    return decimal_answer(
        calcium + 0.8 * (4 - albumin),
        patient.slots,
        {"Calcium": (calcium, "mg/dL"), "Albumin": (albumin, "g/dL")},
        f"For each g/dL of albumin below 4, 0.8 mg/dL are added: {calcium} + 0.8 x "
        f"(4 - {albumin}), in mg/dL",
    )  # fmt: skip


def _corrected_qt(patient: PatientDraw) -> Calculation:
    patient.person(17, 79)
    pulse = patient.number("pulse", 48, 118)
    qt = patient.number("qt", 320, 460)
    return decimal_answer(
        qt / math.sqrt(60 / pulse),
        patient.slots,
        {"Heart Rate or Pulse": (pulse, "beats per minute"), "QT interval": (qt, "msec")},
        "By Bazett the QT interval is divided by the square root of the RR interval in seconds, "
        f"which is 60 / {pulse}: {qt} / sqrt(60 / {pulse}), in msec",
    )


def _liver_score(patient: PatientDraw) -> Calculation:
    patient.person(34, 71)
    bilirubin = patient.number("bilirubin", 0.9, 16.5, 1)
    inr = patient.number("inr", 1.1, 3.2, 1)
    creatinine = patient.number("creatinine", 0.7, 4.4, 1)
    sodium = patient.number("sodium", 122, 141)
    score = meld_sodium(bilirubin, inr, creatinine, sodium)
    return exact_answer(
        str(score),
        patient.slots,
        {"Bilirubin": (bilirubin, "mg/dL"), "international normalized ratio": inr,
         "creatinine": (creatinine, "mg/dL"), "Sodium": (sodium, "mEq/L")},
        "First MELD(i) = 10 x (0.957 ln creatinine + 0.378 ln bilirubin + 1.120 ln INR + 0.643), "
        "with values below 1 set to 1 and creatinine to at most 4; above 11, sodium between 125 "
        f"and 137 enters. With bilirubin {bilirubin}, INR {inr}, creatinine {creatinine} and "
        f"sodium {sodium} the score is {score}.",
    )  # fmt: skip


def _corrected_sodium(patient: PatientDraw) -> Calculation:
    patient.person(29, 83)
    sodium = patient.number("sodium", 119, 139)
    glucose = patient.number("glucose", 280, 980)
    return decimal_answer(
        sodium + 0.024 * (glucose - 100),
        patient.slots,
        {"Sodium": (sodium, "mEq/L"), "Glucose": (glucose, "mg/dL")},
        f"Sodium rises by 0.024 mEq/L per mg/dL of glucose above 100: {sodium} + 0.024 x "
        f"({glucose} - 100), in mEq/L",
    )


def _osmolality(patient: PatientDraw) -> Calculation:
    patient.person(21, 66)
    sodium = patient.number("sodium", 118, 152)
    bun = patient.number("bun", 6, 41)
    glucose = patient.number("glucose", 74, 230)
    return decimal_answer(
        2 * sodium + bun / 2.8 + glucose / 18,
        patient.slots,
        {"Sodium": (sodium, "mEq/L"), "Blood Urea Nitrogen (BUN)": (bun, "mg/dL"),
         "Glucose": (glucose, "mg/dL")},
        f"Osmolality is 2 x sodium + BUN / 2.8 + glucose / 18: 2 x {sodium} + {bun} / 2.8 + "
        f"{glucose} / 18, in mOsm/kg",
    )  # fmt: skip


def _anion_gap(patient: PatientDraw) -> Calculation:
    patient.person(18, 77)
    sodium = patient.number("sodium", 128, 147)
    chloride = patient.number("chloride", 88, 113)
    bicarbonate = patient.number("bicarbonate", 6, 21)
    return decimal_answer(
        float(sodium - (chloride + bicarbonate)),
        patient.slots,
        {"Sodium": (sodium, "mEq/L"), "Chloride": (chloride, "mEq/L"),
         "Bicarbonate": (bicarbonate, "mEq/L")},
        f"The gap is sodium less chloride and bicarbonate: {sodium} - ({chloride} + "
        f"{bicarbonate}), in mEq/L",
    )  # fmt: skip


def _sodium_excretion(patient: PatientDraw) -> Calculation:
    patient.person(26, 82)
    sodium = patient.number("sodium", 129, 146)
    creatinine = patient.number("creatinine", 1.4, 5.8, 1)
    urine_sodium = patient.number("urine_sodium", 8, 84)
    urine_creatinine = patient.number("urine_creatinine", 32, 190)
    return decimal_answer(
        100 * urine_sodium * creatinine / (sodium * urine_creatinine),
        patient.slots,
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
