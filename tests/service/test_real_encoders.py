"""The service with the encoders that ship: real models, real decoding, real uploads."""

import io
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from indexer.encoders.load import load_encoder
from service.app import create_app
from service.settings import Settings

QUESTIONS = {
    "What is the first-line treatment of anaphylaxis?": "Intramuscular adrenaline.",
    "How is iron deficiency anaemia diagnosed?": "By a low ferritin.",
    "Which antibiotic treats streptococcal pharyngitis?": "Penicillin V.",
    "What causes painless jaundice in an older man?": "Cancer of the pancreatic head.",
}

CHINESE_QUESTIONS = {
    "过敏性休克应首先如何处理？": "肌内注射肾上腺素。",
    "怎样诊断缺铁性贫血？": "查血清铁蛋白。",
    "老年人无痛性黄疸常见于什么病？": "胰头癌。",
}


def film(number: int) -> Image.Image:
    """A phantom that no two numbers share."""
    image = Image.new("L", (96, 96), 20)
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 10 + 5 * number, 70, 60 + 5 * number), fill=200)
    draw.rectangle((10 * number, 70, 10 * number + 15, 90), fill=120)
    return image


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


class Shipped:
    """The built-in encoder, in the shape that `publish` takes encoders in."""

    def __init__(self) -> None:
        self._encoder = load_encoder("builtin")
        self.spec = self._encoder.spec
        self.text_fingerprint = self._encoder.text_fingerprint
        self.image_fingerprint = self._encoder.image_fingerprint  # type: ignore[attr-defined]

    def encode_texts(self, texts: list[str], role: str) -> np.ndarray:
        return self._encoder.encode_texts(texts, role)  # type: ignore[arg-type]

    def encode_images(self, levels: np.ndarray) -> np.ndarray:
        from service.decoding import start_decoder

        wanted = self._encoder.image_input  # type: ignore[attr-defined]
        with start_decoder(1, 1_000_000) as decode:
            pixels = [decode(png(film(int(one.flat[0]))), wanted).pixels for one in levels]
        return self._encoder.encode_images(np.stack(pixels))  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, kit) -> Iterator[TestClient]:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("shipped")
    encoder = Shipped()
    asked = [
        kit.text_record("asked", number, question=question, answer=answer)
        for number, (question, answer) in enumerate(QUESTIONS.items())
    ]
    kit.publish(folder, "asked", asked, encoder)
    mixed = [
        kit.text_record("mixed", number, language="zh", question=question, answer=answer)
        for number, (question, answer) in enumerate(CHINESE_QUESTIONS.items())
    ]
    mixed.append(kit.text_record("mixed", 9, question="What causes heartburn?"))
    kit.publish(folder, "mixed", mixed, encoder, chinese=load_encoder("e5-small-zh"))
    films = [
        kit.image_record("films", n, caption=None, modality="X-ray", body_part="hand")
        for n in range(4)
    ]
    kit.publish(folder, "films", films, encoder)
    app = create_app(Settings(indexes_dir=folder, decode_workers=1, search_threads=2))
    ready = threading.Event()
    with TestClient(app) as client:
        while client.get("/readyz").status_code != 200:
            assert not ready.wait(0.05)
        yield client


def test_a_reworded_question_finds_its_original(shipped: TestClient) -> None:
    for question, reworded in zip(
        QUESTIONS,
        [
            "initial therapy for a severe allergic reaction",
            "test for anemia from lack of iron",
            "drug of choice for strep throat",
            "yellow skin without pain in an elderly patient",
        ],
        strict=True,
    ):
        reply = shipped.post("/v1/search/questions", json={"query": reworded, "k": 1})
        assert reply.json()["hits"][0]["question"] == question


def test_a_reworded_chinese_question_finds_its_original(shipped: TestClient) -> None:
    for question, reworded in zip(
        CHINESE_QUESTIONS,
        [
            "严重的药物过敏反应抢救用什么药",
            "缺铁引起的贫血要做哪些化验",
            "皮肤发黄但不疼，年纪大，可能是什么病",
        ],
        strict=True,
    ):
        body = {"query": reworded, "k": 1, "mode": "dense", "indexes": ["mixed"]}
        reply = shipped.post("/v1/search/questions", json=body).json()
        assert reply["hits"][0]["question"] == question
        assert reply["hits"][0]["why"]["question"]["field"] == "question_zh"
        assert not reply["notes"]


def test_an_uploaded_file_finds_itself(shipped: TestClient) -> None:
    for number in range(4):
        reply = shipped.post(
            "/v1/search/image", files={"file": ("f.png", png(film(number)))}, data={"params": "{}"}
        )
        first = reply.json()["hits"][0]
        assert first["record_id"] == f"films/train/{number}"
        assert first["score"] == pytest.approx(1.0, abs=1e-3)


def test_a_broken_file_is_415_and_the_service_lives(shipped: TestClient) -> None:
    for raw in (png(film(1))[:-30], b"DICM", b"\x00" * 5000):
        reply = shipped.post("/v1/search/image", files={"file": ("f", raw)})
        assert reply.status_code == 415, reply.text
    assert shipped.get("/healthz").status_code == 200


def test_a_prompt_holds_the_one_relevant_answer(shipped: TestClient) -> None:
    body = {"question": "What is given first in anaphylaxis?"}
    prompt = shipped.post("/v1/prompts", json=body).json()
    assert [citation["record_id"] for citation in prompt["citations"]] == ["asked/train/0"]
    nothing = shipped.post("/v1/prompts", json={"question": "How do I bake sourdough bread?"})
    assert nothing.json()["citations"] == []
