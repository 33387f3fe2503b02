"""AI Medical Chatbot: one parquet file of dialogues, as scraped: arrows, odd spaces, repeats."""

from pathlib import Path

import numpy as np

from indexer.sample.tally import Tally
from indexer.sample.texts import read_texts

_COLUMNS = ("Description", "Patient", "Doctor")
_ARROW = " For further information consult a doctor online -->"
_REPEATED_SHARE = 0.04


def write_ai_medical_chatbot(root: Path, seed: int) -> Tally:
    """Write the dialogues; some rows are repeated, one has no answer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng([seed, 151])
    rows = [_as_scraped(number, *entry) for number, entry in enumerate(read_texts("dialogues"))]
    tally = Tally(records=len(rows), duplicates=max(1, round(len(rows) * _REPEATED_SHARE)))
    repeated = [rows[i] for i in rng.choice(len(rows), tally.duplicates, replace=False)]
    unanswered = ("Q. Will anybody answer this?", "I wrote three days ago.", "")
    every = [*rows, *repeated, unanswered]
    tally.expect_reject("dialogues.parquet", "bad_row", "an empty answer", line=len(every))
    columns = zip(*every, strict=True)
    table = pa.table(
        {
            name: pa.array(values, pa.large_string())
            for name, values in zip(_COLUMNS, columns, strict=True)
        }
    )
    pq.write_table(table, root / "dialogues.parquet")
    return tally


def _as_scraped(number: int, title: str, message: str, reply: str) -> tuple[str, str, str]:
    """Return a dialogue with the traces of its web page: `Q.`, `-->`, non-breaking spaces."""
    if number % 3 == 0:
        message = message.replace(" and ", " and\u00a0", 1)
    if number % 2 == 0:
        reply += _ARROW
    return f"Q. {title}", message, reply
