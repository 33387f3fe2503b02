"""Measures what is chance in a build, by asking it what it should and should not answer."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.calibration.build_under_test import BuildUnderTest
from indexer.calibration.chance import (
    Scores,
    estimate_rates,
    fit_pictures,
    fit_words,
    quantiles,
    rounded,
)
from indexer.calibration.pictures import draw_unrelated
from indexer.calibration.probes import Probe, make_probes
from indexer.calibration.texts import unrelated_texts
from indexer.encoders.base import Embeddings, ImageEncoder, TextEncoder
from indexer.pixels.looks import Look, Looks, look_at
from indexer.records import Language
from indexer.store.arrays import write_array
from indexer.store.calibration import KNOWN_ABOVE, LOOKS_NAME, Calibration, Measured, Rates
from indexer.text.fields import is_chinese_field

if TYPE_CHECKING:
    from indexer.store.field_manifest import FieldManifest

VERSION = 7
"""Raised whenever the same build would be calibrated otherwise."""

_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_LEXICAL = "lexical"
_PICTURES = 120
_PICTURES_AT_ONCE = 32
_RECORDS_PROBED = 120
_OWN_PICTURES = 400
_ROWS_PAIRED = 800
_LEAST_KNOWN = 20


class Calibrator:
    """Calibrates builds of the same encoders; what they share is embedded once.

    `chinese` embeds the fields of Chinese texts, where builds have such.
    """

    def __init__(
        self, text: TextEncoder, image: ImageEncoder | None, chinese: TextEncoder | None = None
    ) -> None:
        self._text = text
        self._image = image
        self._chinese = chinese
        self._unrelated_texts: dict[tuple[str, Language], Embeddings] = {}

    @property
    def digest(self) -> str:
        """A digest of the version of this procedure and of the texts that it asks."""
        texts = {language: unrelated_texts(language) for language in _LANGUAGES}
        return hashlib.sha256(json.dumps([VERSION, texts]).encode()).hexdigest()[:16]

    def calibrate(self, build: Path, fields: "Mapping[str, FieldManifest]") -> Calibration:
        """Return the calibration of the build in a folder; writes the looks of its pictures.

        Every sample is bounded: at most 120 records are asked about in words, 400 pictures, and
        each is paired with 800 records. What is compared with all records is found by the build's
        own search structures.
        """
        opened = BuildUnderTest(build, fields)
        measured: dict[str, Measured] = {}
        rates: dict[str, Rates] = {}
        probes = make_probes(opened.table, opened.kind, opened.records_with, _RECORDS_PROBED)
        for language in _LANGUAGES:
            mine = [probe for probe in probes if probe.language == language]
            rates[language] = self._calibrate_words(opened, language, mine, measured)
        farthest = None
        if "image" in opened.fields and self._image is not None:
            farthest, rates["image"] = self._calibrate_pictures(opened, self._image, measured)
        return Calibration(measured=measured, farthest_look=farthest, rates=rates)

    def _calibrate_words(
        self,
        build: BuildUnderTest,
        language: Language,
        probes: Sequence[Probe],
        measured: dict[str, Measured],
    ) -> Rates:
        """Add what chance reaches for texts of a language, in every ranking that reads it.

        Of pictures, also how often their own words find them: between words and pictures encoders
        differ most.
        Keywords are asked of words alone. As sentences they say little: with theirs, cosines that
        everyday texts reach would have to pass for related.
        """
        unrelated: list[Scores] = [build.best_coverage(unrelated_texts(language))]
        related: list[Scores] = [build.best_coverage_elsewhere(probes)]
        own: dict[str, Scores] = {}
        pairs: dict[str, tuple[float, ...] | None] = {
            _LEXICAL: quantiles(*build.paired_coverage(probes))
        }
        cases = [probe.case_id for probe in probes]
        torn = np.array([probe.keywords for probe in probes], np.bool_)
        told = ~torn & ~np.array([probe.facts for probe in probes], np.bool_)
        rows = np.array([probe.row for probe in probes], np.int64)
        for reader, fields in self._readers(build, language):
            asked = reader.encode_texts([probe.text for probe in probes], "query")
            for field in fields:
                unrelated.append(build.best_cosine(field, self._embed_unrelated(reader, language)))
                reached = build.best_cosine_elsewhere(field, asked, cases)
                related.append(np.where(torn, np.nan, reached))
                pairs[field] = quantiles(build.paired_cosines(field, asked, cases, _ROWS_PAIRED))
                if field == "image":
                    own[field] = build.own_cosines(field, asked[told], rows[told])
        chance, known = np.stack(unrelated, axis=1), np.stack(related, axis=1)
        fitted = zip(pairs, fit_words(chance, known), chance.std(axis=0), strict=True)
        for name, least, spread in fitted:
            found = Measured(pairs=pairs[name], least=rounded(least), spread=rounded(spread))
            measured[f"{language}>{name}"] = replace(found, known=_known(found, own.get(name)))
        return estimate_rates(chance, known, fit_words, "any")

    def _readers(
        self, build: BuildUnderTest, language: Language
    ) -> Iterator[tuple[TextEncoder, list[str]]]:
        """Yield the encoders that read a language, each with the fields that it is asked of.

        Words are compared with pictures by the text tower of the pictures' own encoder.
        """
        readers: list[tuple[TextEncoder, list[str]]] = []
        for field in build.fields:
            asked = self._reader_of(field)
            if asked is None or language not in asked.spec.languages:
                continue
            for reader, fields in readers:
                if reader.text_fingerprint == asked.text_fingerprint:
                    fields.append(field)
                    break
            else:
                readers.append((asked, [field]))
        yield from readers

    def _reader_of(self, field: str) -> TextEncoder | None:
        """Return the encoder that embeds words to be compared with a field; None if none does."""
        if is_chinese_field(field):
            return self._chinese
        if field != "image":
            return self._text
        return self._image if isinstance(self._image, TextEncoder) else None

    def _embed_unrelated(self, reader: TextEncoder, language: Language) -> Embeddings:
        """Return embeddings (n, d) of texts in a language that say nothing medical."""
        key = (reader.spec.key, language)
        if key not in self._unrelated_texts:
            self._unrelated_texts[key] = reader.encode_texts(unrelated_texts(language), "query")
        return self._unrelated_texts[key]

    def _calibrate_pictures(
        self, build: BuildUnderTest, image: ImageEncoder, measured: dict[str, Measured]
    ) -> tuple[float, Rates]:
        """Add what chance reaches for pictures; return how far apart looks may be, and the rates.

        A picture must be near in both: what it shows (cosine) and how it looks.
        """
        wanted = image.image_input
        own = build.sample_pictures(_OWN_PICTURES, wanted.px, wanted.resize)
        sample = np.array([look_at(picture) for picture in own.pixels])
        looks = Looks(sample)
        write_array(build.folder / LOOKS_NAME, [sample], sample.shape, np.float32)
        vectors, drawn = self._unrelated_pictures
        chance = np.stack([build.best_cosine("image", vectors), -looks.distances(drawn)], axis=1)
        cases = np.array(own.cases)
        same = cases[:, np.newaxis] == cases
        known = np.stack(
            [
                build.best_cosine_elsewhere("image", own.vectors, own.cases),
                -looks.distances(sample, excluded=same),
            ],
            axis=1,
        )
        known = known[np.isfinite(known).all(axis=1)]
        least, nearness = fit_pictures(chance, known).tolist()
        pairs = quantiles(build.paired_cosines("image", own.vectors, own.cases, _ROWS_PAIRED))
        # No spread: cosines of drawings differ so much that a normal tail would demand nearly the
        # same picture of several indexes, and looks refuse what is strange in each.
        measured["image>image"] = Measured(pairs=pairs, least=rounded(least))
        return rounded(-nearness), estimate_rates(chance, known, fit_pictures, "all")

    @cached_property
    def _unrelated_pictures(self) -> tuple[Embeddings, Look]:
        """Return embeddings (n, d) and looks (n, 18) of pictures that show nothing medical."""
        if self._image is None:
            message = "no image encoder"
            raise ValueError(message)
        pixels = draw_unrelated(self._image.image_input.px, _PICTURES)
        batches = [
            self._image.encode_images(pixels[start : start + _PICTURES_AT_ONCE])
            for start in range(0, len(pixels), _PICTURES_AT_ONCE)
        ]
        return np.concatenate(batches), np.array([look_at(picture) for picture in pixels])


def _known(measured: Measured, own: Scores | None) -> float | None:
    """Return the share of records that their own words find; None where too few were asked."""
    if own is None or len(own) < _LEAST_KNOWN or measured.pairs is None:
        return None
    percentiles = [measured.percentile(score) or 0.0 for score in own.tolist()]
    return rounded(float(np.mean(np.array(percentiles) >= KNOWN_ABOVE)))
