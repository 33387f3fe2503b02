"""Facets, chips, evidence, and going further down."""

from collections.abc import Callable

import httpx
from playwright.sync_api import Page, Route, expect


def counted(page: Page, facet: str) -> int:
    label = page.locator("label", has=page.locator(f'[data-facet="{facet}"]'))
    return int(label.locator(".count").inner_text().replace(",", ""))


def test_a_facet_narrows_the_search_by_what_it_counted(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_page("#q=chest")
    page.wait_for_selector(".card")
    wanted = counted(page, "modality=CT")
    page.check('[data-facet="modality=CT"]')
    expect(page.locator(".chip")).to_contain_text("Modality: CT")
    expect(page.locator(".card .caption", has_text="X-ray")).to_have_count(0)
    body = {"query": "chest", "k": 1, "filters": {"type": "eq", "key": "modality", "value": "CT"}}
    reply = httpx.post(f"{address}/v1/search/text", json=body).json()
    assert reply["records_allowed"] == wanted
    assert counted(page, "modality=X-ray") > 0  # what else could be chosen stays in sight


def test_years_are_written_as_years(open_page: Callable[..., Page]) -> None:
    page = open_page("#q=chest&filter=dataset=rocov2")
    page.wait_for_selector(".card")
    years = page.locator('[data-facet^="year="]')
    written = years.first.get_attribute("data-facet") or ""
    years.first.check()
    expect(page.locator(".chip", has_text="Published")).to_contain_text(written[-4:])
    page.locator(".card .picture").first.click()
    expect(page.locator("#record .fact-list")).to_contain_text(written[-4:])


def test_values_of_one_field_are_alternatives_and_chips_take_them_away(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("#q=chest&filter=modality=CT&filter=modality=MRI&filter=age_years>=60")
    page.wait_for_selector(".card")
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator('[data-facet="modality=MRI"]')).to_be_checked()
    page.get_by_role("button", name="Remove: Age in years ≥ 60").click()
    expect(page.locator(".chip")).to_have_count(2)
    page.go_back()
    expect(page.locator(".chip")).to_have_count(3)
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.wait_for_selector(".card")


def test_ages_are_asked_for_by_number(open_page: Callable[..., Page]) -> None:
    page = open_page("#q=chest CT")
    page.wait_for_selector(".card")
    page.get_by_label("from", exact=True).fill("60")
    page.get_by_label("from", exact=True).blur()
    expect(page.locator(".chip")).to_contain_text("≥ 60")


def test_evidence_is_a_table_that_can_be_read(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011")
    row = page.locator(".evidence tbody tr", has_text="Chest").first
    expect(row).to_contain_text("of 10")
    expect(row).to_contain_text("%")
    expect(row.locator("circle.share")).to_have_count(1)
    expect(page.locator(".evidence")).to_contain_text("no diagnosis")


def test_evidence_leaves_the_first_row_of_pictures_in_sight(open_page: Callable[..., Page]) -> None:
    page = open_page(
        "#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011",
        viewport={"width": 1280, "height": 860},
    )
    evidence = page.locator(".evidence")
    expect(evidence.locator("tbody tr:visible")).to_have_count(4)
    first = page.locator(".card .picture").first.bounding_box()
    foot = page.locator(".foot").bounding_box()
    assert first
    assert foot
    assert first["y"] + first["height"] <= foot["y"]
    evidence.locator("summary").click()
    expect(evidence.locator("tbody tr:visible")).to_have_count(7)
    expect(evidence.get_by_text("95 % interval")).to_be_visible()


def test_matched_words_are_marked(open_page: Callable[..., Page]) -> None:
    page = open_page("#q=pleural effusion on the X-ray")
    page.wait_for_selector(".card mark")
    marked = {word.lower() for word in page.locator(".card mark").all_inner_texts()}
    assert {"pleural", "effusion", "x-ray"} <= marked


def test_words_beside_a_picture(open_page: Callable[..., Page]) -> None:
    page = open_page("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011")
    page.wait_for_selector(".card")
    first = page.locator(".card").first.get_attribute("data-record")
    page.fill("#q", "kidney CT")
    page.press("#q", "Enter")
    expect(page.locator(".card").first).not_to_have_attribute("data-record", str(first))
    expect(page.locator(".asked")).to_contain_text("similar to this one")


def test_more_results_come_by_themselves_and_none_twice(
    open_page: Callable[..., Page], wait_until: Callable[[Page, str], None]
) -> None:
    page = open_page("#q=radiograph&group=none")
    page.wait_for_selector(".card")
    for _ in range(3):
        seen = page.locator(".card").count()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        wait_until(page, f"document.querySelectorAll('.card').length > {seen}")
    names = page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.record)")
    assert len(names) == len(set(names)) >= 96


def test_two_thousand_results_do_not_fill_the_memory(
    open_page: Callable[..., Page], address: str
) -> None:
    page = open_page()
    page.wait_for_selector(".collection")

    body = {"query": "chest", "k": 200, "group_by": "none", "explain": True}
    reply = httpx.post(f"{address}/v1/search/text", json=body).json()

    def page_of_hits(route: Route) -> None:
        offset = route.request.post_data_json["offset"]
        hits = [hit | {"rank": offset + hit["rank"]} for hit in reply["hits"]]
        route.fulfill(json=reply | {"hits": hits, "facets": {}})

    page.route("**/v1/search/text", page_of_hits)
    page.fill("#q", "chest")
    page.press("#q", "Enter")
    page.wait_for_selector(".card")
    while page.locator(".more-results button").count():
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(20)
    expect(page.locator(".more-results")).to_contain_text("first 2,000")
    assert page.locator(".card").count() == 2000
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    print(f"with 2,000 results: JavaScript heap {used / 2**20:.1f} MiB, {nodes:,} nodes")
    assert used < 32 * 2**20
    assert nodes < 15_000  # those near the screen; all of them would be some 80,000
