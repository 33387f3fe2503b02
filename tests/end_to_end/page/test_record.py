"""One record whole: its slices, its facts, its licence, why it matched."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def case_page(open_page: Callable[..., Page]) -> Page:
    """The results of a search with the first case opened, one of several slices."""
    page = open_page("#q=chest CT with contrast&index=tcga_luad")
    page.locator(".card", has=page.locator(".stack")).first.locator(".picture").click()
    page.wait_for_selector("#record .slices:not([hidden])")
    return page


def test_a_case_opens_with_its_facts(case_page: Page) -> None:
    record = case_page.locator("#record")
    for words in ("Why this matched", "the image itself", "Modality", "CT", "CC BY 3.0", "doi.org"):
        expect(record).to_contain_text(words)
    expect(record.locator(".banner")).to_contain_text("Synthetic")


def test_the_wheel_leafs_through_the_slices(case_page: Page) -> None:
    place = case_page.locator(".slice-place")
    before = place.inner_text()
    source = case_page.locator(".stage img").get_attribute("src")
    case_page.locator(".stage").hover()
    case_page.mouse.wheel(0, 100 if before.startswith("1 ") else -100)
    expect(place).not_to_have_text(before)
    expect(case_page.locator(".stage img")).not_to_have_attribute("src", str(source))
    shown = case_page.locator(".stage img").get_attribute("src")
    assert case_page.evaluate("new URLSearchParams(location.hash.slice(1)).get('record')") in str(
        shown
    )


def test_it_zooms(case_page: Page) -> None:
    case_page.get_by_label("Zoom in").click()
    image = case_page.locator(".stage img")
    expect(image).to_have_css("transform", "matrix(1.25, 0, 0, 1.25, 0, 0)")
    case_page.locator(".stage").focus()
    case_page.keyboard.press("-")
    expect(image).to_have_css("transform", "matrix(1, 0, 0, 1, 0, 0)")


def test_back_closes_it_and_its_address_opens_it(
    case_page: Page, open_page: Callable[..., Page]
) -> None:
    other = open_page("#" + case_page.url.partition("#")[2])
    expect(other.locator("#record")).to_be_visible()
    case_page.go_back()
    expect(case_page.locator("#record")).to_be_hidden()
    expect(case_page.locator(".card").first).to_be_visible()


def test_similar_from_within(case_page: Page) -> None:
    case_page.locator("#record").get_by_text("Similar", exact=True).click()
    expect(case_page.locator("#record")).to_be_hidden()
    expect(case_page.locator(".asked")).to_contain_text("similar to this one")


def test_next_and_previous_result(case_page: Page) -> None:
    title = case_page.locator(".neighbours")
    before = title.inner_text()
    case_page.get_by_label("Next result").click()
    expect(title).not_to_have_text(before)
    case_page.get_by_label("Previous result").click()
    expect(title).to_have_text(before)


def test_a_record_that_is_gone(open_page: Callable[..., Page]) -> None:
    page = open_page("#record=mura/valid/nothing")
    expect(page.locator("#record")).to_contain_text("Not found")
    size = page.locator("#record").bounding_box()
    assert size
    assert size["height"] < 300


def test_a_case_is_leafed_through_in_a_window(
    case_page: Page, wait_until: Callable[[Page, str], None]
) -> None:
    record = case_page.locator("#record")
    place = record.locator(".slice-place")
    stated = record.locator(".stage img").get_attribute("src")
    record.get_by_role("radio", name="Lung").check(force=True)
    expect(record.locator(".stage img")).to_have_attribute("src", re.compile(r"\?window=lung$"))
    wait_until(case_page, "document.querySelector('.stage img').naturalWidth > 100")
    before = place.inner_text()
    record.locator(".stage").press("ArrowDown" if before.startswith("1 ") else "ArrowUp")
    expect(place).not_to_have_text(before)
    expect(record.locator(".stage img")).to_have_attribute("src", re.compile(r"\?window=lung$"))
    record.get_by_role("radio", name="As stated").check(force=True)
    expect(record.locator(".stage img")).not_to_have_attribute("src", re.compile("window="))
    assert stated is not None
    assert "window=" not in stated
