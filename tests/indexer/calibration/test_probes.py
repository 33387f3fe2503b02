import pyarrow as pa

from indexer.calibration.probes import make_probes, sample_rows


def test_rows_are_drawn_once_and_repeatably() -> None:
    rows = sample_rows(1000, 50)
    assert rows == sorted(set(rows)) == sample_rows(1000, 50)
    assert len(rows) == 50
    assert sample_rows(3, 50) == [0, 1, 2]
    assert sample_rows(0, 50) == []


def test_a_question_gives_its_beginning_and_its_rarest_shared_words() -> None:
    question = "Which drug treats anaphylaxis first " + "and so on " * 20
    table = pa.table({"case_id": ["a"], "question": [question]})
    held = {"drug": 9, "treat": 5, "anaphylaxi": 2, "first": 30}
    probes = make_probes(table, "text", lambda token: held.get(token, 1), 10)
    assert len(probes[0].text.split()) == 16
    assert probes[1].text == "anaphylaxi treat"
    assert [probe.keywords for probe in probes] == [False, True]
    assert {probe.case_id for probe in probes} == {"a"}


def test_a_chinese_question_is_asked_by_characters() -> None:
    table = pa.table({"case_id": ["a"], "question": ["胸痛伴出汗应首先做什么检查" * 4]})
    [probe] = make_probes(table, "text", lambda _: 2, 10)
    assert probe.language == "zh"
    assert len(probe.text) == 24


def test_without_a_caption_what_is_stated_is_asked_and_each_text_once() -> None:
    table = pa.table(
        {
            "case_id": ["a", "b", "c"], "caption": [None, None, None],
            "modality": ["X-ray", "X-ray", None], "body_part": ["wrist", "wrist", None],
            "labels": [["abnormal"], ["abnormal"], []],
        }
    )  # fmt: skip
    [probe] = make_probes(table, "image", lambda _: 2, 10)
    assert probe.text == "X-ray wrist abnormal"
