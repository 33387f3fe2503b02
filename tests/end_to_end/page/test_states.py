"""What the page says when something is wrong, missing, slow, or not to be trusted."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>&amp;'


def not_ready(route: Route) -> None:
    body = {"code": "not_ready", "message": "The indexes are being opened.", "remedy": "Wait."}
    route.fulfill(status=503, json=body)


def test_markup_in_the_data_is_shown_as_text(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.wait_for_selector(".collection")

    def poison(route: Route) -> None:
        reply = route.fetch()
        body = reply.json()
        for hit in body["hits"]:
            hit |= {"caption": MARKUP, "labels": [MARKUP], "dataset": MARKUP, "licence": MARKUP}
            hit["attribution"] = f"{MARKUP} javascript:alert(1) https://doi.org/1"
        body["notes"] = [{"code": "note", "message": MARKUP}]
        route.fulfill(response=reply, json=body)

    page.route("**/v1/search/text", poison)
    page.fill("#q", "pleural effusion")
    page.press("#q", "Enter")
    expect(page.locator(".card .caption").first).to_have_text(MARKUP)
    expect(page.locator(".note").first).to_have_text(MARKUP)
    page.locator(".card .picture").first.click()
    expect(page.locator(".full-caption")).to_have_text(MARKUP)
    assert page.locator("#record a").get_attribute("href") == "https://doi.org/1"
    assert "medsearch" in page.title()


def test_no_index_says_how_to_build_one(
    open_page: Callable[..., Page],
    start_service: Callable[..., AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    with start_service(tmp_path) as address:
        page = open_page(at=address)
        notice = page.locator("#notices")
        expect(notice).to_contain_text("nothing to search")
        expect(notice.locator(".command").first).to_contain_text("make index")
        expect(page.locator(".example")).to_have_count(0)


def test_while_encoders_load_it_waits_and_then_answers(page: Page) -> None:
    page.route("**/v1/search/text", not_ready)
    page.fill("#q", "fracture of the wrist")
    page.press("#q", "Enter")
    expect(page.locator(".notice.waiting")).to_contain_text("being opened")
    expect(page.locator(".notice.waiting")).to_contain_text("goes on by itself")
    page.unroute("**/v1/search/text")
    page.wait_for_selector(".card")
    expect(page.locator(".notice")).to_have_count(0)


def test_before_anything_is_asked_it_says_that_encoders_load(page: Page) -> None:
    page.route("**/readyz", lambda route: route.fulfill(status=503, json={"ready": False}))
    page.reload()
    expect(page.locator(".notice.waiting")).to_contain_text("encoders are being loaded")
    page.unroute("**/readyz")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_service_that_went_away_is_noticed_and_so_is_its_return(page: Page) -> None:
    page.route("**/*", lambda route: route.abort())
    page.fill("#q", "fracture of the wrist")
    page.press("#q", "Enter")
    expect(page.locator(".notice.error")).to_contain_text("does not answer")
    page.unroute("**/*")
    page.wait_for_selector(".card")
    expect(page.locator(".notice")).to_have_count(0)


def test_a_file_that_is_no_image_is_refused_with_the_reason(
    page: Page, tmp_path: Path, drop: Callable[[Page, Sequence[Path]], None]
) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7 not an image")
    drop(page, [path])
    expect(page.locator(".notice.error")).to_contain_text("cannot be read as an image")
    expect(page.locator(".asked")).to_contain_text("unknown format")


def test_a_file_that_is_too_large_is_refused(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("#mode=picture")
    page.wait_for_selector(".start")
    path = tmp_path / "large.png"
    path.write_bytes(b"\x89PNG" + bytes(33 * 1024 * 1024))
    page.set_input_files("#pick", path)
    expect(page.locator(".notice.error")).to_contain_text("too large")


def test_when_nothing_is_relevant_it_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page("#q=apple pie with cinnamon")
    expect(page.locator(".notice")).to_contain_text("Nothing here seems relevant")
    expect(page.locator(".notice")).to_contain_text("better than chance")
    other = open_page("#q=chest X-ray with pleural effusion")
    other.wait_for_selector(".card")
    expect(other.locator(".notice")).to_have_count(0)
    expect(other.locator(".card").first).to_contain_text("beats 99.9 % of unrelated pairs")


def test_a_slow_answer_shows_that_it_is_coming(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/v1/search/text", lambda route: waiting.append(route))
    page.fill("#q", "chest")
    page.press("#q", "Enter")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#status")).to_contain_text("Searching")
    waiting[0].continue_()
    page.wait_for_selector(".card")
    expect(page.locator("#progress")).to_be_hidden()


def test_a_filter_that_does_not_exist_is_told_with_the_remedy(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("#q=chest&filter=modality=MRT")
    expect(page.locator(".notice.error")).to_contain_text("Values:")
    page.get_by_role("button", name="Remove: Modality: MRT").click()
    page.wait_for_selector(".card")


def test_a_key_is_asked_for_and_opens_everything(
    open_page: Callable[..., Page], wait_until: Callable[[Page, str], None]
) -> None:
    def guard(route: Route) -> None:
        given = route.request.headers.get("authorization")
        if given == "Bearer open sesame":
            route.continue_()
            return
        status = 401 if given is None else 403
        route.fulfill(status=status, json={"code": "no", "message": "No.", "remedy": ""})

    page = open_page()
    page.route("**/v1/**", guard)
    page.goto(page.url + "#q=fracture of the wrist")
    page.reload()
    expect(page.locator("#notices")).to_contain_text("asks for a key")
    page.fill("#key", "wrong")
    page.press("#key", "Enter")
    expect(page.locator("#notices")).to_contain_text("not valid")
    page.fill("#key", "open sesame")
    page.press("#key", "Enter")
    page.wait_for_selector(".card")
    wait_until(page, "document.querySelector('.card img').naturalWidth > 100")


@pytest.mark.parametrize(
    "fragment",
    [
        "#mode=nonsense&q=a",
        "#filter=%F0%9F",
        "#q=" + "x" * 9000,
        "#q=chest&group=patient",
        "#q=chest&group=%00&window=door&match=luck",
        "#mode=picture&picture=7&match=best_slice",
    ],
)
def test_an_odd_address_breaks_nothing(open_page: Callable[..., Page], fragment: str) -> None:
    page = open_page(fragment)
    page.wait_for_selector(".collection", state="attached")
    expect(page.locator("#modes input")).to_have_count(3)


@pytest.mark.parametrize(
    ("fragment", "route", "there"),
    [
        ("#mode=questions&q=anaphylaxis&prompt=open", "**/v1/prompts", ".citations"),
        ("#record=rocov2/valid/ROCOv2_2023_valid_000011", "**/v1/records/**", ".fact-list"),
    ],
)
def test_what_was_opened_too_early_comes_by_itself(
    open_page: Callable[..., Page], fragment: str, route: str, there: str
) -> None:
    page = open_page()
    page.route(route, not_ready)
    page.goto(page.url + fragment)
    expect(page.locator("dialog .notice.waiting")).to_contain_text("being opened")
    page.unroute(route)
    page.wait_for_selector(there)


def test_results_stand_where_the_list_of_indexes_cannot_be_had(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_page()
    page.route("**/v1/indexes", lambda route: route.abort())
    page.goto("about:blank")
    with page.expect_event("requestfailed"):
        page.goto(f"{address}/#q=fracture of the wrist")
    page.wait_for_timeout(100)
    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator(".notice")).to_have_count(0)


def test_a_note_is_told_in_the_language_of_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=questions&q=胸痛伴出汗应首先做什么检查？", locale="zh-CN")
    note = page.locator(".results .note").first
    expect(note).to_contain_text("编码器不识别查询所用的语言")
    expect(note.locator("[lang=en]")).to_contain_text("does not read 'zh'")
