from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.encoders.builtin.tower import load_image_tower
from indexer.encoders.training.augment import augment
from indexer.encoders.training.card import REDISTRIBUTABLE, RESEARCH_ONLY, TrainingSummary
from indexer.encoders.training.corpus import Corpus, is_prepared, prepare_corpus, to_square
from indexer.encoders.training.evaluate import precision, recall_of_own
from indexer.encoders.training.examples import pool_examples
from indexer.encoders.training.loop import RunOptions, corpus_key, learning_rate, train
from indexer.encoders.training.plan import TrainingPlan
from indexer.encoders.training.sampling import Sampler
from indexer.errors import DatasetEmptyError, EncoderError, UnknownNameError

if TYPE_CHECKING:
    from indexer.encoders.base import TextEncoder

torch = pytest.importorskip("torch")

QUIET = RunOptions(device="cpu", threads=1, show_progress=False)


def run(
    plan: TrainingPlan,
    pool: Path,
    output: Path,
    encoder: "TextEncoder",
    options: RunOptions = QUIET,
) -> TrainingSummary | None:
    return train(plan, [pool], output, text_encoder=encoder, options=options)


def weights(output: Path) -> bytes:
    return (output / "image_tower.safetensors").read_bytes()


@pytest.fixture
def corpus(pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path) -> Corpus:
    return prepare_corpus(pool_examples(pool), tiny_plan, encoder, tmp_path / "corpus")


def test_a_run_is_determined_by_its_seed(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    first = run(tiny_plan, pool, tmp_path / "a", encoder)
    again = run(tiny_plan, pool, tmp_path / "b", encoder)
    run(replace(tiny_plan, seed=1), pool, tmp_path / "c", encoder)
    assert first is not None
    assert again is not None
    assert first.config == again.config
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")


def test_a_resumed_run_equals_an_uninterrupted_one(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    run(tiny_plan, pool, tmp_path / "whole", encoder)
    cut = replace(QUIET, stop_after=3)
    assert run(tiny_plan, pool, tmp_path / "parts", encoder, cut) is None
    assert not (tmp_path / "parts" / "image_tower.safetensors").exists()
    assert run(tiny_plan, pool, tmp_path / "parts", encoder) is not None
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")


def test_a_checkpoint_of_another_plan_or_a_damaged_one_is_refused(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    run(tiny_plan, pool, tmp_path, encoder, replace(QUIET, stop_after=2))
    with pytest.raises(EncoderError, match="another plan"):
        run(replace(tiny_plan, learning_rate=1e-3), pool, tmp_path, encoder)
    checkpoint = tmp_path / "work" / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    with pytest.raises(EncoderError, match="not a readable checkpoint"):
        run(tiny_plan, pool, tmp_path, encoder)


def test_a_prepared_corpus_serves_equal_sources_and_plans_only(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    key = corpus_key([pool], encoder)
    prepare_corpus(pool_examples(pool), tiny_plan, encoder, tmp_path, key=key)
    assert is_prepared(tmp_path, tiny_plan, key)
    assert is_prepared(tmp_path, replace(tiny_plan, learning_rate=1.0), key)
    assert not is_prepared(tmp_path, replace(tiny_plan, resize="letterbox"), key)
    assert not is_prepared(tmp_path, tiny_plan, corpus_key([pool, pool], encoder))
    assert not is_prepared(tmp_path / "nowhere", tiny_plan, key)


def test_what_a_run_leaves_behind_can_be_loaded_and_read(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    options = replace(QUIET, held_out=pool, notes="## Tried\n\nNothing.")
    summary = run(tiny_plan, pool, tmp_path, encoder, options)
    assert summary is not None
    assert summary.undecodable == 1
    assert sum(summary.sources.values()) == 35
    assert summary.trained_on < 35
    tower, config = load_image_tower(tmp_path)
    assert config == summary.config
    rows = tower(torch.zeros(2, 3, 32, 32))
    assert rows.norm(dim=1).tolist() == pytest.approx([1, 1])
    card = (tmp_path / "MODEL_CARD.md").read_text("utf-8")
    for expected in (config.revision, "CC0 1.0", "class text -> image", "## Tried", "| seed | 0 |"):
        assert expected in card


def test_unspecified_licences_make_the_weights_research_only(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    plan = replace(tiny_plan, images=8)
    summary = run(plan, pool, tmp_path / "open", encoder)
    assert summary is not None
    assert summary.config.licence == REDISTRIBUTABLE
    lines = (pool / "pool.jsonl").read_text("utf-8").replace("CC0 1.0", "unspecified")
    closed = tmp_path / "pool"
    closed.mkdir()
    (closed / "images").symlink_to(pool / "images")
    (closed / "pool.jsonl").write_text(lines, encoding="utf-8")
    summary = run(plan, closed, tmp_path / "closed", encoder)
    assert summary is not None
    assert summary.config.licence == RESEARCH_ONLY


def test_what_the_plan_excludes_is_not_trained_on(
    pool: Path, tiny_plan: TrainingPlan, encoder: "TextEncoder", tmp_path: Path
) -> None:
    some = replace(tiny_plan, excluded_sources=("s1",))
    corpus = prepare_corpus(pool_examples(pool), some, encoder, tmp_path)
    assert corpus.count("source") == {"s0": 18}
    none = replace(tiny_plan, excluded_licences=("CC0 1.0",))
    with pytest.raises(DatasetEmptyError):
        prepare_corpus(pool_examples(pool), none, encoder, tmp_path)
    misspelt = replace(tiny_plan, excluded_sources=("s01",))
    with pytest.raises(UnknownNameError) as caught:
        prepare_corpus(pool_examples(pool), misspelt, encoder, tmp_path)
    assert "Did you mean" in caught.value.remedy


def test_no_case_stands_on_both_sides_of_the_split(corpus: Corpus) -> None:
    cases = np.array([str(row["case"]) for row in corpus.rows])
    assert not set(cases[corpus.validation]) & set(cases[~corpus.validation])
    assert 0 < corpus.validation.sum() < len(cases)


def test_a_batch_holds_each_images_own_texts(corpus: Corpus, tiny_plan: TrainingPlan) -> None:
    sampler = Sampler(corpus, tiny_plan)
    batch = sampler.draw(5)
    assert (
        batch.images.tolist() == sampler.draw(5).images.tolist() != sampler.draw(6).images.tolist()
    )
    assert not corpus.validation[batch.images].any()
    for place, image in enumerate(batch.images):
        for view in range(3):
            start, end = corpus.starts[image * 3 + view : image * 3 + view + 2]
            assert batch.text_ids[view, place] in corpus.text_ids[start:end]


def test_a_mirrored_text_is_the_text_with_sides_swapped(
    corpus: Corpus, encoder: "TextEncoder"
) -> None:
    tear = encoder.encode_texts(["left tear", "right tear"], "document")
    left = np.flatnonzero(np.isclose(corpus.text_embeddings, tear[0], atol=1e-6).all(axis=1))
    assert len(left) == 1
    mirrored = corpus.text_embeddings[corpus.mirrored[left[0]]]
    assert np.allclose(mirrored, tear[1], atol=1e-6)


def test_squares_are_letterboxed_or_squashed(tiny_plan: TrainingPlan) -> None:
    wide = np.full((10, 20), 200, dtype=np.uint8)
    assert to_square(wide, replace(tiny_plan, resize="squash")).min() == 200
    boxed = to_square(wide, replace(tiny_plan, resize="letterbox"))
    assert boxed[:8].max() == 0
    assert boxed[8:24].min() == 200


def test_augmentation_depends_on_its_seed_alone(tiny_plan: TrainingPlan) -> None:
    pixels = torch.arange(4 * 32 * 32).reshape(4, 32, 32).to(torch.uint8)
    first, flipped = augment(pixels, 24, tiny_plan.augment, 7)
    again, _ = augment(pixels, 24, tiny_plan.augment, 7)
    other, _ = augment(pixels, 24, tiny_plan.augment, 8)
    assert first.shape == (4, 1, 24, 24)
    assert flipped.shape == (4,)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_flip_alone_is_the_mirror_image(tiny_plan: TrainingPlan) -> None:
    still = replace(
        tiny_plan.augment,
        flip=1.0,
        rotation_rad=0.0,
        shift=0.0,
        log_zoom=(0.0, 0.0),
        log_aspect=0.0,
        black=(0.0, 0.0),
        white=(1.0, 1.0),
        log_gamma=0.0,
        noise=0.0,
        blur=0.0,
        erase=0.0,
    )
    pixels = torch.randint(1, 255, (2, 16, 16), generator=torch.Generator().manual_seed(0))
    images, flipped = augment(pixels.to(torch.uint8), 16, still, 0)
    assert flipped.all()
    assert torch.allclose(images[:, 0], pixels.flip(-1).float() / 255, atol=1e-4)


def test_the_learning_rate_goes_up_once_and_down_to_nothing(tiny_plan: TrainingPlan) -> None:
    plan = replace(tiny_plan, images=800, warmup_fraction=0.2)
    rates = [learning_rate(plan, step) for step in range(plan.steps + 1)]
    assert rates[0] == pytest.approx(plan.learning_rate / 20)
    assert max(rates) == rates[20] == pytest.approx(plan.learning_rate)
    assert rates[-1] == pytest.approx(0)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_precision_and_recall_count_as_by_hand() -> None:
    scores = np.linspace(1, 0, 20, dtype=np.float32)[None]
    relevant = np.zeros((1, 20), dtype=bool)
    relevant[0, [0, 3, 9, 10]] = True
    assert precision(scores, relevant) == pytest.approx(0.3)
    everything_tied = np.zeros((12, 12), dtype=np.float32)
    assert recall_of_own(everything_tied) == 0
    assert recall_of_own(np.eye(12, dtype=np.float32)) == 1
