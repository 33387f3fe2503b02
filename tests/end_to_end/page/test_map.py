"""The map of an index: like by like, the search and its hits lit up, every point a record."""

import io
import re
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

SEARCH = "#q=chest X-ray with pleural effusion&map=rocov2"
MARGIN_PX = 28


@pytest.fixture(scope="module")
def rocov2(address: str) -> dict:
    return httpx.get(f"{address}/v1/indexes/rocov2/map").json()


@pytest.fixture
def map_page(open_page: Callable[..., Page]) -> Page:
    """A search with the map of one index over it, its hits marked."""
    page = open_page(SEARCH)
    page.wait_for_selector(".map-hit")
    return page


def place_of(page: Page, told: dict, record_id: str) -> tuple[float, float]:
    """Return where a record is drawn on the canvas while nothing is zoomed."""
    box = page.locator(".map canvas").bounding_box()
    assert box
    point = told["record_ids"].index(record_id)
    side = min(box["width"], box["height"]) - 2 * MARGIN_PX
    return (
        box["width"] / 2 + (told["x"][point] - 0.5) * side,
        box["height"] / 2 + (told["y"][point] - 0.5) * side,
    )


def lonely(told: dict) -> str:
    """Return the record that lies farthest from all others."""
    places = list(zip(told["x"], told["y"], strict=True))

    def room(one: int) -> float:
        return min(
            (places[one][0] - x) ** 2 + (places[one][1] - y) ** 2
            for other, (x, y) in enumerate(places)
            if other != one
        )

    return told["record_ids"][max(range(len(places)), key=room)]


def opened_record(page: Page) -> str:
    return page.evaluate("new URLSearchParams(location.hash.slice(1)).get('record')")


def test_it_opens_from_the_results_and_back_closes_it(open_page: Callable[..., Page]) -> None:
    page = open_page("#q=chest X-ray with pleural effusion")
    page.click("#show-map")
    expect(page.locator("#map")).to_be_visible()
    page.wait_for_selector(".map-hit")
    assert page.url.endswith("&map=rocov2")
    expect(page.locator(".map-index")).to_contain_text("rocov2 (")
    page.go_back()
    expect(page.locator("#map")).to_be_hidden()
    expect(page.locator(".card").first).to_be_visible()


def test_it_opens_from_the_list_of_indexes(page: Page) -> None:
    page.get_by_role("button", name="Map of mura").click()
    expect(page.locator("#map")).to_contain_text("118 images")
    expect(page.locator(".legend")).to_contain_text("wrist")
    expect(page.locator(".map-hit")).to_have_count(0)


def test_colours_are_counted(map_page: Page, rocov2: dict) -> None:
    for category in rocov2["categories"]:
        map_page.select_option("#map-colour", category["key"])
        counts = map_page.locator(".legend .count").all_inner_texts()
        assert sum(int(count.replace(",", "")) for count in counts) == rocov2["points"]
        assert [int(count) for count in counts[:3]] == [
            one["points"] for one in category["values"][: min(3, len(counts))]
        ][: len(counts)]


def test_a_pressed_colour_stands_out(open_page: Callable[..., Page], rocov2: dict) -> None:
    page = open_page("#map=rocov2")
    page.wait_for_selector(".colour")
    record_id = lonely(rocov2)
    place = place_of(page, rocov2, record_id)
    [modality] = [one for one in rocov2["categories"] if one["key"] == "modality"]
    code = modality["codes"][rocov2["record_ids"].index(record_id)]

    def strength() -> int:
        """Return how far the point's colour is from that of the paper."""
        page.wait_for_timeout(100)
        shot = Image.open(io.BytesIO(page.locator(".map canvas").screenshot())).convert("RGB")
        pixels = np.asarray(shot, np.int64)
        return int(np.abs(pixels[round(place[1]), round(place[0])] - pixels[2, 2]).sum())

    own = page.locator(".colour").nth(code)
    other = page.locator(".colour").nth(code - 1 if code else 1)
    usual = strength()
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")
    assert strength() < usual / 4
    own.click()
    assert strength() >= usual
    own.click()
    other.click()
    expect(other).to_have_attribute("aria-pressed", "false")
    assert strength() == usual


def test_a_press_on_a_point_opens_its_record(map_page: Page, rocov2: dict) -> None:
    record_id = lonely(rocov2)
    x, y = place_of(map_page, rocov2, record_id)
    map_page.locator(".map canvas").click(position={"x": x, "y": y})
    expect(map_page.locator("#record")).to_be_visible()
    assert opened_record(map_page) == record_id
    map_page.keyboard.press("Escape")
    expect(map_page.locator("#record")).to_be_hidden()
    expect(map_page.locator("#map")).to_be_visible()


def test_a_point_tells_what_it_is(map_page: Page, address: str, rocov2: dict) -> None:
    record_id = lonely(rocov2)
    x, y = place_of(map_page, rocov2, record_id)
    map_page.locator(".map canvas").hover(position={"x": x, "y": y})
    caption = httpx.get(f"{address}/v1/records/{record_id}").json()["caption"]
    expect(map_page.locator(".tip")).to_contain_text(caption)
    expect(map_page.locator(".tip img")).to_be_visible()
    map_page.mouse.move(2, 2)
    expect(map_page.locator(".tip")).to_be_hidden()


def test_a_drag_moves_the_map_and_opens_nothing(map_page: Page, rocov2: dict) -> None:
    record_id = lonely(rocov2)
    x, y = place_of(map_page, rocov2, record_id)
    box = map_page.locator(".map canvas").bounding_box()
    assert box
    map_page.mouse.move(box["x"] + x, box["y"] + y)
    map_page.mouse.down()
    map_page.mouse.move(box["x"] + x + 60, box["y"] + y + 20, steps=4)
    map_page.mouse.up()
    expect(map_page.locator("#record")).to_be_hidden()
    map_page.locator(".map canvas").click(position={"x": x + 60, "y": y + 20})
    expect(map_page.locator("#record")).to_be_visible()
    assert opened_record(map_page) == record_id


def test_zooming_keeps_what_is_under_the_pointer(map_page: Page, rocov2: dict) -> None:
    record_id = lonely(rocov2)
    x, y = place_of(map_page, rocov2, record_id)
    canvas = map_page.locator(".map canvas")
    canvas.hover(position={"x": x, "y": y})
    for _ in range(3):
        map_page.mouse.wheel(0, -200)
    map_page.get_by_label("Zoom in").click()
    map_page.get_by_label("Zoom out").click()
    canvas.click(position={"x": x, "y": y})
    expect(map_page.locator("#record")).to_be_visible()
    assert opened_record(map_page) == record_id


def test_hits_are_listed_by_rank_and_open(map_page: Page) -> None:
    ranks = [int(one) for one in map_page.locator(".map-rank").all_inner_texts()]
    assert ranks == sorted(ranks)
    assert len(ranks) > 3
    first = map_page.locator(".map-hit").first
    name = str(first.get_attribute("aria-label"))
    assert name.startswith(f"Open hit {ranks[0]}: ")
    first.click()
    expect(map_page.locator("#record")).to_contain_text(name.partition(": ")[2])


def test_the_hits_can_be_closed_in_on(map_page: Page) -> None:
    before = map_page.locator(".map-stage").screenshot()
    map_page.get_by_role("button", name="To the hits").click()
    map_page.wait_for_timeout(100)
    closer = map_page.locator(".map-stage").screenshot()
    map_page.get_by_label("Show all").click()
    map_page.mouse.move(2, 2)
    map_page.wait_for_timeout(100)
    assert before != closer


def test_by_keyboard_alone(map_page: Page, rocov2: dict) -> None:
    canvas = map_page.get_by_role("application", name="Map of rocov2")
    canvas.focus()
    map_page.keyboard.press("h")
    said = map_page.locator(".map-stage [role=status]")
    expect(said).to_contain_text("hit 1: X-ray")
    first = said.inner_text()
    for key in ("ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight", "ArrowLeft"):
        map_page.keyboard.press(key)
    map_page.keyboard.press("+")
    map_page.keyboard.press("0")
    expect(said).not_to_have_text("")
    map_page.keyboard.press("h")
    expect(said).not_to_have_text(first)
    expect(said).to_contain_text("hit ")
    map_page.keyboard.press("Enter")
    expect(map_page.locator("#record")).to_be_visible()
    assert opened_record(map_page) in rocov2["record_ids"]
    map_page.keyboard.press("Escape")
    expect(map_page.locator("#record")).to_be_hidden()
    expect(canvas).to_be_focused()


def test_similar_from_a_record_on_the_map_leads_back_to_results(map_page: Page) -> None:
    map_page.locator(".map-hit").first.click()
    map_page.locator("#record").get_by_text("Similar", exact=True).click()
    expect(map_page.locator("#record")).to_be_hidden()
    expect(map_page.locator("#map")).to_be_hidden()
    expect(map_page.locator(".asked")).to_contain_text("similar to this one")


def test_a_record_is_shown_on_its_map(open_page: Callable[..., Page], rocov2: dict) -> None:
    record_id = lonely(rocov2)
    page = open_page(f"#record={record_id}")
    page.get_by_role("button", name="On the map").click()
    expect(page.locator("#record")).to_be_hidden()
    expect(page.locator(".map-stage [role=status]")).not_to_have_text("")
    expect(page.locator(".tip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#record")).to_be_visible()
    assert opened_record(page) == record_id
    page.keyboard.press("Escape")
    expect(page.locator("#record")).to_be_hidden()
    page.locator("#map").get_by_label("Close").click()
    expect(page.locator("#map")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("spot"))


def test_a_map_that_cannot_be_had_is_asked_for_again(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.wait_for_selector(".collection")
    page.route("**/v1/indexes/mura/map", lambda route: route.abort())
    page.get_by_role("button", name="Map of mura").click()
    expect(page.locator("#map .notice")).to_contain_text("does not answer")
    page.unroute("**/v1/indexes/mura/map")
    expect(page.locator("#map .legend")).to_contain_text("wrist")


def test_hits_beyond_the_sample_have_places_too(
    open_page: Callable[..., Page], rocov2: dict, address: str
) -> None:
    """As if the index were so large that only every third of its records was drawn."""
    few = {name: rocov2[name][::3] for name in ("record_ids", "x", "y")}
    categories = [one | {"codes": one["codes"][::3]} for one in rocov2["categories"]]
    asked: list[str] = []

    def sampled(route: Route) -> None:
        route.fulfill(
            json=rocov2 | few | {"categories": categories, "points": len(few["record_ids"])}
        )

    page = open_page()
    page.route("**/v1/indexes/rocov2/map", sampled)
    page.on("request", lambda sent: asked.extend((sent.post_data_json or {}).get("record_ids", [])))
    page.goto(f"{address}/{SEARCH}")
    page.wait_for_selector(".map-hit")
    expect(page.locator("#map-about")).to_contain_text("38 of 112 images, drawn at random")
    hits = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.record)")
    mine = [one for one in hits if one.startswith("rocov2/")]
    expect(page.locator(".map-hit")).to_have_count(len(mine))
    assert set(asked) == set(mine) - set(few["record_ids"])


def test_the_record_that_was_searched_with_is_marked(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011&map=rocov2")
    expect(page.locator(".map-found")).to_contain_text("the record that was searched with")


def test_an_index_without_the_hits_says_so(map_page: Page) -> None:
    map_page.select_option(".map-index", "medcalc_bench")
    expect(map_page.locator(".map-found")).to_contain_text("No hit of the search")
    expect(map_page.locator("#map-about")).to_contain_text("questions")
    assert map_page.url.endswith("map=medcalc_bench")


def test_where_there_is_no_map_it_says_what_to_do(page: Page) -> None:
    # As a build of an earlier version is answered for.
    reply = {"code": "map_not_found", "message": "No map.", "remedy": "`medsearch index jmed`"}
    page.route("**/v1/indexes/jmed/map", lambda route: route.fulfill(status=404, json=reply))
    page.evaluate("location.hash = '#map=jmed'")
    expect(page.locator("#map .notice")).to_contain_text("This index has no map yet")
    expect(page.locator("#map .command").first).to_contain_text("medsearch index jmed")


def test_questions_have_a_map_too(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=questions&q=creatinine clearance&map=medcalc_bench")
    page.wait_for_selector(".map-hit")
    page.locator(".map canvas").focus()
    page.keyboard.press("h")
    expect(page.locator(".tip")).to_contain_text("creatinine")
    expect(page.locator(".tip img")).to_have_count(0)


def test_a_finger_moves_and_opens(open_page: Callable[..., Page], rocov2: dict) -> None:
    page = open_page(
        "#map=rocov2", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page.wait_for_selector(".colour")
    record_id = lonely(rocov2)
    x, y = place_of(page, rocov2, record_id)
    page.locator(".map canvas").tap(position={"x": x, "y": y})
    expect(page.locator("#record")).to_be_visible()
    assert opened_record(page) == record_id


def test_arrows_lead_to_every_point(open_page: Callable[..., Page]) -> None:
    page = open_page("#map=rocov2")
    page.wait_for_selector(".colour")
    met, all_of_them = page.evaluate(
        """async () => {
            const { loadMap, nextSpot } = await import("/web/parts/map/points.js");
            const { spots } = await loadMap("rocov2");
            const met = new Set([spots[0]]);
            for (const spot of met) {
                for (const way of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
                    const next = nextSpot(spots, spot, way);
                    if (next) met.add(next);
                }
            }
            return [met.size, spots.length];
        }"""
    )
    assert met == all_of_them == 112


def test_the_cross_stands_where_most_hits_are(page: Page) -> None:
    middle = page.evaluate(
        """async () => {
            const { middleOf } = await import("/web/parts/map/points.js");
            const many = Array.from({ length: 6 }, (_, n) => ({ x: 0.1 + n / 1000, y: 0.2 }));
            const few = Array.from({ length: 4 }, (_, n) => ({ x: 0.9, y: 0.9 + n / 1000 }));
            return middleOf([...many, ...few]);
        }"""
    )
    assert middle["x"] == pytest.approx(0.1, abs=0.01)
    assert middle["y"] == pytest.approx(0.2, abs=0.01)
