"""The main job on the sample corpus, over HTTP, as a user meets it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from indexer.store.reader import IndexReader

TEN = {
    "ai_medical_chatbot", "cancer_ct", "jmed", "medcalc_bench", "medical_o1_sft",
    "medqa", "mura", "rocov2", "tcga_esca", "tcga_kich", "tcga_luad",
}  # fmt: skip


def post(client: TestClient, path: str, **body: object) -> dict:
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_every_dataset_of_the_sample_is_indexed_with_the_counts_it_promised(
    client: TestClient, corpus: Path
) -> None:
    listed = {entry["name"]: entry for entry in client.get("/v1/indexes").json()["indexes"]}
    assert set(listed) == TEN
    for name, entry in listed.items():
        promised = json.loads((corpus / name / "SYNTHETIC.json").read_text())["expected_counts"]
        assert entry["records"] == promised["records"], name
        assert entry["synthetic"], name


def test_words_find_ct_slices_first(client: TestClient) -> None:
    hits = post(client, "/v1/search/text", query="chest CT with contrast", k=10)["hits"]
    assert [hit["modality"] for hit in hits[:5]] == ["CT"] * 5


def test_a_radiographs_own_file_finds_itself_first(client: TestClient, corpus: Path) -> None:
    image = min((corpus / "mura").rglob("image2.png"))
    reply = client.post(
        "/v1/search/image",
        files={"file": ("query.png", image.read_bytes(), "image/png")},
        data={"params": json.dumps({"k": 10, "indexes": ["mura"]})},
    )
    assert reply.status_code == 200, reply.text
    first = reply.json()["hits"][0]
    assert first["score"] > 0.999
    assert first["source_id"].endswith("/".join(image.parts[-4:]))


def test_the_other_views_of_a_radiographs_study_stand_near_the_top(indexes: Path) -> None:
    reader = IndexReader.open(indexes / "mura")
    cases = np.array(reader.table.column("case_id").to_pylist())
    ranks = []
    for row, vector in enumerate(reader.vectors("image")):
        [hits] = reader.search("image", vector[None], len(cases))
        assert hits.rows[0] == row
        others = np.flatnonzero(cases[hits.rows[1:]] == cases[row])
        ranks.extend(others[:1] + 1)
    assert len(ranks) > 50
    assert np.median(ranks) <= len(cases) / 10


@pytest.mark.parametrize(
    ("file", "column", "index"), [("test_data.csv", "Patient Note", "medcalc_bench")]
)
def test_a_patient_note_finds_its_own_row(
    client: TestClient, corpus: Path, file: str, column: str, index: str
) -> None:
    with (corpus / index / file).open(newline="", encoding="utf-8") as stream:
        note = next(csv.DictReader(stream))[column]
    hits = post(client, "/v1/search/questions", query=note, k=3, indexes=[index])["hits"]
    assert hits[0]["context"] == note


def test_a_chinese_question_finds_its_own_row(client: TestClient, corpus: Path) -> None:
    lines = (corpus / "jmed" / "JMED.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    assert len(rows) >= 10
    for row in rows[:10]:
        hits = post(client, "/v1/search/questions", query=row["question"], k=3)["hits"]
        assert row["id"] in hits[0]["source_id"]


def test_a_prompt_cites_what_it_quotes(client: TestClient) -> None:
    prompt = post(
        client, "/v1/prompts", question="How is anaphylaxis treated first?", budget_tokens=800
    )
    assert prompt["citations"]
    for number, citation in enumerate(prompt["citations"], start=1):
        assert citation["number"] == number
        assert f"[{number}]" in prompt["text"]
        record = client.get(f"/v1/records/{citation['record_id']}")
        assert record.status_code == 200
    assert prompt["tokens"] <= 800


def test_no_index_holds_the_name_of_a_patients_folder(indexes: Path, corpus: Path) -> None:
    patients = [path.name.encode() for path in (corpus / "tcga_luad" / "TCGA-LUAD").iterdir()]
    assert len(patients) > 3
    build = IndexReader.open(indexes / "tcga_luad").folder
    # rejects.jsonl alone names files: it is for whoever has them, to mend them.
    for path in build.rglob("*"):
        if path.is_file() and path.name != "rejects.jsonl":
            content = path.read_bytes()
            assert not [name for name in patients if name in content], path.name


def test_no_reply_names_a_path_of_the_server(
    client: TestClient, corpus: Path, indexes: Path
) -> None:
    bodies = [
        client.post("/v1/search/text", json={"query": "chest CT", "k": 50}).text,
        client.post("/v1/search/questions", json={"query": "fever", "k": 50}).text,
        client.get("/v1/indexes").text,
        client.get("/v1/records/nowhere/at/all").text,
        client.get("/metrics").text,
    ]
    for body in bodies:
        assert str(corpus) not in body
        assert str(indexes) not in body
        assert "source_path" not in body
