from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store.seen import Seen

ROWS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123456")), max_size=30)


def settle(seen: Seen, rows: list[tuple[str, str]]) -> list[str]:
    """Settle rows as a build does: duplicate of a record, record, or reject."""
    outcomes = []
    for record_id, key in rows:
        first = seen.first_with_content(key)
        taken = first is None and seen.claim(record_id, key)
        outcomes.append(f"as {first}" if first else "record" if taken else "reject")
    return outcomes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, cut=st.integers(0, 30))
def test_a_resumed_build_settles_rows_as_an_uninterrupted_one(
    tmp_path: Path, rows: list[tuple[str, str]], cut: int
) -> None:
    straight = Seen(tmp_path / "straight.sqlite")
    expected = settle(straight, rows)
    straight.close()

    resumed = Seen(tmp_path / "resumed.sqlite")
    before = zip(rows[:cut], expected[:cut], strict=True)
    resumed.remember(row for row, outcome in before if outcome == "record")
    assert settle(resumed, rows[cut:]) == expected[cut:]
    resumed.close()


def test_a_rejected_row_leaves_its_content_to_the_next(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "seen.sqlite")
    rows = [("a", "1"), ("a", "2"), ("b", "2"), ("c", "1")]
    assert settle(seen, rows) == ["record", "reject", "record", "as a"]
    seen.close()
