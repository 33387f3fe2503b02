"""For everybody: by keyboard alone, with a screen reader, in two languages, dark and light."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

STATES = {
    "home": ("", ".collection"),
    "picture": ("#mode=picture", ".start img"),
    "similar": ("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011", ".evidence"),
    "words": ("#q=chest X-ray with pleural effusion", ".card"),
    "questions": ("#mode=questions&q=creatinine clearance", ".card"),
    "record": ("#q=chest CT with contrast&record=mura/train/XR_FINGER:patient00008:study1:image1",
               "#record .fact-list"),
    "prompt": ("#mode=questions&q=How is anaphylaxis treated first?&prompt=open", ".citations li"),
    "map": ("#q=chest X-ray with pleural effusion&map=rocov2", ".map-hit"),
    "no map": ("#map=nowhere", "#map .notice"),
    "narrowed": ("#q=chest&filter=modality=CT&less=rocov2/valid/ROCOv2_2023_valid_000011", ".chip"),
    "irrelevant": ("#q=apple pie with cinnamon", ".notice.waiting"),
    "error": ("#q=chest&filter=modality=MRT", ".notice.error"),
}  # fmt: skip


# Words differ by language, contrasts by theme: every state is seen in all four.
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_axe_finds_nothing_serious(
    open_page: Callable[..., Page],
    serious: Callable[[Page], list[str]],
    address: str,
    locale: str,
) -> None:
    page = open_page(locale=locale)
    found = []
    for name, (fragment, ready) in STATES.items():
        page.goto("about:blank")
        page.goto(f"{address}/{fragment}")
        page.wait_for_selector(ready)
        found += [f"{name}: {one}" for one in serious(page)]
    assert not found


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_axe_finds_nothing_serious_about_a_series(
    open_page: Callable[..., Page],
    serious: Callable[[Page], list[str]],
    corpus: Path,
    locale: str,
) -> None:
    page = open_page("#mode=picture", locale=locale)
    folder = next((corpus / "tcga_luad").rglob("*.dcm")).parent
    page.set_input_files("#pick", sorted(folder.glob("*.dcm")))
    page.wait_for_selector(".asked .presets")
    page.wait_for_selector(".card")
    assert not serious(page)
    page.locator(".card .picture").first.click()
    page.wait_for_selector("#record .presets")
    assert not serious(page)


def test_by_keyboard_alone(page: Page) -> None:
    press = page.keyboard.press
    press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("chest CT with contrast")
    press("Enter")
    page.wait_for_selector(".card")
    press("Tab")  # the button of the box
    press("Tab")
    expect(page.locator(".facets .skip")).to_be_focused()
    press("Enter")
    expect(page.locator("#results")).to_be_focused()
    for _ in range(4):  # grouping, map, prompt, first picture
        press("Tab")
    expect(page.locator(".card .picture").first).to_be_focused()
    press("ArrowRight")
    expect(page.locator(".card .picture").nth(1)).to_be_focused()
    press("Enter")
    page.wait_for_selector("#record .fact-list")
    press("Escape")
    expect(page.locator("#record")).to_be_hidden()
    expect(page.locator(".card .picture").nth(1)).to_be_focused()
    press("Tab")
    press("Enter")
    expect(page.locator(".asked")).to_be_visible()


def test_the_modes_are_chosen_with_the_arrow_keys(page: Page) -> None:
    page.focus("input[value=words]")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("input[value=questions]")).to_be_checked()
    assert page.url.endswith("#mode=questions")


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    page.fill("#q", "chest CT with contrast")
    page.press("#q", "Enter")
    page.wait_for_selector(".card")
    expect(page.get_by_role("search")).to_be_visible()
    expect(page.get_by_role("region", name="Results")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("cases")
    expect(page.get_by_role("article").first.get_by_role("heading")).to_be_visible()
    expect(page.get_by_role("button", name="Open: CT · chest").first).to_be_visible()
    expect(page.get_by_role("button", name="Similar: CT · chest").first).to_be_visible()


def test_another_language_and_the_other_colours_stay_chosen(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("#q=chest CT with contrast")
    page.wait_for_selector(".card")
    page.click("#language")
    expect(page.locator("#count")).to_contain_text("病例")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.click("#theme")
    page.reload()
    expect(page.locator("#count")).to_contain_text("病例")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_on_a_phone_nothing_sticks_out(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    for fragment, ready in STATES.values():
        page.goto("about:blank")
        page.goto(f"{address}/{fragment}")
        page.wait_for_selector(ready)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, fragment
        assert page.evaluate("document.querySelector('dialog[open]')?.scrollWidth ?? 0") <= 375


ON_ONE_LINE = """
    (selector) => new Set([...document.querySelectorAll(selector)]
        .flatMap((one) => [...one.getClientRects()]).map(({ top }) => Math.round(top))).size
"""


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [375, 320])
def test_on_a_narrow_phone_no_line_breaks_where_it_should_not(
    open_page: Callable[..., Page], width: int, locale: str
) -> None:
    page = open_page(
        "#q=chest X-ray with pleural effusion",
        locale=locale,
        viewport={"width": width, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_selector(".card .beats")
    assert page.evaluate(ON_ONE_LINE, ".modes label") == 1
    assert page.evaluate(ON_ONE_LINE, ".card:first-child .beats") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_map_and_panels_can_be_used_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(
        "#q=chest X-ray with pleural effusion&map=rocov2",
        viewport={"width": 375, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_selector(".map-hit")
    canvas = page.locator("#map canvas").bounding_box()
    assert canvas
    assert canvas["width"] > 360
    assert canvas["height"] > 400
    for name in ("To the hits", "Zoom in", "Zoom out", "Show all"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport()
        page.get_by_role("button", name=name).tap()
    page.locator(".map-hit").first.tap()
    expect(page.locator("#record .fact-list")).to_be_visible()
    page.locator("#record-close").tap()
    page.locator("#map").get_by_role("button", name="Close").tap()
    page.locator("#make-prompt").tap()
    page.wait_for_selector(".citations li")
    page.get_by_role("button", name="Copy text").tap()
    page.locator("#prompt").get_by_role("button", name="Close").tap()
    expect(page.locator(".card").first).to_be_in_viewport()


def test_the_line_that_is_always_there(open_page: Callable[..., Page], address: str) -> None:
    page = open_page()
    for fragment, ready in (STATES["home"], STATES["words"]):
        page.goto(f"{address}/{fragment}")
        page.wait_for_selector(ready)
        expect(page.get_by_text("Research use only. Not for diagnosis.")).to_be_in_viewport()
