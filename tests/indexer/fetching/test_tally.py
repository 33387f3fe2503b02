import pytest

from indexer.errors import FetchError
from indexer.fetching.tally import Tally


def test_what_all_downloads_have_is_summed_up() -> None:
    seen: list[tuple[str, int]] = []
    tally = Tally(lambda label, done: seen.append((label, done)))
    first, second = tally.listen("1", "one"), tally.listen("2", "two")
    first(10)
    second(5)
    first(4)  # it began anew
    assert seen == [("one", 10), ("two", 15), ("one", 9)]


def test_a_stopped_download_ends_at_its_next_bytes() -> None:
    tally = Tally(lambda _label, _done: None)
    report = tally.listen("1", "one")
    tally.stop()
    with pytest.raises(FetchError, match="one was stopped"):
        report(1)
