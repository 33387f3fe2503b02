"""From open indexes to evaluations: what `medsearch eval` does once everything is in place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.encoders.base import TextEncoder
from indexer.errors import EncoderMismatchError
from indexer.store.reader import IndexReader
from service.evaluation.audit import KnownImages, audit_against, audit_within
from service.evaluation.collection import ImageCollection, join_collections
from service.evaluation.evaluation import Evaluation
from service.evaluation.gathering import SideColumns, gather_images, text_embedder
from service.evaluation.image_engine import run_engine_tasks
from service.evaluation.image_suite import run_image_tasks
from service.evaluation.image_tasks import Sampling
from service.evaluation.question_sets import (
    LEAST_QUESTIONS,
    fragment_questions,
    translated_questions,
)
from service.evaluation.text_tasks import Questions, ask_questions
from service.retrieval.encoding import QueryEncoders
from service.retrieval.planning import DENSE_FIELDS
from service.retrieval.spaces import Space, identity_of

OnStep = Callable[[str], None]

_FRAGMENTS = 500
_TEXT_TOWER = "Text queries go through the text tower of the image encoder."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePool:
    """Images to be searched as one pool: one index, or several of one embedding space.

    `sides` holds what a pool's own table says, by source id. `known` are images that should not
    be in it; `trained_sources` those that the encoder learnt from.
    """

    name: str
    readers: tuple[IndexReader, ...]
    sides: Mapping[str, SideColumns] = field(default_factory=dict)
    known: Sequence[KnownImages] = ()
    trained_sources: frozenset[str] = frozenset()


def evaluate_images(
    pool: ImagePool, encoders: QueryEncoders, sampling: Sampling, on_step: OnStep
) -> Evaluation:
    """Run every image task over a pool: by its embeddings alone, then by the real engine.

    Raises
    ------
    EncoderError
        The encoder of the image field cannot be loaded, differs, or reads no text.
    """
    images = join_collections([gather_images(reader, pool.sides) for reader in pool.readers])
    encoder = _image_encoder(pool.readers[0], encoders)
    on_step("hash audit")
    audits = [audit_within(images), *(audit_against(images, one) for one in pool.known)]
    results = run_image_tasks(
        images,
        text_embedder(encoder),
        sampling,
        trained_sources=pool.trained_sources,
        on_task=on_step,
    )
    by_engine = run_engine_tasks(images, pool.readers, encoders, sampling, on_task=on_step)
    return Evaluation(
        pool=pool.name,
        kind="image",
        records=len(images),
        cases=len(set(images.cases.tolist())),
        encoder=encoder.spec,
        space=pool.readers[0].manifest.fields["image"].fingerprint.space_digest(),
        build_id=", ".join(reader.build_id for reader in pool.readers),
        results=(*results, *by_engine),
        audits=tuple(audits),
        notes=(_TEXT_TOWER, *_notes(images)),
        picture=lambda record_id: _picture(pool.readers, record_id),
    )


def evaluate_questions(
    reader: IndexReader,
    encoders: QueryEncoders,
    questions: Iterable[Questions],
    *,
    seed: int,
    on_step: OnStep,
) -> Evaluation:
    """Put questions to an index of texts, in every manner.

    Raises
    ------
    EncoderError
        The encoder of the index cannot be loaded, or differs.
    """
    results = [
        result
        for one in questions
        for result in ask_questions(reader, encoders, one, seed=seed, on_step=on_step)
    ]
    # What embeds most of the texts; where nothing is embedded, what was to.
    name = max(DENSE_FIELDS["questions"], key=lambda one: _vectors_in(reader, one))
    stated = reader.manifest.fields[name]
    identity = identity_of(stated.fingerprint)
    spec = encoders.encoder(Space(name, stated.encoder, stated.dim, identity)).spec
    notes = []
    if not stated.vectors:
        notes.append(
            f"The encoder {spec.key!r} does not read the language of these texts: "
            "nothing is embedded, so hybrid search is search by words."
        )
    return Evaluation(
        pool=reader.name,
        kind="text",
        records=reader.manifest.counts.records,
        cases=reader.manifest.counts.records,
        encoder=spec,
        space=stated.fingerprint.space_digest(),
        build_id=reader.build_id,
        results=tuple(results),
        notes=tuple(notes),
    )


def _vectors_in(reader: IndexReader, field: str) -> int:
    stated = reader.manifest.fields.get(field)
    return stated.vectors if stated else -1


def questions_of_index(reader: IndexReader) -> list[Questions]:
    """Return the questions that can be made from an index's own records."""
    made = [fragment_questions(reader, _FRAGMENTS), *translated_questions(reader, _FRAGMENTS)]
    return [one for one in made if len(one.texts) >= LEAST_QUESTIONS]


def shared_space(readers: Sequence[IndexReader]) -> dict[Space, list[IndexReader]]:
    """Return image indexes by the embedding space of their images."""
    found: dict[Space, list[IndexReader]] = {}
    for reader in readers:
        space = Space.of(reader, "image")
        if space is not None:
            found.setdefault(space, []).append(reader)
    return found


def _image_encoder(reader: IndexReader, encoders: QueryEncoders) -> TextEncoder:
    space = Space.of(reader, "image")
    if space is None:
        raise EncoderMismatchError(
            f"The index {reader.name!r} holds no embedded images.",
            remedy="Build it with an image encoder: `medsearch index --encoder KEY`.",
        )
    encoder = encoders.encoder(space)
    if not isinstance(encoder, TextEncoder):
        raise EncoderMismatchError(
            f"The encoder {space.encoder!r} of {reader.name!r} reads no text.",
            remedy="Evaluate an index whose encoder has a text tower.",
        )
    return encoder


def _picture(readers: Sequence[IndexReader], record_id: str) -> bytes | None:
    for reader in readers:
        row = reader.find(record_id)
        if row is not None:
            return reader.thumbnail(row)
    return None


def _notes(images: ImageCollection) -> list[str]:
    alone = len(set(images.cases.tolist())) == len(images)
    return ["No case has two images: cases may not be known."] if alone else []
