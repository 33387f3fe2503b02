"""Where a figure of ROCOv2 was published, as license_information.csv tells it."""

import re
from dataclasses import dataclass

from indexer.datasets.rocov2_files import clean_id
from indexer.datasets.rows import RawRow

_LICENCE = re.compile(r"CC[ -]?BY((?:[ -](?:NC|SA|ND))*)(?:[ -]?([1-4]\.0))?\b", re.IGNORECASE)
_LICENCE_URL = re.compile(r"licenses/by((?:-(?:nc|sa|nd))*)/([1-4]\.0)", re.IGNORECASE)
_ARTICLE = re.compile(r"PMC[0-9]+")
# As whoever is to be named is named: "Roe et al. (2021)".
_YEAR = re.compile(r"\(((?:19|20)[0-9]{2})[a-z]?\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSource:
    """Where a figure was published: its own licence, whom to name, the article's id and year."""

    licence: str | None = None
    attribution: str | None = None
    article: str | None = None
    year: int | None = None


def parse_source(row: RawRow) -> tuple[str, FigureSource]:
    """Read a row of license_information.csv, whose columns differ between releases."""
    text = " ".join(str(value).strip() for value in row.values.values() if value)
    article = _ARTICLE.search(text)
    attribution = " ".join(part for part in map(row.optional_text, ("Attribution", "Link")) if part)
    year = _YEAR.search(row.optional_text("Attribution") or "")
    return clean_id(row), FigureSource(
        licence=_find_licence(text),
        attribution=attribution or None,
        article=article[0] if article else None,
        year=int(year[1]) if year else None,
    )


def _find_licence(text: str) -> str | None:
    """Return the Creative Commons licence that a text names, as `CC BY-NC 4.0`, or None."""
    match = _LICENCE.search(text) or _LICENCE_URL.search(text)
    if match is None:
        return None
    terms = match[1].replace(" ", "-").upper()
    return f"CC BY{terms}" + (f" {match[2]}" if match[2] else "")
