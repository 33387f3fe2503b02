import pytest

from indexer.datasets.literals import read_literal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'age': [87, 'years'], 'Stroke': True}", {"age": [87, "years"], "Stroke": True}),
        (" ('29 weeks', '2 days') ", ("29 weeks", "2 days")),
        ("[{'a': [1]}, {'b': (2, 3)}]", [{"a": [1]}, {"b": (2, 3)}]),
        ("-3.5", -3.5),
    ],
)
def test_literals_are_read(text: str, value: object) -> None:
    assert read_literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        "{'a': nan}",
        "__import__('os').system('true')",
        "{[]: 1}",
        "'unclosed",
        "1 +",
        "9" * 5000,
        "[" * 100_000,
        "[" * 17 + "]" * 17,
        "(" * 100_000 + ")" * 100_000,
        "-" * 60_000 + "1",
        "[" + "1," * 40_000 + "]",
        "'\0'",
    ],
)
def test_everything_else_is_none_and_does_no_harm(text: str) -> None:
    assert read_literal(text) is None


def test_sixteen_levels_are_not_too_deep() -> None:
    assert read_literal("[" * 16 + "]" * 16) is not None
