import pytest
from typer.testing import CliRunner

from indexer.encoders.catalogue import CATALOGUE
from indexer.encoders.rerankers import RERANKERS
from indexer.errors import UnknownNameError
from service.cli import app


def run(*words: str) -> str:
    done = CliRunner().invoke(app, ["encoders", *words], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_holds_every_encoder_and_every_reranker() -> None:
    lines = run().splitlines()
    for spec in [*CATALOGUE.values(), *RERANKERS.values()]:
        [line] = [line for line in lines if f"│ {spec.key} " in line]
        assert spec.model.rsplit("/", 1)[-1] in line
        assert spec.licence in line


@pytest.mark.parametrize("key", ["bge-m3", "bge-reranker-v2-m3"])
def test_showing_one_tells_where_it_is_from_and_what_is_unverified(key: str) -> None:
    shown = run("show", key)
    spec = {**CATALOGUE, **RERANKERS}[key]
    for value in (spec.revision, spec.source, spec.family, *spec.unverified):
        assert value in shown


def test_a_misspelt_key_gets_a_suggestion_among_both() -> None:
    done = CliRunner().invoke(app, ["encoders", "show", "bge-reranker"])
    assert isinstance(done.exception, UnknownNameError)
    assert "bge-reranker-v2-m3" in done.exception.remedy
