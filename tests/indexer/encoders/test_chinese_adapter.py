"""The encoder for Chinese that ships."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from indexer.encoders.catalogue import get_spec
from indexer.encoders.chinese_adapter import (
    TOKENIZER_NAME,
    WEIGHTS_NAME,
    chinese_folder,
    load_chinese,
)
from indexer.encoders.text_tower import WindowedTextEncoder
from indexer.errors import EncoderError

TEXTS = ("新冠病毒会通过飞沫传播吗？", "新型冠状病毒能不能经飞沫传染", "高血压病人应该怎么吃药？")


@pytest.fixture(scope="module")
def encoder() -> WindowedTextEncoder:
    return load_chinese(get_spec("e5-small-zh"), device="cpu", precision="float32")


def test_texts_of_one_meaning_are_closer_than_others(encoder: WindowedTextEncoder) -> None:
    first, second, other = encoder.encode_texts(TEXTS, "query")
    assert first @ second > 0.95
    assert first @ other < 0.88


def test_both_scripts_and_wide_letters_are_read(encoder: WindowedTextEncoder) -> None:
    simple, traditional, other = encoder.encode_texts(
        ["肺炎患者需要做胸部CT吗", "肺炎患者需要做胸部ＣＴ嗎", "孩子不爱吃饭怎么办"], "query"
    )
    assert simple @ traditional > 0.95
    assert simple @ traditional > simple @ other + 0.1


def test_questions_are_embedded_as_documents_and_as_queries_alike(
    encoder: WindowedTextEncoder,
) -> None:
    asked, indexed = (encoder.encode_texts(TEXTS, role) for role in ("query", "document"))
    np.testing.assert_array_equal(asked, indexed)
    assert "documents begin 'query: '" in encoder.text_fingerprint.preprocessing


def test_medical_characters_are_in_the_vocabulary(encoder: WindowedTextEncoder) -> None:
    rules = encoder.towers["query"].rules
    unknown = 3
    for text in (
        *TEXTS,
        "血红蛋白≥120g/L，体温38.5℃，α受体、β受体",
        "支氣管鏡檢查、糖尿病酮症酸中毒",
    ):
        assert unknown not in rules.tokenise(text)
    assert unknown in rules.tokenise("привет")


@pytest.mark.parametrize("name", [WEIGHTS_NAME, TOKENIZER_NAME])
def test_a_changed_file_is_not_used(tmp_path: Path, name: str) -> None:
    shutil.copytree(chinese_folder(), tmp_path / "own")
    with (tmp_path / "own" / name).open("r+b") as stream:
        stream.seek(-9, os.SEEK_END)
        stream.write(b"\x07")
    with pytest.raises(EncoderError, match=f"own/{name}: SHA-256"):
        load_chinese(get_spec("e5-small-zh"), tmp_path / "own", device="cpu")


def test_the_card_names_where_it_came_from_and_what_is_not_known() -> None:
    from indexer.encoders.chinese.convert import SOURCE_SHA256

    card = (chinese_folder() / "MODEL_CARD.md").read_text("utf-8")
    for word in (SOURCE_SHA256, "intfloat/multilingual-e5-small", "MIT", "could not be verified"):
        assert word in card


def test_the_fingerprint_binds_weights_and_tokenizer(encoder: WindowedTextEncoder) -> None:
    fingerprint = encoder.text_fingerprint
    assert fingerprint.key == "e5-small-zh"
    assert fingerprint.weights_sha256 != fingerprint.tokenizer_sha256
    assert json.loads(json.dumps(fingerprint.to_json()))["versions"].keys() == {"torch"}
