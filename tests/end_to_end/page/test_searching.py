"""Searching with the page: words, pictures, questions; and coming back."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect


def search(page: Page, words: str) -> None:
    page.fill("#q", words)
    page.press("#q", "Enter")
    page.wait_for_selector(".card")


def test_words_find_cases_with_what_is_known_of_them(
    page: Page, wait_until: Callable[[Page, str], None]
) -> None:
    search(page, "chest CT with contrast")
    expect(page.locator("#count")).to_contain_text("24 cases")
    expect(page.locator("#status")).to_contain_text("24 cases")
    first = page.locator(".card").first
    for words in ("contrast-enhanced chest CT", "CT · chest", "rocov2", "CC BY 4.0", "synthetic"):
        expect(first).to_contain_text(words)
    stated = page.locator(".card", has_text="tcga_luad").first
    for words in ("CT · chest", "lung adenocarcinoma", "CC BY 3.0", "synthetic"):
        expect(stated).to_contain_text(words)
    wait_until(page, "document.querySelector('.card img').naturalWidth > 100")


def test_only_what_is_near_the_screen_is_loaded_and_the_rest_let_go(
    page: Page, wait_until: Callable[[Page, str], None]
) -> None:
    search(page, "radiograph")
    page.locator(".card").last.locator("img:not([src])").wait_for(state="attached")
    page.locator(".card").last.scroll_into_view_if_needed()
    page.locator(".card").nth(20).locator("img[src]").wait_for()
    wait_until(page, "document.querySelectorAll('.card').length >= 48")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".card").first.locator("img[src]")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    page.locator(".card").first.locator("img[src]").wait_for()


def test_questions_show_answer_options_and_limits(page: Page) -> None:
    page.check("input[value=questions]", force=True)
    search(page, "creatinine clearance by Cockcroft and Gault")
    first = page.locator(".card").first
    expect(first).to_contain_text("Creatinine Clearance (Cockcroft-Gault Equation)")
    expect(first.locator(".calculator")).to_contain_text(" to ")
    reasoning = first.locator("details", has_text="Reasoning")
    expect(reasoning.locator("p")).to_be_hidden()
    reasoning.locator("summary").click()
    expect(reasoning.locator("p")).to_be_visible()
    search(page, "wasp sting, hives and low blood pressure: which drug?")
    expect(page.locator(".options .right").first).to_contain_text("epinephrine")


def test_similar_shows_other_cases(page: Page) -> None:
    search(page, "chest X-ray with pleural effusion")
    card = page.locator(".card").first
    name = card.get_attribute("data-record")
    card.get_by_text("Similar", exact=True).click()
    expect(page.locator(".asked")).to_contain_text(str(name))
    page.wait_for_selector(".evidence")
    expect(page.locator(f'.card[data-record="{name}"]')).to_have_count(0)


def test_less_like_this_takes_it_away_until_the_chip_is_removed(page: Page) -> None:
    search(page, "chest CT with contrast")
    card = page.locator(".card").first
    name = card.get_attribute("data-record")
    card.get_by_text("Less like this").click()
    chip = page.locator(".chip")
    expect(chip).to_contain_text(str(name))
    expect(page.locator(f'.card[data-record="{name}"]')).to_have_count(0)
    chip.get_by_role("button").click()
    expect(page.locator(f'.card[data-record="{name}"]')).to_have_count(1)


def test_an_address_can_be_shared_and_the_back_button_works(
    page: Page, open_page: Callable[..., Page]
) -> None:
    search(page, "fracture of the wrist")
    page.select_option("#group", "none")
    expect(page.locator("#count")).to_contain_text("images")
    first = page.locator(".card").first.get_attribute("data-record")
    other = open_page("#" + page.url.partition("#")[2])
    other.wait_for_selector(".card")
    assert other.locator(".card").first.get_attribute("data-record") == first
    assert other.input_value("#q") == "fracture of the wrist"
    page.go_back()
    expect(page.locator("#count")).to_contain_text("cases")
    page.go_back()
    expect(page.locator(".collection").first).to_be_visible()
    page.go_forward()
    page.wait_for_selector(".card")


def test_the_service_never_learns_the_address_behind_the_mark(
    open_page: Callable[..., Page],
) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url.partition("#")[0]))
    page.wait_for_selector(".collection")
    search(page, "secret words")
    assert any("search/text" in one for one in asked)
    assert not [one for one in asked if "secret" in one]


def test_examples_fit_the_indexes(page: Page) -> None:
    page.locator(".example").first.click()
    page.wait_for_selector(".card")
    page.go_back()
    page.check("input[value=picture]", force=True)
    page.locator(".start").first.click()
    page.wait_for_selector(".card")


def test_the_search_of_an_address_does_not_wait_for_the_page(
    open_page: Callable[..., Page], address: str, wait_until: Callable[[Page, str], None]
) -> None:
    """What the page is made of comes late; the search has long been sent, once."""
    page = open_page()
    page.wait_for_selector(".collection")
    held: list[Route] = []
    asked: list[str] = []
    page.route("**/web/page.js", lambda route: held.append(route))
    page.on("request", lambda sent: asked.append(sent.url.removeprefix(address)))
    page.goto("about:blank")
    with page.expect_response("**/v1/search/text"):
        page.goto(f"{address}/#q=chest CT with contrast", wait_until="commit")
    assert held
    expect(page.locator(".title")).to_be_hidden()  # nobody sees the first page come and go
    assert not page.locator(".card").count()
    held.pop().continue_()
    page.wait_for_selector(".collection", state="attached")
    expect(page.locator("#count")).to_contain_text("24 cases")
    assert asked.count("/v1/search/text") == 1
    assert asked.index("/v1/search/text") < asked.index("/v1/indexes")


def test_a_search_sent_early_is_given_up_where_the_address_has_changed(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_page()
    page.wait_for_selector(".collection")
    held: list[Route] = []
    page.route("**/web/page.js", lambda route: held.append(route))
    page.goto("about:blank")
    with page.expect_response("**/v1/search/text"):
        page.goto(f"{address}/#q=chest CT with contrast", wait_until="commit")
    page.evaluate("location.hash = '#q=fracture of the wrist'")
    held.pop().continue_()
    expect(page.locator(".card").first).to_contain_text("fracture")
    assert page.input_value("#q") == "fracture of the wrist"


def test_numbers_are_written_as_the_browser_would(page: Page) -> None:
    wrong = page.evaluate("""async () => {
        const { number, percent } = await import("/web/parts/language.js");
        const wrong = [];
        const compare = (written, language, value, options) => {
            const wanted = new Intl.NumberFormat(language, options).format(value);
            if (written !== wanted) wrong.push([language, value, written, wanted]);
        };
        for (const language of ["en", "zh"]) {
            for (const value of [0, 1, 999, 1000, 1234567, -4321, 0.25, 99.9, 12.34, 1999.96]) {
                for (const maximumFractionDigits of [0, 1, 3]) {
                    const written = number(value, maximumFractionDigits);
                    compare(written, language, value, { maximumFractionDigits });
                }
            }
            compare(percent(0.5), language, 0.5, { style: "percent" });
        }
        return wrong;
    }""")
    assert not wrong
