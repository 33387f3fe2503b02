from pathlib import Path

import pytest

from indexer.errors import QueryError
from service.prompting.prompt import Prompter
from service.prompting.request import PromptRequest
from service.prompting.template_set import TemplateBrokenError, Templates
from tests.service.prompting.canned import Canned

USER = '{% include "sources-1.part.j2" %}'


def add(folder: Path, version: str, system: str, user: str = USER) -> Path:
    (folder / f"{version}.system.j2").write_text(system, "utf-8")
    (folder / f"{version}.user.j2").write_text(user, "utf-8")
    return folder


def write(kit, folder: Path, name: str = "mine") -> str:  # type: ignore[no-untyped-def]
    prompter = Prompter(Canned([kit.text_record("t", 1)]), Templates(folder))  # type: ignore[arg-type]
    return prompter.write(PromptRequest(question="What now?", template=name)).text


@pytest.mark.parametrize(
    ("name", "version"),
    [("answer", "answer-3"), ("answer-3", "answer-3"), ("choice", "choice-1"),
     ("calculation", "calculation-1"), ("image_report", "image_report-1")],
)  # fmt: skip
def test_what_ships(name: str, version: str) -> None:
    assert Templates().find(name) == version


@pytest.mark.parametrize("name", ["answer-2", "rules", "rules-1", "../answer", "mine", ""])
def test_an_unknown_one_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(QueryError) as refused:
        Templates().find(name)
    assert "answer, answer-3, calculation" in refused.value.remedy


def test_a_folder_adds_templates_and_the_newest_counts(kit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    add(tmp_path, "mine-2", "Two.")
    add(tmp_path, "mine-10", 'Ten. {% include "rules-1.part.j2" %}')
    assert Templates(tmp_path).find("mine") == "mine-10"
    assert Templates(tmp_path).find("mine-2") == "mine-2"
    assert write(kit, tmp_path).startswith("Ten. The user's message holds passages")
    (tmp_path / "mine-11.system.j2").write_text("Eleven.")
    (tmp_path / "mine-11.user.j2").write_text(USER)
    assert write(kit, tmp_path).startswith("Eleven.")


def test_what_ships_is_not_replaced(kit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    add(tmp_path, "answer-3", "Mine.")
    (tmp_path / "rules-1.part.j2").write_text("No rules.")
    assert "Mine." not in write(kit, tmp_path, "answer-3")
    assert "No rules." not in write(kit, tmp_path, "answer-3")


@pytest.mark.parametrize(
    ("system", "user"),
    [
        ("{{ nothing }}", USER),
        ("{% if %}", USER),
        ("{{ ''.__class__.__mro__ }}", USER),
        ("{{ 1 / 0 }}", USER),
        ("{% include 'no.j2' %}", USER),
        ("Fine.", "{{ question }}"),
        ("Fine.", "{% for block in blocks %}{{ block | upper }}{% endfor %}"),
    ],
)
def test_a_broken_one_is_told(kit, tmp_path: Path, system: str, user: str) -> None:  # type: ignore[no-untyped-def]
    add(tmp_path, "mine-1", system, user)
    with pytest.raises(TemplateBrokenError) as broken:
        write(kit, tmp_path)
    assert str(tmp_path) not in str(broken.value)


def test_a_missing_part_is_told(kit, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine-1.system.j2").write_text("Alone.")
    with pytest.raises(TemplateBrokenError):
        write(kit, tmp_path)
