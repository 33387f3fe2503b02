"""An encoder for English and one for Chinese: each reads what it can, and they vote as one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import QueryError
from indexer.store.calibration import PAIR_SHARES, Calibration, Measured
from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, RecordSource, TextSource, VectorSource
from service.retrieval.reply import SearchReply
from tests.service.conftest import HashEncoder, loader

Ask = Callable[..., SearchReply]

CHINESE = "胸痛伴出汗应首先做什么检查？"
PAIRS = tuple(0.8 + share / 10 for share in PAIR_SHARES)


@pytest.fixture
def zh_encoder() -> HashEncoder:
    return HashEncoder("hash-zh", languages=("zh",))


@pytest.fixture
def bilingual(tmp_path: Path, kit, zh_encoder: HashEncoder) -> Opened:  # type: ignore[no-untyped-def]
    kit.publish(
        tmp_path,
        "exam",
        [
            kit.text_record("exam", 0, question="How is anaphylaxis treated first?"),
            kit.text_record("exam", 1, question="What is gout?"),
            kit.text_record("exam", 2, language="zh", question=CHINESE),
            kit.text_record("exam", 3, language="zh", question="高血压怎么治疗？"),
            kit.text_record("exam", 4, language="zh", question="胸痛应做什么检查？"),
        ],
        chinese=zh_encoder,
    )
    kit.publish(
        tmp_path, "old", [kit.text_record("old", 0, language="zh", question="发烧怎么办？")]
    )
    kit.publish(
        tmp_path,
        "scans",
        [
            kit.image_record("scans", 0, caption="grey 0"),
            kit.image_record("scans", 1, caption="胸部正位片", language="zh"),
            kit.image_record("scans", 2, caption=None),
        ],
        chinese=zh_encoder,
    )
    encoders = QueryEncoders(loader(HashEncoder(), zh_encoder), kit.decode_grey)
    return assemble(IndexSet(tmp_path), encoders)


@pytest.fixture
def ask(bilingual: Opened) -> Ask:
    def search(source: object, target: str = "questions", **options: object) -> SearchReply:
        query = Query(target=target, source=source, **options)  # type: ignore[arg-type]
        return bilingual.retriever.search(query)

    return search


def test_a_chinese_question_is_compared_with_chinese_ones_alone(ask: Ask) -> None:
    reply = ask(TextSource(CHINESE), indexes=("exam",))
    assert reply.score_kind == "blend"
    assert [hit.record.record_id for hit in reply.hits][:2] == ["exam/train/2", "exam/train/4"]
    best = reply.hits[0].why["question"]
    assert (best.rank, best.field) == (1, "question_zh")
    assert not reply.notes
    assert all("question" not in hit.why for hit in reply.hits if hit.record.language == "en")


def test_an_english_question_neither_asks_nor_loads_the_encoder_for_chinese(
    bilingual: Opened, ask: Ask, zh_encoder: HashEncoder
) -> None:
    embedded = zh_encoder.encoded_texts
    reply = ask(TextSource("How is anaphylaxis treated?"), indexes=("exam",))
    assert reply.hits[0].why["question"].field == "question"
    assert not reply.notes
    assert zh_encoder.encoded_texts == embedded
    assert bilingual.encoders.loaded == {"hash"}


def test_an_index_without_such_a_field_is_searched_by_words(ask: Ask) -> None:
    reply = ask(TextSource("发烧怎么办？"))
    [old] = [hit for hit in reply.hits if hit.index == "old"]
    assert set(old.why) == {"lexical"}
    # `old` holds nothing that its encoder reads, so no vote of it is missing.
    assert not reply.notes


def test_where_english_is_embedded_and_chinese_is_not_a_note_says_so(
    tmp_path: Path,
    kit,  # type: ignore[no-untyped-def]
    bilingual: Opened,
) -> None:
    records = [
        kit.text_record("both", 0),
        kit.text_record("both", 1, language="zh", question="发烧怎么办？"),
    ]
    kit.publish(tmp_path, "both", records)
    bilingual.indexes.refresh()
    query = Query(target="questions", source=TextSource("发烧怎么办？"))
    [note] = bilingual.retriever.search(query).notes
    assert note.message.endswith("no vote in: both.")


def test_weights_name_the_ranking_in_either_language(ask: Ask) -> None:
    reply = ask(TextSource(CHINESE), indexes=("exam",), weights={"question": 1, "lexical": 0})
    assert reply.score_kind == "cosine"
    assert {leg.name for leg in reply.legs} == {"question"}
    with pytest.raises(QueryError):
        ask(TextSource(CHINESE), weights={"question_zh": 1.0})


def test_a_record_is_searched_by_the_embedding_that_it_has(ask: Ask) -> None:
    chinese = ask(RecordSource("exam/train/2"), indexes=("exam",), mode="dense")
    assert {hit.record.language for hit in chinese.hits} == {"zh"}
    english = ask(RecordSource("exam/train/0"), indexes=("exam",), mode="dense")
    assert {hit.record.language for hit in english.hits} == {"en"}
    assert not chinese.notes
    assert not english.notes


def test_unlike_pushes_away_in_the_language_of_the_record(ask: Ask) -> None:
    plain = ask(TextSource(CHINESE), indexes=("exam",), mode="dense")
    pushed = ask(TextSource(CHINESE), indexes=("exam",), mode="dense", unlike=("exam/train/3",))
    before = {hit.record.record_id: hit.score for hit in plain.hits}
    after = {hit.record.record_id: hit.score for hit in pushed.hits}
    assert set(after) == {"exam/train/2", "exam/train/4"}
    assert after["exam/train/2"] != pytest.approx(before["exam/train/2"])


def test_a_ready_embedding_names_its_field(ask: Ask, zh_encoder: HashEncoder) -> None:
    vector = zh_encoder.encode_texts([CHINESE], "query")[0]
    reply = ask(VectorSource("question_zh", vector), indexes=("exam",))
    assert {hit.record.language for hit in reply.hits} == {"zh"}
    with pytest.raises(QueryError, match="no such field"):
        ask(VectorSource("question_fr", vector), indexes=("exam",))


def test_chinese_captions_vote_for_images(ask: Ask) -> None:
    reply = ask(TextSource("胸部正位片"), "images")
    best = reply.hits[0]
    assert best.record.record_id == "scans/train/1"
    assert best.why["caption"].field == "caption_zh"
    # The picture's own encoder does not read Chinese, and says so; captions had their vote.
    assert [note.code for note in reply.notes] == ["language"]
    assert "'image'" in reply.notes[0].message


def test_the_receipt_names_the_encoder_that_was_asked(ask: Ask) -> None:
    [stamp] = ask(TextSource(CHINESE), indexes=("exam",)).receipt.encoders
    assert (stamp.field, stamp.encoder) == ("question_zh", "hash-zh")


def test_chance_is_read_from_the_calibration_of_the_own_field(bilingual: Opened, ask: Ask) -> None:
    """Cosines of one encoder mean nothing in the other's scale."""
    calibration = Calibration(
        measured={
            "en>question": Measured(pairs=tuple(np.linspace(-1, 1, len(PAIRS))), least=0.5),
            "zh>question_zh": Measured(pairs=PAIRS, least=0.9),
            "en>lexical": Measured(pairs=None, least=0.9),
            "zh>lexical": Measured(pairs=None, least=1.1),
        }
    )
    for reader in bilingual.indexes.snapshot().values():
        reader.manifest = replace(reader.manifest, calibration=calibration)
    found = ask(TextSource(CHINESE), indexes=("exam",))
    assert found.relevant
    assert found.hits[0].percentile == pytest.approx(100)
    cosine = found.hits[1].why["question"].score
    assert cosine < 0.8
    assert found.hits[1].percentile == pytest.approx(0)
    assert not found.hits[1].beats_chance
    nothing = ask(TextSource("高血压"), indexes=("exam",), mode="dense")
    assert nothing.relevant is False
    assert "0.90 is needed" in (nothing.relevance_reason or "")
    # The blend counts a cosine from the median of unrelated pairs, .85 here.
    for hit in found.hits[:2]:
        dense, words = hit.why["question"].score, hit.why["lexical"].score
        share = 0.7 * (dense - 0.85) / (1 - 0.85) + 0.3 * words
        assert hit.score == pytest.approx(share, abs=1e-4)


def test_the_encoder_for_chinese_is_loaded_after_the_others(bilingual: Opened) -> None:
    assert bilingual.retriever.warm().answered == 2
    assert bilingual.encoders.loaded == {"hash"}
    assert bilingual.retriever.warm_chinese() == ()
    assert bilingual.encoders.loaded == {"hash", "hash-zh"}


def test_where_that_encoder_is_missing_english_is_still_answered(
    tmp_path: Path,
    kit,  # type: ignore[no-untyped-def]
    bilingual: Opened,
) -> None:
    opened = assemble(bilingual.indexes, QueryEncoders(loader(HashEncoder()), kit.decode_grey))
    assert opened.retriever.warm().problems == ()
    problems = opened.retriever.warm_chinese()
    assert {problem.code for problem in problems} == {"encoder_unavailable"}
    query = Query(target="questions", source=TextSource("What is gout?"), indexes=("exam",))
    assert opened.retriever.search(query).hits
