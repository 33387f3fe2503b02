import pytest

from indexer.datasets.raw_row import RawRow
from indexer.datasets.rocov2_sources import FigureSource, parse_source


def source_of(**values: str) -> FigureSource:
    row = RawRow(path="license_information.csv", line=2, index=0, values={"ID": "a.jpg"} | values)
    image_id, source = parse_source(row)
    assert image_id == "a"
    return source


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("CC BY [Roe et al. (2021)]", "CC BY"),
        ("CC-BY-NC 4.0, Roe", "CC BY-NC 4.0"),
        ("© Roe. cc by nc nd", "CC BY-NC-ND"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/", "CC BY-NC-SA 3.0"),
        ("All rights reserved", None),
        ("CC BYRON", None),
    ],
)
def test_the_licence_is_found_in_the_attribution(text: str, licence: str | None) -> None:
    assert source_of(Attribution=text).licence == licence


def test_a_licence_column_of_its_own_is_read_as_well() -> None:
    source = source_of(License="CC BY-NC", Attribution="Roe (2021)")
    assert (source.licence, source.attribution) == ("CC BY-NC", "Roe (2021)")


@pytest.mark.parametrize(
    "values",
    [{"PMCID": "PMC12"}, {"Link": "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC12/"}],
)
def test_the_article_is_found_in_any_column(values: dict[str, str]) -> None:
    assert source_of(**values).article == "PMC12"


@pytest.mark.parametrize(
    ("text", "year"),
    [("CC BY [Roe et al. (2021)]", 2021), ("Roe (1998b), p. (12)", 1998), ("Roe 2021 (3)", None)],
)
def test_the_year_is_found_in_the_attribution(text: str, year: int | None) -> None:
    assert source_of(Attribution=text).year == year


def test_what_is_not_said_is_none() -> None:
    assert source_of(Attribution="", Link="") == FigureSource()
