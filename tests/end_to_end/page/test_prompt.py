"""The prompt panel: the text to copy, and the sources behind its numbers."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

QUESTION = "How is anaphylaxis treated first?"


@pytest.fixture
def prompt_page(open_page: Callable[..., Page], address: str) -> Page:
    page = open_page(f"#mode=questions&q={QUESTION}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page.click("#make-prompt")
    page.wait_for_selector(".citations li")
    return page


def test_it_is_copied_as_text_and_as_messages(prompt_page: Page) -> None:
    prompt_page.get_by_role("button", name="Copy text").click()
    expect(prompt_page.locator("#status")).to_have_text("Copied")
    text = prompt_page.evaluate("navigator.clipboard.readText()")
    assert QUESTION in text
    assert "[1]" in text
    prompt_page.get_by_role("button", name="Copy messages").click()
    prompt_page.wait_for_timeout(100)
    messages = json.loads(prompt_page.evaluate("navigator.clipboard.readText()"))
    assert [message["role"] for message in messages] == ["system", "user"]


def test_its_sources_are_numbered_and_lead_to_records(prompt_page: Page) -> None:
    expect(prompt_page.locator("#prompt")).to_contain_text("tokens")
    first = prompt_page.locator(".citations li").first
    expect(first).to_contain_text("medical_o1_sft/train/en:1")
    expect(first).to_contain_text("Apache-2.0")
    prompt_page.locator(".cite").first.click()
    expect(first.get_by_role("button")).to_be_focused()
    prompt_page.keyboard.press("Enter")
    expect(prompt_page.locator("#record")).to_contain_text("epinephrine")
    expect(prompt_page.locator("#prompt")).to_be_hidden()


def test_a_budget_that_is_too_small_is_refused_with_the_least(prompt_page: Page) -> None:
    prompt_page.fill("#prompt input[name=budget]", "256")
    prompt_page.get_by_role("button", name="Write the prompt").click()
    expect(prompt_page.locator("#prompt .notice.error")).to_contain_text("budget_tokens of")


def test_it_takes_the_picture_along(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011")
    page.wait_for_selector(".card")
    page.click("#make-prompt")
    page.fill("#prompt textarea", "What is seen here?")
    page.get_by_role("button", name="Write the prompt").click()
    expect(page.locator(".message").last).to_contain_text("Similar image")


def test_back_closes_it(prompt_page: Page) -> None:
    prompt_page.go_back()
    expect(prompt_page.locator("#prompt")).to_be_hidden()
