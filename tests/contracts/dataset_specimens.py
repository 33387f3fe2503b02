"""A small tree in the genuine layout of every dataset, and what its loader must make of it."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A small tree in a dataset's genuine format, with what must be read from it.

    `rejects` are (path, line, kind); `expected` are values of the records at some positions.
    """

    name: str
    write: Callable[[Path], None]
    records: int
    rejects: list[tuple[str, int | None, str]]
    expected: dict[int, dict[str, object]]


def put(root: Path, name: str, text: str = "no pixels") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def put_csv(root: Path, name: str, *rows: list[object]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    put(root, name, buffer.getvalue())


def put_lines(root: Path, name: str, *rows: object) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    put(root, name, "".join(f"{line}\n" for line in lines))


def put_dicom(root: Path, name: str, number: int, **tags: object) -> None:
    """Write an instance without pixels, so that reading pixels would fail."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    values = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "SOPInstanceUID": f"1.2.3.4.{number}",
        "Modality": "CT", "PatientID": "TCGA-17-Z011", "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4", "InstanceNumber": number, "Rows": 2, "Columns": 2,
    }  # fmt: skip
    for keyword, value in (values | tags).items():
        setattr(instance, keyword, value)
    meta.MediaStorageSOPClassUID = instance.SOPClassUID
    meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    pydicom.dcmwrite(path, instance)


def write_rocov2(root: Path) -> None:
    for split, count in (("train", 3), ("test", 2)):
        names = [f"ROCOv2_2023_{split}_{number:06d}" for number in range(1, count + 1)]
        captions = [[name, f"Caption of {name}."] for name in names]
        put_csv(root, f"{split}_captions.csv", ["ID", "Caption"], *captions)
        put_csv(root, f"{split}_concepts.csv", ["ID", "CUIs"], *([n, "C0040405"] for n in names))
        for name in names:
            put(root, f"{split}_images/{split}/{name}.jpg")
    with (root / "test_captions.csv").open("a") as stream:
        stream.write("../up,A path.\r\nROCOv2_2023_test_000009,No image.\r\n")


def write_mura(root: Path) -> None:
    images = [f"MURA-v1.1/valid/XR_WRIST/patient1118{n}/study1_positive/image1.png" for n in (5, 6)]
    images.append("MURA-v1.1/valid/XR_HAND/patient00011/study2_negative/image1.png")
    for name in images:
        put(root, name)
    gone = images[0].replace("image1", "image2")
    put_csv(root, "MURA-v1.1/valid_image_paths.csv", *([n] for n in (*images, gone, "elsewhere")))
    studies = [[f"{name.rpartition('/')[0]}/", int("positive" in name)] for name in images]
    put_csv(root, "MURA-v1.1/valid_labeled_studies.csv", *studies, [studies[0][0], "x"])


def write_tcia(collection: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        series = f"{collection}/TCGA-17-Z011/06-30-1982-NA-NA-32248/5.000000-NA-07044"
        for number, name in ((1, "1-1.dcm"), (2, "1-2"), (10, "1-10.DCM")):
            put_dicom(root, f"{series}/{name}", number)
        put_dicom(root, f"{series}/seg.dcm", 3, SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
        put(root, f"{series}/broken.dcm")
        put_csv(
            root, "metadata.csv", ["Series UID", "Collection", "Modality", "File Location"],
            ["1.2.3.4", collection, "CT", f"./{series}"],
            ["1.2.3.5", collection, "CT", f"./{collection}/gone"],
        )  # fmt: skip

    return write


def tcia_specimen(name: str, collection: str) -> Specimen:
    series = f"{collection}/TCGA-17-Z011/06-30-1982-NA-NA-32248/5.000000-NA-07044"
    return Specimen(
        name=name,
        write=write_tcia(collection),
        records=3,
        rejects=[
            (f"{series}/broken.dcm", None, "undecodable"),
            (f"{series}/seg.dcm", None, "not_an_image"),
            ("metadata.csv", 3, "missing_file"),
        ],
        expected={
            0: {"slice_number": 1, "modality": "CT", "source_path": f"{series}/1-1.dcm"},
            1: {"slice_number": 2, "split": "all"},
            2: {"slice_number": 10, "source_path": f"{series}/1-10.DCM"},
        },
    )


def write_pacs(root: Path) -> None:
    put(root, ".mirror/journal.sqlite")
    for number, name in ((10, "hwjx/kuqm/a2.dcm"), (2, "hwjx/kuqm/b3.dcm"), (1, "hwjx/zzba/c.dcm")):
        put_dicom(root, name, number, SeriesInstanceUID="1.2.3.5" if "zzba" in name else "1.2.3.4")
    put(root, "hwjx/zzba/broken.dcm")
    with (root / "refused.jsonl").open("w") as stream:
        json.dump({"file": "hwjx/zzba/d.dcm", "reason": "status 500"}, stream)


def write_cancer_ct(root: Path) -> None:
    stems = [f"ID_{n:04d}_AGE_00{60 + n}_CONTRAST_{n % 2}_CT" for n in range(4)]
    header = [
        "",
        "Age",
        "Contrast",
        "ContrastTag",
        "raw_input_path",
        "id",
        "tiff_name",
        "dicom_name",
    ]
    rows: list[list[object]] = [
        [n, 60 + n, n % 2 == 1, "NONE", "..\\x.dcm", n, f"{stem}.tif", f"{stem}.dcm"]
        for n, stem in enumerate(stems)
    ]
    put_csv(root, "overview.csv", header, *rows, ["?", 1, True, "NONE", "", "", "", ""])
    put_dicom(root, f"dicom_dir/{stems[0]}.dcm", 7)
    put(root, f"tiff_images/{stems[0]}.tif")
    put(root, f"tiff_images/{stems[1]}.tif")
    put(root, f"tiff_images/{stems[2]}.tif")


def write_medqa(root: Path) -> None:
    def question(number: int) -> dict[str, object]:
        options = {"A": "aspirin", "B": f"drug {number}"}
        return {
            "question": f"Which drug is number {number}?", "answer": f"drug {number}",
            "options": options, "meta_info": "step1", "answer_idx": "B",
        }  # fmt: skip

    folder = "data_clean/questions"
    put_lines(root, f"{folder}/US/train.jsonl", question(1), question(2))
    put_lines(root, f"{folder}/US/dev.jsonl", question(3), "{broken", question(4))
    chinese = question(5) | {"question": "下列哪种药物可以退热？", "meta_info": "外科"}
    put_lines(root, f"{folder}/Mainland/test.jsonl", chinese)


def write_jmed(root: Path) -> None:
    def case(number: int, *letters: str) -> dict[str, object]:
        return {
            "id": f"case-{number}", "question": f"患者{number}岁，咳嗽三天，最可能的诊断是什么？",
            "options": {letter: f"诊断{letter}" for letter in "ACU"}, "answer": list(letters),
        }  # fmt: skip

    put_lines(root, "JMED.jsonl", case(1, "A"), case(2, "Z"), case(3, "C"), case(4, "U"))


def write_medical_o1_sft(root: Path) -> None:
    def entry(number: int, response: str | None) -> dict[str, object]:
        question = f"What is the cause of symptom {number}?"
        return {"Question": question, "Complex_CoT": "Let me think.", "Response": response}

    entries = [entry(1, "Cause 1."), entry(2, None), entry(3, "Cause 3."), entry(4, "Cause 4.")]
    put(root, "medical_o1_sft.json", json.dumps(entries, indent=2))


def write_medcalc_bench(root: Path) -> None:
    header = [
        "Row Number", "Calculator ID", "Calculator Name", "Category", "Output Type", "Note ID",
        "Note Type", "Patient Note", "Question", "Relevant Entities", "Ground Truth Answer",
        "Lower Limit", "Upper Limit", "Ground Truth Explanation",
    ]  # fmt: skip

    def row(number: int, answer: str) -> list[object]:
        return [
            number, 2, "Creatinine Clearance", "lab", "decimal", f"pmc-{number}", "Extracted",
            f"A patient of {50 + number} years.\nWeight 70 kg.", "What is the clearance?",
            "{'age': [60, 'years']}", answer, answer, answer, "By the formula.",
        ]  # fmt: skip

    put_csv(root, "train_data.csv", header, row(1, "10.5"), row(2, "11.5"))
    put_csv(root, "test_data.csv", header, row(1, "12.5"), row(2, ""), row(3, "13.5"))


def write_ai_medical_chatbot(root: Path) -> None:
    rows = [
        [f"Q. Is sign {n} bad?", f"Hi doctor, I have sign {n}.", f"Hello. Sign {n} is none."]
        for n in range(1, 5)
    ]
    rows[2][2] = ""
    put_csv(root, "ai-medical-chatbot.csv", ["Description", "Patient", "Doctor"], *rows)


def write_own_images(root: Path) -> None:
    for name in ("a", "b"):
        put(root, f"images/{name}.jpg")
    rows = ({"file": "images/a.jpg", "text": "A."}, {"file": "gone.jpg"}, {"file": "images/b.jpg"})
    put_lines(root, "records.jsonl", *rows)


TRAIN, TEST = "ROCOv2_2023_train_00000", "ROCOv2_2023_test_00000"
SPECIMENS = [
    Specimen(
        name="rocov2", write=write_rocov2, records=5,
        rejects=[("test_captions.csv", 4, "bad_row"), ("test_captions.csv", 5, "missing_file")],
        expected={
            0: {"record_id": f"rocov2/train/{TRAIN}1", "caption": f"Caption of {TRAIN}1."},
            2: {"record_id": f"rocov2/train/{TRAIN}3", "modality": "CT"},
            4: {"record_id": f"rocov2/test/{TEST}2", "source_line": 3},
        },
    ),
    Specimen(
        name="mura", write=write_mura, records=3,
        rejects=[
            ("MURA-v1.1/valid_image_paths.csv", 4, "missing_file"),
            ("MURA-v1.1/valid_image_paths.csv", 5, "bad_row"),
            ("MURA-v1.1/valid_labeled_studies.csv", 4, "bad_row"),
        ],
        expected={
            0: {"record_id": "mura/valid/XR_WRIST:patient11185:study1:image1", "abnormal": True},
            1: {"case_id": "XR_WRIST/patient11186/study1", "body_part": "wrist"},
            2: {"body_part": "hand", "abnormal": False, "labels": ("normal",)},
        },
    ),
    tcia_specimen("tcga_esca", "TCGA-ESCA"),
    tcia_specimen("tcga_kich", "TCGA-KICH"),
    tcia_specimen("tcga_luad", "TCGA-LUAD"),
    Specimen(
        name="cancer_ct", write=write_cancer_ct, records=3,
        rejects=[("overview.csv", 5, "missing_file"), ("overview.csv", 6, "bad_row")],
        expected={
            0: {"record_id": "cancer_ct/all/ID_0000", "slice_number": 7, "contrast": False},
            1: {"record_id": "cancer_ct/all/ID_0001", "age_years": 61.0, "contrast": True},
            2: {"source_id": "ID_0002_AGE_0062_CONTRAST_0_CT", "modality": "CT"},
        },
    ),
    Specimen(
        name="medqa", write=write_medqa, records=5,
        rejects=[("data_clean/questions/US/dev.jsonl", 2, "bad_row")],
        expected={
            0: {"language": "zh", "answer": "drug 5", "answer_keys": ("B",)},
            2: {"split": "dev", "question": "Which drug is number 4?", "source_line": 3},
            4: {"split": "train", "answer": "drug 2", "category": "step1"},
        },
    ),
    Specimen(
        name="jmed", write=write_jmed, records=3, rejects=[("JMED.jsonl", 2, "bad_row")],
        expected={
            0: {"language": "zh", "source_line": 1, "answer": "诊断A"},
            1: {"answer_keys": ("C",), "source_line": 3},
            2: {"answer_keys": ("U",), "source_line": 4},
        },
    ),
    Specimen(
        name="medical_o1_sft", write=write_medical_o1_sft, records=3,
        rejects=[("medical_o1_sft.json", 7, "bad_row")],
        expected={
            0: {"question": "What is the cause of symptom 1?", "answer": "Cause 1."},
            1: {"answer": "Cause 3.", "reasoning": "Let me think."},
            2: {"answer": "Cause 4.", "language": "en"},
        },
    ),
    Specimen(
        name="medcalc_bench", write=write_medcalc_bench, records=4,
        rejects=[("test_data.csv", 4, "bad_row")],
        expected={
            0: {"split": "test", "answer": "12.5", "answer_lower": "12.5"},
            1: {"split": "test", "answer": "13.5", "source_line": 6},
            3: {"split": "train", "answer": "11.5", "calculator": "Creatinine Clearance"},
        },
    ),
    Specimen(
        name="ai_medical_chatbot", write=write_ai_medical_chatbot, records=3,
        rejects=[("ai-medical-chatbot.csv", 4, "bad_row")],
        expected={
            0: {"answer": "Hello. Sign 1 is none.", "source_line": 2},
            1: {"answer": "Hello. Sign 2 is none."},
            2: {"answer": "Hello. Sign 4 is none.", "language": "en"},
        },
    ),
    Specimen(
        name="pacs", write=write_pacs, records=3,
        rejects=[
            ("hwjx/zzba/broken.dcm", None, "undecodable"),
            ("refused.jsonl", 1, "missing_file"),
        ],
        expected={
            0: {"slice_number": 2, "source_path": "hwjx/kuqm/b3.dcm", "modality": "CT"},
            1: {"slice_number": 10},
            2: {"slice_number": 1, "dataset": "pacs", "split": "all"},
        },
    ),
    Specimen(
        name="own_images", write=write_own_images, records=2,
        rejects=[("records.jsonl", 2, "missing_file")],
        expected={
            0: {"record_id": "own_images/all/images:a.jpg", "caption": "A."},
            1: {"record_id": "own_images/all/images:b.jpg", "source_line": 3},
        },
    ),
]  # fmt: skip
