"""What every reranker owes its callers, whatever its kind: one body of tests for all."""

import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.encoders.cross_encoder import CrossEncoderReranker, load_reranker
from indexer.encoders.local_models import MODELS_VARIABLE
from indexer.encoders.rerankers import RERANKERS
from indexer.encoders.weights import PickledWeightsWarning
from indexer.errors import EncoderError, EncoderUnavailableError, UnknownNameError
from tests.indexer.encoders.tiny_models import RERANKER_WRITERS

QUERY = "treatment of pneumonia in a child"
TEXTS = [
    "chest x ray",
    "A child with pneumonia: what is the treatment of choice?",
    "胸部CT显示右肺下叶结节",
    "liver " * 300,
    "T2",
    "\x00 \n\t",
    "fracture \ud800",
    "",
]
TOLERANCE = 1e-4  # float32, padding of other lengths; bfloat16 is coarser
COARSE = 0.05

KEYS = pytest.mark.parametrize("key", RERANKERS)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No network, an empty hub cache, no models of one's own; returns the cache's folder."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was reached for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model of each kind; tests only read them."""
    root = tmp_path_factory.mktemp("rerankers")
    return {key: write(root / key) for key, write in RERANKER_WRITERS.items()}


@pytest.fixture(
    scope="module",
    params=[(key, precision) for key in RERANKERS for precision in ("float32", "bfloat16")],
    ids="-".join,
)
def reranker(request: pytest.FixtureRequest, folders: dict[str, Path]) -> CrossEncoderReranker:
    key, precision = request.param
    return load_reranker(str(folders[key]), device="cpu", precision=precision)


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of one model that a test may damage."""
    return Path(shutil.copytree(folders["bge-reranker-v2-m3"], tmp_path / "model"))


def tolerance(reranker: CrossEncoderReranker) -> float:
    return TOLERANCE if reranker.precision == "float32" else COARSE


def test_one_finite_score_a_text(reranker: CrossEncoderReranker) -> None:
    scores = reranker.score(QUERY, TEXTS)
    assert scores.shape == (len(TEXTS),)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert len(set(scores.tolist())) > len(TEXTS) / 2


def test_no_texts_give_no_scores(reranker: CrossEncoderReranker) -> None:
    scores = reranker.score(QUERY, [])
    assert scores.shape == (0,)
    assert scores.dtype == np.float32


def test_scores_repeat(reranker: CrossEncoderReranker) -> None:
    assert np.array_equal(reranker.score(QUERY, TEXTS), reranker.score(QUERY, TEXTS))


def test_a_score_depends_on_its_own_pair(reranker: CrossEncoderReranker) -> None:
    alone = np.concatenate([reranker.score(QUERY, [text]) for text in TEXTS])
    assert np.abs(alone - reranker.score(QUERY, TEXTS)).max() < tolerance(reranker)
    other = reranker.score("fracture of the wrist", TEXTS)
    assert np.abs(alone - other).max() > tolerance(reranker)


def test_threads_do_not_disturb_each_other(reranker: CrossEncoderReranker) -> None:
    expected = [reranker.score(text, TEXTS) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: reranker.score(text, TEXTS), TEXTS * 3))
    for one, other in zip(found, expected * 3, strict=True):
        assert np.array_equal(one, other)


def test_only_the_long_part_is_cut(reranker: CrossEncoderReranker) -> None:
    """What lies beyond the limit makes no difference, and the short part is read whole."""
    long = "lesion " * 600
    scores = reranker.score(QUERY, [long, long + "fracture"])
    assert abs(scores[0] - scores[1]) < TOLERANCE
    if reranker.precision == "float32":
        assert abs(reranker.score(QUERY + " brain", [long])[0] - scores[0]) > TOLERANCE


@KEYS
def test_scores_are_those_of_transformers(key: str, folders: dict[str, Path]) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    loaded = load_reranker(str(folders[key]), device="cpu", precision="float32")
    tokenizer = AutoTokenizer.from_pretrained(folders[key])
    model = AutoModelForSequenceClassification.from_pretrained(folders[key]).eval()
    texts = TEXTS[:3]
    batch = tokenizer([[QUERY, text] for text in texts], padding=True, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**batch).logits[:, 0].numpy()
    assert np.abs(loaded.score(QUERY, texts) - expected).max() < TOLERANCE
    if key == "medcpt-cross":  # BERT tells query and text apart by segment too
        assert batch["token_type_ids"].unique().tolist() == [0, 1]


@KEYS
def test_a_model_that_is_not_here_names_the_command(key: str) -> None:
    with pytest.raises(EncoderUnavailableError, match=f"medsearch encoders get {key}") as caught:
        load_reranker(key, device="cpu")
    assert "reranker" in caught.value.message
    assert "--encoder" not in caught.value.remedy


@KEYS
def test_an_own_copy_is_loaded_under_its_key(
    key: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(folders[key].parent))
    assert load_reranker(key, device="cpu").spec == RERANKERS[key]
    assert load_reranker(f"local:{key}", device="cpu").spec.key == f"local:{key}"


@KEYS
def test_a_cached_repository_is_found(key: str, folders: dict[str, Path], offline: Path) -> None:
    spec = RERANKERS[key]
    base = offline / ("models--" + spec.model.replace("/", "--"))
    shutil.copytree(folders[key], base / "snapshots" / spec.revision)
    assert load_reranker(key, device="cpu").spec is spec


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'medcpt-cross'"):
        load_reranker("medcpt-cros", device="cpu")


@pytest.mark.parametrize("name", ["/no/such/folder", "./gone", "local:gone"])
def test_a_folder_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(EncoderUnavailableError, match="no model folder"):
        load_reranker(name, device="cpu")


def test_pickled_weights_load_with_a_warning_and_give_the_same(copy: Path) -> None:
    expected = load_reranker(str(copy), device="cpu", precision="float32").score(QUERY, TEXTS)
    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.warns(PickledWeightsWarning):
        loaded = load_reranker(str(copy), device="cpu", precision="float32")
    assert np.array_equal(loaded.score(QUERY, TEXTS), expected)


def test_a_pickle_that_would_run_code_is_refused(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    torch.save({"state_dict": Path}, copy / "pytorch_model.bin")
    with pytest.warns(PickledWeightsWarning), pytest.raises(EncoderError, match="cannot load"):
        load_reranker(str(copy), device="cpu")


def test_truncated_weights_are_told(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EncoderError, match="safetensors") as caught:
        load_reranker(str(copy), device="cpu")
    assert str(copy.parent) not in str(caught.value)


def test_a_weight_that_is_missing_is_not_left_random(copy: Path) -> None:
    path = copy / "model.safetensors"
    state = load_file(path)
    del state["classifier.out_proj.weight"]
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"classifier\.out_proj\.weight"):
        load_reranker(str(copy), device="cpu")


def test_a_missing_tokenizer_is_told(copy: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    with pytest.raises(EncoderError, match="tokenizer"):
        load_reranker(str(copy), device="cpu")


@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": ["XLMRobertaModel"]},
        {"architectures": None},
        {"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}},
    ],
)
def test_a_model_of_another_kind_is_refused(copy: Path, changes: dict[str, object]) -> None:
    path = copy / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(EncoderError, match="cross-encoder"):
        load_reranker(str(copy), device="cpu")


def test_a_folder_does_not_choose_what_is_imported(copy: Path) -> None:
    (copy / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "antigravity.Module"}])
    )
    assert load_reranker(str(copy), device="cpu").score(QUERY, TEXTS[:1]).shape == (1,)


@KEYS
def test_every_entry_says_what_it_is_and_under_which_licence(key: str) -> None:
    spec = RERANKERS[key]
    assert spec.key == key
    assert spec.family == "cross_encoder"
    assert spec.max_tokens > 0
    assert set(spec.languages) <= {"en", "zh"}
    assert all((spec.licence, spec.description, spec.contamination))
    assert len(spec.revision) == 40
    assert spec.source == f"https://huggingface.co/{spec.model}"
    assert all(hasattr(spec, name) for name in spec.unverified)
