"""The answer of a language model: streamed, stopped, failed, and its citations checked."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.service.stand_in_llm import ANSWER, Script, stand_in

QUESTION = "How is anaphylaxis treated first?"


@pytest.fixture(scope="module")
def llm() -> Iterator[Script]:
    with stand_in() as script:
        yield script


@pytest.fixture(scope="module")
def answering(
    indexes: Path, start_service: Callable[..., AbstractContextManager[str]], llm: Script
) -> Iterator[str]:
    settings = {
        "MEDSEARCH_LLM_URL": llm.address, "MEDSEARCH_LLM_MODEL": "clever-8b",
        "MEDSEARCH_LLM_RETRIES": "0", "MEDSEARCH_LLM_SILENCE_S": "2",
    }  # fmt: skip
    with start_service(indexes, **settings) as address:
        yield address


@pytest.fixture
def panel(open_page: Callable[..., Page], answering: str, llm: Script) -> Page:
    llm.mode, llm.words = "answer", ANSWER
    llm.asked.clear()
    llm.hung_up.clear()
    page = open_page(f"#mode=questions&q={QUESTION}&prompt=open", at=answering)
    page.wait_for_selector("#ask-model", timeout=60_000)
    return page


def test_without_a_model_there_is_no_button(open_page: Callable[..., Page]) -> None:
    page = open_page(f"#mode=questions&q={QUESTION}&prompt=open")
    page.wait_for_selector(".citations li")
    expect(page.locator("#ask-model")).to_have_count(0)
    expect(page.locator("#prompt")).to_contain_text("Nothing is sent anywhere.")


def test_nothing_is_sent_before_it_is_asked_for(panel: Page, llm: Script) -> None:
    expect(panel.locator("#prompt")).to_contain_text("unless you let a model answer")
    expect(panel.get_by_role("button", name="Let clever-8b answer")).to_be_visible()
    assert llm.asked == []


def test_an_answer_comes_with_its_citations_checked(panel: Page, llm: Script) -> None:
    panel.click("#ask-model")
    answer = panel.locator(".answered")
    expect(answer).to_contain_text("with adrenaline into the thigh [1].")
    expect(answer.locator(".checks .held")).to_have_text("Cited, and there: [1]")
    expect(answer.locator(".checks .bad")).to_have_text("Cited, but no such source: [7]")
    expect(answer.locator(".no-source")).to_have_text("[7]")
    expect(answer.get_by_role("status")).to_contain_text("check them against the sources")
    expect(panel.locator("#stop-answer")).to_have_count(0)
    answer.get_by_role("button", name="Source 1").click()
    expect(panel.locator("#source-1 button")).to_be_focused()
    assert QUESTION in str(llm.asked[0]["messages"])


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_axe_finds_nothing_serious_about_an_answer(
    open_page: Callable[..., Page],
    serious: Callable[[Page], list[str]],
    answering: str,
    llm: Script,
    locale: str,
) -> None:
    llm.mode, llm.words = "answer", ("Water helps [1].", *ANSWER)
    fragment = f"#mode=questions&q={QUESTION}&prompt=open"
    page = open_page(fragment, at=answering, locale=locale)
    page.wait_for_selector("#ask-model", timeout=60_000)
    page.click("#ask-model")
    page.wait_for_selector(".checks")
    assert not serious(page)


def test_it_can_be_stopped(panel: Page, llm: Script) -> None:
    llm.mode = "endless"
    panel.click("#ask-model")
    expect(panel.locator(".answer-text")).to_contain_text("word word")
    expect(panel.locator(".answered")).to_have_attribute("aria-busy", "true")
    panel.click("#stop-answer")
    expect(panel.locator(".answer-state")).to_contain_text("Stopped")
    expect(panel.locator(".answer-text")).to_contain_text("word word")
    assert llm.hung_up.wait(10)


def test_closing_the_panel_stops_it(panel: Page, llm: Script) -> None:
    llm.mode = "endless"
    panel.click("#ask-model")
    expect(panel.locator(".answer-text")).to_contain_text("word word")
    panel.keyboard.press("Escape")
    assert llm.hung_up.wait(10)


def test_thoughts_are_folded(panel: Page, llm: Script) -> None:
    llm.words = ("<think>Adrenaline", " or water?</think>", "Adrenaline [1].")
    panel.click("#ask-model")
    expect(panel.locator(".answer-text")).to_have_text("Adrenaline [1].")
    thoughts = panel.locator(".thoughts")
    expect(thoughts.locator("p")).to_be_hidden()
    thoughts.locator("summary").click()
    expect(thoughts.locator("p")).to_have_text("Adrenaline or water?")


def test_markup_in_an_answer_is_shown_as_text(panel: Page, llm: Script) -> None:
    llm.words = ("<b>Adrenaline</b> [1].", '<img src=x onerror="document.title=1">')
    panel.click("#ask-model")
    expect(panel.locator(".answer-text")).to_contain_text("<b>Adrenaline</b>")
    expect(panel.locator(".answered img")).to_have_count(0)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("refuse", "Something went wrong"),
        ("garbage_later", "It broke off"),
        ("closed_early", "It broke off"),
        ("silent_later", "It broke off"),
        ("empty", "Something went wrong"),
    ],
)
def test_a_failure_is_told_and_may_be_tried_again(
    panel: Page, llm: Script, mode: str, words: str
) -> None:
    llm.mode = mode
    panel.click("#ask-model")
    expect(panel.locator(".answered")).to_contain_text(words)
    expect(panel.locator(".answered .notice.error")).to_be_visible()
    expect(panel.locator(".checks")).to_have_count(0)
    assert "secretserverwords" not in panel.locator("body").inner_text()
    llm.mode = "answer"
    panel.click("#ask-model")
    expect(panel.locator(".checks")).to_be_visible()


def test_a_service_that_goes_away_is_told(panel: Page) -> None:
    panel.route("**/v1/answers", lambda route: route.abort())
    panel.click("#ask-model")
    expect(panel.locator(".answered .notice.error")).to_contain_text("does not answer")
