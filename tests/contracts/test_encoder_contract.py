"""What every encoder owes its callers, whatever its family: one body of tests for all."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.device import Precision
from indexer.encoders.load import load_encoder
from indexer.encoders.spec import Fingerprint, TextRole
from tests.indexer.encoders.tiny_models import WRITERS

TEXTS = [
    "chest x ray",
    "",
    "A child with pneumonia in the right lower lobe; what is the treatment of choice?",
    "胸部CT显示右肺下叶结节",
    "liver " * 300,
    "T2",
    "brain mri with a lesion of the left frontal lobe, axial image",
    "\x00 \n\t",
    "fracture \ud800",
    "a1b2c3" * 3000,
]
ROLES: tuple[TextRole, ...] = ("query", "document")

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
SHIPPED = ("minilm", "e5-small-zh")
IMAGE_FAMILIES = ("biomedclip", "clip", "pubmedclip", "medsiglip", "builtin")

Case = tuple[str, Precision]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return what gives the name to load an encoder of a family by."""
    root = tmp_path_factory.mktemp("encoders")

    def name_of(family: str) -> str:
        if family in SHIPPED:
            return family
        folder = root / family
        return str(folder if folder.is_dir() else WRITERS[family](folder))

    return name_of


def cases(*families: str) -> list[Case]:
    return [(family, precision) for family in families for precision in PRECISIONS]


# The built-in encoder's text tower is MiniLM's (a test of its own says so): once is enough.
@pytest.fixture(
    scope="module",
    params=cases(*SHIPPED, *(family for family in WRITERS if family != "builtin")),
    ids="-".join,
)
def text_case(request: pytest.FixtureRequest) -> Case:
    """A family with a text tower, and an arithmetic."""
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module", params=cases(*IMAGE_FAMILIES), ids="-".join)
def image_case(request: pytest.FixtureRequest) -> Case:
    """A family with an image tower, and an arithmetic."""
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module")
def text_encoder(text_case: Case, folders: Callable[[str], str]) -> TextEncoder:
    """An encoder of that family in that arithmetic."""
    return load_encoder(folders(text_case[0]), device="cpu", precision=text_case[1])


@pytest.fixture(scope="module")
def embedded(text_encoder: TextEncoder) -> Mapping[TextRole, np.ndarray]:
    """`TEXTS` as that encoder embeds them together."""
    return {role: text_encoder.encode_texts(TEXTS, role) for role in ROLES}


@pytest.fixture(scope="module")
def image_encoder(image_case: Case, folders: Callable[[str], str]) -> ImageEncoder:
    """An encoder of that family in that arithmetic."""
    encoder = load_encoder(folders(image_case[0]), device="cpu", precision=image_case[1])
    assert isinstance(encoder, ImageEncoder)
    return encoder


@pytest.fixture(scope="module")
def images(image_encoder: ImageEncoder) -> np.ndarray:
    """Pictures of the size that the encoder asks for, noisy, black and white among them."""
    px = image_encoder.image_input.px
    pictures = np.random.default_rng(5).integers(0, 256, (19, px, px, 3), dtype=np.uint8)
    pictures[3], pictures[7] = 0, 255
    return pictures


def unit(rows: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(rows.astype(np.float64), axis=1), 1, atol=1e-6))


@pytest.mark.parametrize("role", ROLES)
def test_texts_become_unit_rows_of_the_stated_dimension(
    text_encoder: TextEncoder, embedded: Mapping[TextRole, np.ndarray], role: TextRole
) -> None:
    assert embedded[role].shape == (len(TEXTS), text_encoder.spec.dim)
    assert embedded[role].dtype == np.float32
    assert unit(embedded[role])


@pytest.mark.parametrize("role", ROLES)
def test_no_texts_give_no_rows(text_encoder: TextEncoder, role: TextRole) -> None:
    none = text_encoder.encode_texts([], role)
    assert none.shape == (0, text_encoder.spec.dim)
    assert none.dtype == np.float32


@pytest.mark.parametrize("role", ROLES)
def test_a_text_is_embedded_the_same_whatever_its_neighbours(
    text_encoder: TextEncoder, embedded: Mapping[TextRole, np.ndarray], role: TextRole
) -> None:
    alone = np.concatenate([text_encoder.encode_texts([text], role) for text in TEXTS])
    np.testing.assert_array_equal(embedded[role], alone)
    order = np.random.default_rng(1).permutation(len(TEXTS))
    shuffled = text_encoder.encode_texts([TEXTS[place] for place in order], role)
    np.testing.assert_array_equal(shuffled, embedded[role][order])


def test_batches_of_every_size_give_the_same(text_encoder: TextEncoder) -> None:
    texts = [f"{place} chest x ray" for place in "abcdefghijklmnopqrs"]
    alone = np.concatenate([text_encoder.encode_texts([text], "query") for text in texts])
    for size in (*range(2, 9), len(texts)):
        together = text_encoder.encode_texts(texts[:size], "query")
        np.testing.assert_array_equal(together, alone[:size], err_msg=f"{size} texts")


def test_threads_do_not_show_in_embeddings(
    text_encoder: TextEncoder, embedded: Mapping[TextRole, np.ndarray]
) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(lambda _: text_encoder.encode_texts(TEXTS, "query"), range(3)))
    finally:
        torch.set_num_threads(before)
    for rows in found:
        np.testing.assert_array_equal(rows, embedded["query"])


def test_different_texts_differ(text_encoder: TextEncoder) -> None:
    one, other = text_encoder.encode_texts(["chest x ray", "brain mri of a child"], "document")
    assert not np.allclose(one, other, atol=1e-4)


def test_loading_again_gives_the_same(
    text_encoder: TextEncoder,
    text_case: Case,
    embedded: Mapping[TextRole, np.ndarray],
    folders: Callable[[str], str],
) -> None:
    again = load_encoder(folders(text_case[0]), device="cpu", precision=text_case[1])
    assert again.text_fingerprint == text_encoder.text_fingerprint
    np.testing.assert_array_equal(again.encode_texts(TEXTS, "query"), embedded["query"])


def test_the_fingerprint_says_what_was_loaded(text_encoder: TextEncoder, text_case: Case) -> None:
    fingerprint = text_encoder.text_fingerprint
    assert fingerprint.dtype == text_case[1]
    assert fingerprint.dim == text_encoder.spec.dim
    assert len(fingerprint.weights_sha256) == 64
    assert fingerprint.tokenizer_sha256 is not None
    assert "torch" in fingerprint.versions
    assert Fingerprint.from_json(fingerprint.to_json()) == fingerprint


def test_both_arithmetics_share_a_space(
    text_encoder: TextEncoder,
    text_case: Case,
    embedded: Mapping[TextRole, np.ndarray],
    folders: Callable[[str], str],
) -> None:
    other = load_encoder(folders(text_case[0]), device="cpu", precision="float32")
    theirs, ours = other.text_fingerprint, text_encoder.text_fingerprint
    assert theirs.space_digest() == ours.space_digest()
    assert (theirs.digest() == ours.digest()) == (text_case[1] == "float32")
    rows = other.encode_texts(TEXTS, "query")
    assert (rows * embedded["query"]).sum(axis=1).min() > 0.998


def test_images_become_unit_rows_of_the_stated_dimension(
    image_encoder: ImageEncoder, images: np.ndarray
) -> None:
    embedded = image_encoder.encode_images(images)
    assert embedded.shape == (len(images), image_encoder.spec.dim)
    assert embedded.dtype == np.float32
    assert unit(embedded)
    assert image_encoder.encode_images(images[:0]).shape == (0, image_encoder.spec.dim)


def test_an_image_is_embedded_the_same_whatever_its_neighbours(
    image_encoder: ImageEncoder, images: np.ndarray
) -> None:
    together = image_encoder.encode_images(images)
    for size in (1, 5):
        parts = [
            image_encoder.encode_images(images[start : start + size])
            for start in range(0, len(images), size)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), together)
    order = np.random.default_rng(2).permutation(len(images))
    np.testing.assert_array_equal(image_encoder.encode_images(images[order]), together[order])


def test_threads_do_not_show_in_embeddings_of_images(
    image_encoder: ImageEncoder, images: np.ndarray
) -> None:
    expected = image_encoder.encode_images(images)
    with ThreadPoolExecutor(2) as threads:
        for embedded in threads.map(lambda _: image_encoder.encode_images(images), range(3)):
            np.testing.assert_array_equal(embedded, expected)


def test_images_of_another_size_or_type_are_refused(image_encoder: ImageEncoder) -> None:
    px = image_encoder.image_input.px
    for pixels in (
        np.zeros((1, px, px + 1, 3), np.uint8),
        np.zeros((1, px, px, 3), np.float32),
        np.zeros((px, px, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match="uint8"):
            image_encoder.encode_images(pixels)


def test_the_caller_keeps_its_pixels(image_encoder: ImageEncoder, images: np.ndarray) -> None:
    before = images.copy()
    images.flags.writeable = False
    image_encoder.encode_images(images)
    np.testing.assert_array_equal(images, before)


def test_the_image_fingerprint_says_what_was_loaded(image_encoder: ImageEncoder) -> None:
    fingerprint = image_encoder.image_fingerprint
    assert fingerprint.tokenizer_sha256 is None
    assert f"{image_encoder.image_input.px}px" in fingerprint.preprocessing
    assert image_encoder.image_input.resize in fingerprint.preprocessing
    assert Fingerprint.from_json(fingerprint.to_json()) == fingerprint


def test_the_folder_of_a_model_is_not_written_to(
    image_case: Case, folders: Callable[[str], str]
) -> None:
    folder = Path(folders(image_case[0]))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    load_encoder(str(folder), device="cpu", precision=image_case[1]).encode_texts(["a"], "query")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
