"""Pictures of the main states, for people to look at: `reports/page/` after a test run."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[3] / "reports" / "page"
CASE = "#q=chest CT with contrast"
SHOTS = {
    "home": ("", ".collection"),
    "words": ("#q=chest X-ray with pleural effusion", ".card mark"),
    "picture": ("#mode=picture", ".start img"),
    "similar": ("#mode=picture&like=rocov2/valid/ROCOv2_2023_valid_000011", ".evidence"),
    "questions": ("#mode=questions&q=creatinine clearance by Cockcroft and Gault", ".card"),
    "prompt": ("#mode=questions&q=How is anaphylaxis treated first?&prompt=open", ".citations li"),
    "map": ("#q=chest X-ray with pleural effusion&map=rocov2", ".map-hit"),
    "irrelevant": ("#q=apple pie with cinnamon", ".notice"),
    "refused": ("#q=chest&filter=modality=MRT", ".notice.error"),
}
LOOKS = {
    "desktop": {"viewport": {"width": 1280, "height": 860}},
    "dark_chinese": {
        "viewport": {"width": 1280, "height": 860}, "color_scheme": "dark", "locale": "zh-CN",
    },
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}  # fmt: skip


PICTURES_ARE_THERE = """
    [...document.images].filter((image) => {
        const { top, bottom, width } = image.getBoundingClientRect();
        return width && bottom > 0 && top < innerHeight;
    }).every((image) => image.complete)
"""


PHONE_SHOTS = ("words", "similar", "questions", "map")


@pytest.mark.parametrize("look", LOOKS)
def test_pictures_of_the_main_states(
    open_page: Callable[..., Page],
    wait_until: Callable[[Page, str], None],
    address: str,
    corpus: Path,
    look: str,
) -> None:
    def shoot(name: str) -> None:
        wait_until(page, PICTURES_ARE_THERE)
        taken = page.screenshot(path=FOLDER / f"{look}_{name}.png")
        assert np.asarray(Image.open(io.BytesIO(taken)).convert("L")).std() > 5

    FOLDER.mkdir(parents=True, exist_ok=True)
    page = open_page(**LOOKS[look])
    for name in PHONE_SHOTS if look == "phone" else SHOTS:
        fragment, ready = SHOTS[name]
        page.goto("about:blank")
        page.goto(f"{address}/{fragment}")
        page.wait_for_selector(ready)
        shoot(name)
    page.goto("about:blank")
    page.goto(f"{address}/{CASE}")
    page.locator(".card", has=page.locator(".stack")).first.locator(".picture").click()
    page.wait_for_selector("#record .slices:not([hidden])")
    shoot("case")
    page.goto("about:blank")
    page.goto(f"{address}/#mode=picture")
    folder = next((corpus / "tcga_luad").rglob("*.dcm")).parent
    page.set_input_files("#pick", sorted(folder.glob("*.dcm")))
    page.wait_for_selector(".asked .presets")
    page.wait_for_selector(".card")
    shoot("series")
