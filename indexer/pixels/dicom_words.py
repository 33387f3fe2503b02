"""The plain words of records for DICOM's coded ones: modality codes and body parts."""

from typing import Final

MODALITY_NAMES: Final = {
    "CT": "CT",
    "MR": "MRI",
    "CR": "X-ray",
    "DX": "X-ray",
    "RG": "X-ray",
    "IO": "X-ray",
    "PX": "X-ray",
    "MG": "mammography",
    "RF": "fluoroscopy",
    "XA": "angiography",
    "US": "ultrasound",
    "IVUS": "ultrasound",
    "PT": "PET",
    "NM": "nuclear medicine",
    "OCT": "OCT",
    "IVOCT": "OCT",
}
"""Names of defined terms of Modality (0008,0060), PS3.3 C.7.3.1.1.1."""

_REGION_WORDS: Final = {
    "head": "BRAIN FACE HEAD HEADNECK IAC JAW MANDIBLE MAXILLA ORBIT ORBITS PITUITARY SELLA "
    "SINUS SINUSES SKULL TMJ",
    "neck": "LARYNX NECK PAROTID PHARYNX THYROID",
    "chest": "BRONCHUS CHEST CHESTABDOMEN CHESTABDPELVIS CORONARY CORONARYARTERY ESOPHAGUS HEART "
    "LUNG LUNGS MEDIASTINUM RIB RIBS STERNUM THORACIC THORAX TRACHEA",
    "abdomen": "ABD ABDOMEN ABDOMENPELVIS ABDOMINAL ADRENAL BILE BOWEL COLON DUODENUM GALLBLADDER "
    "KIDNEY KIDNEYS LIVER PANCREAS RENAL SPLEEN STOMACH",
    "pelvis": "BLADDER CERVIX OVARY PELVIC PELVIS PROSTATE RECTUM UTERUS",
    "spine": "CERVICAL COCCYX CSPINE CTSPINE LSPINE LSSPINE LUMBAR SACRUM SPINE SSPINE TLSPINE "
    "TSPINE",
    "breast": "BREAST",
    "shoulder": "ACJOINT CLAVICLE SCAPULA SHOULDER SHOULDERS",
    "humerus": "HUMERUS",
    "elbow": "ELBOW",
    "forearm": "FOREARM RADIUS ULNA",
    "wrist": "WRIST WRISTS",
    "hand": "HAND HANDS",
    "finger": "FINGER FINGERS THUMB",
    "hip": "HIP HIPS",
    "femur": "FEMUR THIGH",
    "knee": "KNEE KNEES PATELLA",
    "lower leg": "CALF FIBULA LEG LEGS TIBIA TIBIAFIBULA",
    "ankle": "ANKLE",
    "foot": "CALCANEUS FEET FOOT TFOOT TOE TOES",
}
_REGION_OF_WORD: Final = {
    word: region for region, words in _REGION_WORDS.items() for word in words.split()
}
_TRUNK: Final = frozenset({"head", "neck", "chest", "abdomen", "pelvis", "spine"})


def modality_name(code: str | None) -> str | None:
    """Return the plain name of a modality code; the code itself if it is rare, None for OT."""
    if code is None or code == "OT":
        return None
    return MODALITY_NAMES.get(code, code)


def body_region(body_part: str | None) -> str | None:
    """Return the region of a Body Part Examined: `LUNG` and `CHEST ABDOMEN` lie in the chest.

    Words of PS3.16 annex L that name no region of this list come back in lower case.
    """
    if body_part is None:
        return None
    found = [_REGION_OF_WORD[word] for word in body_part.split() if word in _REGION_OF_WORD]
    return found[0] if found else body_part.lower()


def organ_label(body_part: str | None) -> str | None:
    """Return a Body Part Examined in lower case where it says more than its region, else None."""
    region = body_region(body_part)
    if body_part is None or region not in _TRUNK or body_part.lower() == region:
        return None
    return body_part.lower()
