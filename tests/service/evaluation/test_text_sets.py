from pathlib import Path

import pytest

from indexer.errors import BadRecordError, DatasetNotFoundError
from service.evaluation.text_sets import read_text_sets

MQP = """\
1,"Is it safe, doctor?",Would it be safe?,1
1,"Is it safe, doctor?",What does it cost?,0
2,Can I swim?,Is   swimming fine?,1
2,Can I swim?,Can I fly?,0
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_medical_question_pairs(tmp_path: Path) -> None:
    write(tmp_path / "mqp/mqp.csv", MQP)
    [texts] = read_text_sets(tmp_path)
    assert (texts.name, texts.language, texts.measures[0]) == ("mqp", "en", "R@1")
    assert len(texts.documents) == 6
    assert list(texts.queries.values()) == ["Is it safe, doctor?", "Can I swim?"]
    grades = {
        texts.documents[asked]: {texts.documents[found]: grade for found, grade in found.items()}
        for asked, found in texts.qrels.items()
    }
    assert grades["Can I swim?"] == {"Is swimming fine?": 1, "Can I fly?": 0}


def test_chinese_pairs_of_several_files_are_one_set(tmp_path: Path) -> None:
    head = "id,category,query1,query2,label\n"
    write(
        tmp_path / "pairs/a.csv",
        "\ufeff" + head + "0,咳血,怎么了？,是什么？,1\n1,咳血,怎么了？,好吗？,0\n",
    )
    write(tmp_path / "pairs/b.csv", head + "0,咳血,怎么了？,为什么？,1\n1,咳血,没有？,好吗？,0\n")
    [texts] = read_text_sets(tmp_path)
    assert (texts.name, texts.language) == ("pairs", "zh")
    assert len(texts.documents) == 5
    [(asked, grades)] = texts.qrels.items()
    assert texts.documents[asked] == "怎么了？"
    assert sorted(grades.values()) == [0, 1, 1]


def test_nfcorpus_keeps_judgments_of_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "nf/dev.docs", "MED-1\tphosphate toxin\nMED-2\tmilk\n")
    write(tmp_path / "nf/test.docs", "MED-2\tmilk\nMED-3\ttea\n")
    write(tmp_path / "nf/dev.titles.queries", "PLAIN-1\tis phosphate bad\nPLAIN-2\tdogs\n")
    write(tmp_path / "nf/dev.nontopic-titles.queries", "PLAIN-9\tleft out\n")
    write(
        tmp_path / "nf/dev.2-1-0.qrel",
        "PLAIN-1\t0\tMED-1\t2\nPLAIN-1 0 MED-3 1\nPLAIN-2 0 GONE 1\n",
    )
    [texts] = read_text_sets(tmp_path)
    assert texts.documents.keys() == {"MED-1", "MED-2", "MED-3"}
    assert texts.queries == {"PLAIN-1": "is phosphate bad"}
    assert texts.qrels == {"PLAIN-1": {"MED-1": 2, "MED-3": 1}}


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("mqp.csv", MQP + "3,one,two,maybe\n", "mqp.csv:5"),
        ("mqp.csv", MQP + "3,one,two\n", "mqp.csv:5"),
        ("pairs.csv", "query1,query2,label\na,b,2\n", "pairs.csv:2"),
        ("x.2-1-0.qrel", "PLAIN-1 0 MED-1\n", "x.2-1-0.qrel:1"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, file: str, text: str, where: str) -> None:
    write(tmp_path / file, text)
    with pytest.raises(BadRecordError, match=where):
        read_text_sets(tmp_path)


def test_a_folder_without_judged_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "other.csv", "a,b\n1,2\n")
    with pytest.raises(DatasetNotFoundError, match="No judged texts"):
        read_text_sets(tmp_path)


@pytest.mark.realdata
def test_counts_of_the_development_halves(realdata_dir: Path) -> None:
    found = {texts.name: texts for texts in read_text_sets(realdata_dir / "relevance")}
    sizes = {name: (len(one.documents), len(one.queries)) for name, one in found.items()}
    assert sizes == {
        "mqp": (2382, 795),
        "ncov_sentence_pair": (9647, 1503),
        "nfcorpus": (3395, 324),
    }
    grades = [grade for one in found["nfcorpus"].qrels.values() for grade in one.values()]
    assert len(grades) == 11385
    assert sum(grade == 2 for grade in grades) == 521
