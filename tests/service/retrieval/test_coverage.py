from pathlib import Path

import pytest

from indexer.store.index_set import IndexSet
from indexer.text.tokenise import tokenise
from service.retrieval.coverage import ceilings
from service.retrieval.fusion import Key
from service.retrieval.legs import Area, LexicalLeg


@pytest.mark.parametrize("text", ["How is anaphylaxis treated first?", "disease 7 disease"])
def test_no_text_reaches_the_ceiling(indexes_dir: Path, text: str) -> None:
    reader = IndexSet(indexes_dir).snapshot()["asked"]
    [most] = ceilings([reader], text)
    best = reader.search_lexical(text, 3).scores
    assert 0 < best[0] < most


@pytest.mark.parametrize("text", ["How is anaphylaxis treated first?", "disease 7 disease", "zy"])
def test_no_record_scores_more_than_the_words_that_it_holds(indexes_dir: Path, text: str) -> None:
    reader = IndexSet(indexes_dir).snapshot()["asked"]
    area = Area([reader], [None])
    leg = LexicalLeg(text, 1.0, (0,), ceilings([reader], text))
    keys = [Key(0, row) for row in range(reader.table.num_rows)]
    scores = leg.scores(area, keys)
    most = leg.most(area, keys)
    assert {key for key in keys if most[key] > 0} == set(scores)
    assert all(most[key] > found.score for key, found in scores.items())


def test_unknown_words_raise_the_ceiling_but_not_the_scores(indexes_dir: Path) -> None:
    reader = IndexSet(indexes_dir).snapshot()["asked"]
    plain, odd = "anaphylaxis treated", "anaphylaxis treated zyzzyva"
    assert tokenise(odd)[:2] == tokenise(plain)
    assert ceilings([reader], odd) > ceilings([reader], plain)
    assert reader.search_lexical(odd, 1).scores == pytest.approx(
        reader.search_lexical(plain, 1).scores
    )
