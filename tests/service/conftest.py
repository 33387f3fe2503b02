"""Small real indexes, published through the store's own writer, with an encoder made of hashes."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from starlette.testclient import TestClient

from indexer.encoders.spec import EncoderSpec, Fingerprint, ImageInput
from indexer.errors import DecodeError, EncoderUnavailableError
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.records import AnyRecord, ImageRecord, ImageRef, Option, TextRecord
from indexer.store.index_map import Projects
from indexer.store.index_set import IndexSet
from indexer.store.writer import BuildPlan, BuildWriter, Shard, ShardField, ShardImage
from indexer.text.questions import document_text
from indexer.text.tokenise import tokenise
from service.app import create_app
from service.decoding import Preview, PreviewSlice
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders, QueryImage
from service.settings import Settings
from tests.service.running_server import running

DIM = 64
JPEG = b"\xff\xd8 not a real thumbnail \xff\xd9"


def fingerprint(name: str) -> Fingerprint:
    return Fingerprint(
        key=name, revision="1", dim=DIM, weights_sha256=hashlib.sha256(name.encode()).hexdigest(),
        tokenizer_sha256=None, preprocessing="hashes", dtype="float32",
    )  # fmt: skip


class HashEncoder:
    """Embeds a text as the sum of its tokens' random vectors, an image as that of its grey level.

    Equal words give equal embeddings, shared words similar ones; an image of grey level g lies
    where the text "grey g" does, so that texts find images.
    """

    def __init__(self, name: str = "hash", languages: tuple[str, ...] = ("en",)) -> None:
        self.spec = EncoderSpec(
            key=name, family="builtin", model="none", revision="1", dim=DIM,
            modalities=frozenset({"image", "text"}), languages=languages, max_tokens=None,
            image_px=8, licence="none", source="none", description="for tests",
        )  # fmt: skip
        self.text_fingerprint = fingerprint(f"{name} text")
        self.image_fingerprint = fingerprint(f"{name} image")
        self.image_input = ImageInput(px=8, resize="letterbox")
        self.encoded_texts = 0

    def encode_texts(self, texts: Sequence[str], role: str) -> np.ndarray:
        self.encoded_texts += len(texts)
        return np.array([self._embed(text) for text in texts]).reshape(-1, DIM)

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        return np.stack([self._embed(f"grey {int(one.flat[0])}") for one in pixels])

    def _embed(self, text: str) -> np.ndarray:
        total = np.full(DIM, 1e-3, np.float32)
        for token in tokenise(text):
            seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
        return total / np.linalg.norm(total)


def decode_grey(raw: bytes, wanted: ImageInput) -> QueryImage:
    """Decode `grey N`, the image format of these tests, or a CT slice: `grey N lung=M bone=K`."""
    if not raw.startswith(b"grey "):
        raise DecodeError("These bytes are no image.", remedy="Send another file.")
    level, *windows = raw[5:].decode("ascii").split()
    pixels = np.full((wanted.px, wanted.px, 3), int(level), np.uint8)
    by_window = {
        name: np.full((wanted.px, wanted.px), int(grey), np.uint8)
        for name, _, grey in (one.partition("=") for one in windows)
    }
    return QueryImage(pixels, grey_hash(int(level)), by_window)


def grey_hash(level: int) -> bytes:
    """Return the perceptual hash of a grey level: that of no other is near."""
    return hashlib.sha256(f"grey {level}".encode()).digest()


def preview_grey(files: Sequence[bytes], window: str | None = None) -> Preview:
    """Preview each `grey N` as a "JPEG" that holds its bytes."""
    wanted = ImageInput(px=8, resize="squash")
    windows = tuple(decode_grey(files[0], wanted).by_window)
    slices = [
        PreviewSlice(jpeg=JPEG + (window or "").encode() + raw, width_px=8, height_px=8)
        for raw in files
    ]
    return Preview(slices=tuple(slices), images=len(files), windows=windows)


def image_record(dataset: str, number: int, **changes: object) -> ImageRecord:
    values: dict[str, object] = {
        "record_id": f"{dataset}/train/{number}", "dataset": dataset, "split": "train",
        "source_id": str(number), "source_path": "secret/rows.csv", "source_line": number,
        "case_id": f"case{number}", "licence": "CC0-1.0", "image": ImageRef(path="secret/a.png"),
        "modality": "CT", "body_part": "chest", "caption": f"grey {number}",
    }  # fmt: skip
    return ImageRecord(**(values | changes))


def text_record(dataset: str, number: int, **changes: object) -> TextRecord:
    values: dict[str, object] = {
        "record_id": f"{dataset}/train/{number}", "dataset": dataset, "split": "train",
        "source_id": str(number), "source_path": "secret/rows.csv", "source_line": number,
        "case_id": f"{dataset}{number}", "licence": "MIT", "question": f"What is disease {number}?",
        "answer": f"It is called number {number}.",
    }  # fmt: skip
    return TextRecord(**(values | changes))


def publish(
    indexes: Path,
    name: str,
    records: Sequence[AnyRecord],
    encoder: HashEncoder | None = None,
    greys: Sequence[int] | None = None,
    by_window: Mapping[str, Mapping[int, int]] | None = None,
    projector: Projects | None = None,
    chinese: HashEncoder | None = None,
) -> None:
    """Publish an index of `records`; image record i has grey level `greys[i]`, or i.

    `by_window` holds the grey levels of some records in fields like `lung_window`; a `projector`
    draws the map; `chinese` embeds Chinese texts in a field of their own.
    """
    encoder = encoder or HashEncoder()
    kind = "image" if isinstance(records[0], ImageRecord) else "text"
    key = encoder.spec.key
    if kind == "image":
        levels = list(range(len(records))) if greys is None else list(greys)
        images = np.stack([np.full((8, 8, 3), level, np.uint8) for level in levels])
        embedded = {"image": (range(len(records)), encoder.encode_images(images))}
        prints = {"image": (key, encoder.image_fingerprint)}
        texts = {place: one.caption for place, one in enumerate(records) if one.caption}
        for field, seen in (by_window or {}).items():
            shades = np.stack([np.full((8, 8, 3), level, np.uint8) for level in seen.values()])
            embedded[field] = (list(seen), encoder.encode_images(shades))
            prints[field] = (key, encoder.image_fingerprint)
    else:
        embedded, prints = {}, {}
        texts = {place: document_text(one) for place, one in enumerate(records)}
    main = "caption" if kind == "image" else "question"
    for field, reader in ((main, encoder), (f"{main}_zh", chinese)):
        if reader is not None:
            read = [n for n in texts if records[n].language in reader.spec.languages]
            embedded[field] = (read, _encode(reader, [texts[place] for place in read]))
            prints[field] = (reader.spec.key, reader.text_fingerprint)
    plan = BuildPlan(
        index=name, dataset=name, kind=kind, title=name.title(), licence="CC0-1.0",
        citation="nobody", homepage="https://example.org", synthetic=True, fields=prints,
        source_digest=hashlib.sha256(repr(records).encode()).hexdigest(), options={},
    )  # fmt: skip
    with BuildWriter.open(indexes, plan) as writer:
        writer.add_shard(
            Shard(
                rows_consumed=len(records),
                records=records,
                content_keys=[hashlib.md5(one.record_id.encode()).hexdigest() for one in records],
                images=[
                    ShardImage(sha256="0" * 64, perceptual_hash=grey_hash(level), thumbnail=JPEG)
                    for level in (greys or range(len(records)))
                ],
                fields={
                    field: ShardField(
                        positions=np.array(list(positions), np.int64),
                        vectors=vectors,
                        keys=[hashlib.md5(f"{field}{n}".encode()).digest() for n in positions],
                        thumbnails=(
                            [JPEG + f"{field} {n}".encode() for n in positions]
                            if field in WINDOW_FIELDS
                            else None
                        ),
                    )
                    for field, (positions, vectors) in embedded.items()
                },
                duplicates=[],
                rejects=[],
            )
        )
        writer.publish(sources=(), projector=projector)


def _encode(encoder: HashEncoder, texts: Sequence[str]) -> np.ndarray:
    dim = encoder.text_fingerprint.dim
    return encoder.encode_texts(texts, "document") if texts else np.zeros((0, dim), np.float32)


def loader(*encoders: HashEncoder) -> Callable[[str], HashEncoder]:
    known = {encoder.spec.key: encoder for encoder in encoders}

    def load(key: str) -> HashEncoder:
        if key not in known:
            raise EncoderUnavailableError(f"No weights of {key!r}.", remedy="Fetch them.")
        return known[key]

    return load


OPTIONS = (Option(key="A", text="Adrenaline"), Option(key="B", text="Water"))


@pytest.fixture(scope="session")
def indexes_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two image indexes and two of questions, English and Chinese."""
    folder = tmp_path_factory.mktemp("indexes")
    publish(
        folder,
        "scans",
        [
            image_record(
                "scans", number, case_id=f"patient{number // 4}", study_id=f"study{number // 2}",
                patient_id=f"person{number // 4}" if number % 5 else None,
                article_id=f"PMC{number // 3}" if number % 5 else None,
                year=2010 + number // 3 if number % 5 else None,
                modality="CT" if number % 2 else "MR", age_years=float(40 + number),
                sex=None if number % 3 else "F", labels=("odd",) if number % 2 else (),
                contrast=bool(number % 2), slice_number=number,
                caption=None if number == 7 else f"grey {number}",
            )
            for number in range(24)
        ],
    )  # fmt: skip
    publish(
        folder,
        "films",
        [
            image_record("films", number, modality="XR", body_part="hand", caption=f"grey {number}")
            for number in range(30, 36)
        ],
        greys=range(30, 36),
    )
    publish(
        folder,
        "asked",
        [
            text_record("asked", 0, question="How is anaphylaxis treated first?",
                        answer="With adrenaline into the thigh.", options=OPTIONS,
                        answer_keys=("A",), reasoning="It acts fastest. It saves lives."),
            *(text_record("asked", number) for number in range(1, 12)),
        ],
    )  # fmt: skip
    publish(
        folder,
        "gefragt",
        [
            text_record("gefragt", 0, language="zh", question="胸痛伴出汗应首先做什么检查？",
                        answer="心电图。"),
            text_record("gefragt", 1, language="zh", question="高血压怎么治疗？",
                        answer="降压药。"),
        ],
    )  # fmt: skip
    return folder


@pytest.fixture
def opened(indexes_dir: Path) -> Opened:
    return assemble(IndexSet(indexes_dir), QueryEncoders(loader(HashEncoder()), decode_grey))


@pytest.fixture
def hash_encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What tests build their own indexes with."""
    return SimpleNamespace(
        HashEncoder=HashEncoder,
        image_record=image_record,
        text_record=text_record,
        publish=publish,
        loader=loader,
        decode_grey=decode_grey,
    )


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[TestClient]]:
    """Start the service over a folder of indexes, and wait until it is ready."""

    @contextmanager
    def start(
        folder: Path,
        *,
        wait: bool = True,
        encoder: HashEncoder | None = None,
        **settings: object,
    ) -> Iterator[TestClient]:
        def opener(settings: Settings, stack: ExitStack) -> Opened:
            encoders = QueryEncoders(loader(encoder or HashEncoder()), decode_grey)
            return assemble(IndexSet(folder), encoders, preview=preview_grey, settings=settings)

        values = {"indexes_dir": folder, "search_threads": 2, "refresh_s": 0.05}
        app = create_app(Settings(**(values | settings)), opener=opener)
        with TestClient(app) as client:
            deadline = time.monotonic() + 30
            while wait and client.get("/readyz").status_code != 200:
                assert time.monotonic() < deadline, client.get("/readyz").text
                time.sleep(0.01)
            yield client

    return start


@pytest.fixture(scope="session")
def client(indexes_dir: Path, serve: Callable[..., object]) -> Iterator[TestClient]:
    with serve(indexes_dir) as started:
        yield started


@pytest.fixture(scope="session")
def listen() -> Callable[..., AbstractContextManager[str]]:
    """Serve a folder of indexes behind a real socket, for real client libraries."""

    @contextmanager
    def start(folder: Path, *, wait: bool = True, **settings: object) -> Iterator[str]:
        def opener(settings: Settings, stack: ExitStack) -> Opened:
            encoders = QueryEncoders(loader(HashEncoder()), decode_grey)
            return assemble(IndexSet(folder), encoders, settings=settings)

        values = {"indexes_dir": folder, "search_threads": 2}
        with running(create_app(Settings(**(values | settings)), opener=opener), wait=wait) as at:
            yield at

    return start


@pytest.fixture(scope="session")
def address(indexes_dir: Path, listen: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The service of the tests' indexes behind a real socket."""
    with listen(indexes_dir) as started:
        yield started
