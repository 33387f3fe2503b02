"""Each dataset of the hub, in the files and columns that its publisher ships, cut half-way."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import SourceUnreachableError
from indexer.fetching.base import FetchOptions
from indexer.fetching.fetch import open_fetch
from indexer.fetching.receipt import read_receipt
from indexer.fetching.sources import SOURCES, HubSource
from indexer.records import Reject
from tests.indexer.fetching.conftest import files_below
from tests.indexer.fetching.stand_ins import HubStandIn, cut, serve

ROWS = 200


def parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), stream)
    return stream.getvalue()


def figure(number: int) -> dict[str, Any]:
    name = f"ROCOv2_2023_train_{number:06}"
    image = {"bytes": bytes(5000), "path": f"{name}.jpg"}
    return {"image": image, "image_id": name, "caption": f"Figure {number}.", "cui": ["C0040405"]}


def calculation(number: int) -> dict[str, Any]:
    return {
        "Row Number": number, "Calculator ID": 2, "Calculator Name": "Creatinine Clearance",
        "Category": "lab", "Output Type": "decimal", "Note ID": f"pmc-{number}",
        "Note Type": "Extracted", "Patient Note": f"A patient of {number} years.",
        "Question": "What is the clearance?", "Relevant Entities": "{}",
        "Ground Truth Answer": "10.5", "Lower Limit": "10", "Upper Limit": "11",
        "Ground Truth Explanation": "By the formula.",
    }  # fmt: skip


def case(number: int) -> dict[str, Any]:
    question = f"患者{number}岁，咳嗽三天，最可能的诊断是什么？"
    options = {letter: f"诊断{letter}" for letter in "ABCD"}
    return {"id": f"case-{number}", "question": question, "options": options, "answer": ["A"]}


def dialogue(number: int) -> dict[str, Any]:
    return {
        "Description": f"Q. Is sign {number} bad?",
        "Patient": f"Hi doctor, I have sign {number}.",
        "Doctor": f"Hello. Sign {number} is none.",
    }


FILES = {
    "rocov2": {"data/train-00000-of-00001.parquet": parquet([figure(n) for n in range(ROWS)])},
    "jmed": {"JMED.jsonl": "\n".join(json.dumps(case(n)) for n in range(ROWS)).encode()},
    "medcalc_bench": {
        "data/train-00000-of-00001.parquet": parquet([calculation(n) for n in range(ROWS)])
    },
    "ai_medical_chatbot": {"dialogues.parquet": parquet([dialogue(n) for n in range(ROWS)])},
}


@pytest.mark.parametrize("name", FILES)
def test_a_dataset_that_was_cut_half_way_is_had_by_the_same_command(
    name: str, options: Callable[..., FetchOptions], tmp_path: Path
) -> None:
    source = SOURCES[name]
    assert isinstance(source, HubSource)
    files = FILES[name]
    half = len(next(iter(files.values()))) // 2
    stand_in = HubStandIn(source.repository, files | {"README.md": b"# card"}, frozenset(files))
    stand_in.commit = source.revision or stand_in.commit
    with serve(stand_in) as hub:
        hub.faults["/cdn/"] = [cut(half), *[cut(0)] * 9]
        chosen = options(base_url=hub.url)
        for complete in (False, True):
            with open_fetch(name, tmp_path, chosen) as opened:
                if complete:
                    opened.run(lambda _piece, _done: None)
                    continue
                with pytest.raises(SourceUnreachableError):
                    opened.run(lambda _piece, _done: None)
            assert not (tmp_path / name).exists()
            hub.faults.clear()
    root = tmp_path / name
    assert files_below(root) == {".medsearch.json", *files}
    assert all((root / file).read_bytes() == content for file, content in files.items())
    rows = list(get_dataset(name).iter_rows(root))
    assert len(rows) == ROWS
    assert not [row for row in rows if isinstance(row, Reject)]
    receipt = read_receipt(root)
    assert receipt is not None
    assert (receipt.revision, receipt.licence) == (stand_in.commit, get_dataset(name).info.licence)
