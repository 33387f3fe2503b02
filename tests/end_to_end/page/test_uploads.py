"""What is dropped, pasted or chosen: pictures, series, folders, archives."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

Drop = Callable[[Page, Sequence[Path]], None]


@pytest.fixture(scope="session")
def series(corpus: Path) -> Path:
    """The folder of a series of five slices."""
    folders = {path.parent for path in (corpus / "tcga_luad").rglob("*.dcm")}
    return min(one for one in folders if len(list(one.glob("*.dcm"))) == 5)


@pytest.fixture
def sent(page: Page) -> Callable[[], list[list[str]]]:
    """The names of the files in each form that the page has sent so far."""
    page.evaluate(
        """() => {
            window.sent = [];
            const ask = window.fetch;
            window.fetch = (path, options) => {
                const form = options?.body;
                if (form instanceof FormData) sent.push(form.getAll('file').map((one) => one.name));
                return ask(path, options);
            };
        }"""
    )
    return lambda: list(page.evaluate("sent"))


def shown(page: Page) -> str:
    return str(page.locator(".understood img").get_attribute("src"))


def test_a_dropped_dicom_finds_similar_images(
    page: Page,
    corpus: Path,
    drop: Callable[[Page, Path], None],
    wait_until: Callable[[Page, str], None],
) -> None:
    drop(page, [next((corpus / "tcga_luad").rglob("*-SY-*/**/*.dcm"))])
    page.wait_for_selector(".card")
    expect(page.locator(".asked")).to_contain_text("DICOM")
    expect(page.locator(".asked")).to_contain_text("256 × 256 pixels")
    wait_until(page, "document.querySelector('.understood img').naturalWidth > 100")
    before = page.locator(".understood img").get_attribute("src")
    page.focus(".presets input[value='']")
    for _ in range(3):  # past lung and soft tissue
        page.keyboard.press("ArrowRight")
    expect(page.locator(".presets input[value=bone]")).to_be_focused()
    expect(page.locator(".understood img")).not_to_have_attribute("src", str(before))
    expect(page.locator(".card .caption").first).to_contain_text("bone window")
    assert "window=bone" in page.url
    expect(page.locator(".card").first).to_contain_text("tcga_luad")
    assert "SY-" not in page.locator("body").inner_text()


def test_a_chosen_and_a_pasted_picture(page: Page, corpus: Path) -> None:
    picture = next((corpus / "mura").rglob("*.png"))
    page.check("input[value=picture]", force=True)
    page.set_input_files("#pick", picture)
    page.wait_for_selector(".card")
    expect(page.locator(".understood img")).to_be_visible()
    expect(page.locator(".card").first).to_contain_text("mura")
    page.evaluate(
        """async () => {
            const reply = await fetch(document.querySelector('.card img').src);
            const transfer = new DataTransfer();
            transfer.items.add(new File([await reply.blob()], 'x.jpg'));
            dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer }));
        }"""
    )
    expect(page.locator(".asked")).to_contain_text("JPEG")
    page.wait_for_selector(".card")


def test_a_picture_is_found_again_by_the_back_button_but_not_by_its_address(
    page: Page, corpus: Path, open_page: Callable[..., Page]
) -> None:
    page.check("input[value=picture]", force=True)
    page.set_input_files("#pick", next((corpus / "mura").rglob("*.png")))
    page.wait_for_selector(".card")
    address = page.url
    page.locator(".card .action").first.click()
    expect(page.locator(".asked")).to_contain_text("similar to this one")
    page.go_back()
    expect(page.locator(".asked")).to_contain_text("Your picture")
    page.wait_for_selector(".card")
    other = open_page(address.partition("/")[2].partition("/")[2].partition("/")[2])
    expect(other.locator("#notices")).to_contain_text("no longer here")


def expect_a_series_of_five(page: Page) -> None:
    page.wait_for_selector(".card")
    expect(page.locator(".given-title")).to_have_text("Your series: 5 images")
    expect(page.locator("#count")).to_contain_text("studies")
    expect(page.locator(".card").first).to_contain_text("tcga_luad")
    expect(page.locator("#q")).to_have_count(0)  # words are not fused with a series


def test_several_slices_are_one_series_to_leaf_through(
    page: Page,
    series: Path,
    drop: Drop,
    wait_until: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    licence = tmp_path / "LICENSE"
    licence.write_text("CC BY 3.0 " * 50)
    drop(page, [*sorted(series.glob("*.dcm"), reverse=True), licence])
    expect_a_series_of_five(page)
    place = page.locator(".asked .slice-place")
    expect(place).to_have_text("3 / 5")
    expect(page.locator(".asked")).to_contain_text("1 file is no image")
    middle = shown(page)
    page.locator(".understood").hover()
    page.mouse.wheel(0, 100)
    expect(place).to_have_text("4 / 5")
    assert shown(page) != middle
    page.get_by_role("slider", name="Slices").press("ArrowLeft")
    expect(place).to_have_text("3 / 5")
    assert shown(page) == middle
    page.get_by_role("radio", name="Bone").check(force=True)
    expect(page.locator(".card .caption").first).to_contain_text("bone window")
    expect(place).to_have_text("3 / 5")
    wait_until(page, "document.querySelector('.understood img').naturalWidth > 100")
    assert shown(page) != middle
    assert "SY-" not in page.locator("body").inner_text()


def test_a_zip_of_a_series(
    page: Page, series: Path, drop: Drop, sent: Callable[[], list[list[str]]], tmp_path: Path
) -> None:
    archive = tmp_path / "Doe_Jane.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme.txt", "not an image")
        for path in series.glob("*.dcm"):
            packed.write(path, f"Doe_Jane/{path.name}")
    drop(page, [archive])
    expect_a_series_of_five(page)
    expect(page.locator(".asked .slice-place")).to_have_text("3 / 5")
    assert "Doe" not in page.locator("body").inner_text()
    assert sent() == [["picture"], ["picture"]]  # the search and the preview
    page.select_option("#match", "best_slice")
    page.wait_for_selector(".card")
    assert "match=best_slice" in page.url
    page.select_option("#group", "case")
    expect(page.locator("#count")).to_contain_text("cases")
    page.go_back()
    expect(page.locator("#count")).to_contain_text("studies")


def test_a_dropped_folder_is_a_series(page: Page, series: Path) -> None:
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(series)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    expect_a_series_of_five(page)


def test_of_a_long_series_only_what_is_compared_travels(
    page: Page, corpus: Path, sent: Callable[[], list[list[str]]], tmp_path: Path
) -> None:
    picture = next((corpus / "mura").rglob("*.png")).read_bytes()
    for number in range(70):
        (tmp_path / f"{number}.png").write_bytes(picture)
    page.check("input[value=picture]", force=True)
    page.set_input_files("#pick", [tmp_path / f"{number}.png" for number in range(70)])
    expect(page.locator(".given-title")).to_have_text("Your series: 70 images, 32 of them compared")
    expect(page.locator(".asked .slice-place")).to_have_text("17 / 32")
    assert sent() == [["picture"] * 32] * 2


def test_the_prompt_takes_the_middle_slice_along(page: Page, series: Path, drop: Drop) -> None:
    drop(page, sorted(series.glob("*.dcm")))
    page.wait_for_selector(".card")
    page.click("#make-prompt")
    page.fill("#prompt textarea", "What is seen here?")
    page.get_by_role("button", name="Write the prompt").click()
    expect(page.locator("#prompt")).to_contain_text("middle slice")
    expect(page.locator(".message").last).to_contain_text("Similar image")


def test_an_archive_without_images_is_refused_with_the_reason(
    page: Page, drop: Drop, tmp_path: Path
) -> None:
    archive = tmp_path / "letters.zip"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("letter.txt", "words")
    archive.write_bytes(stream.getvalue())
    drop(page, [archive])
    expect(page.locator(".notice.error")).to_contain_text("holds no image file")


def test_one_broken_slice_is_told(page: Page, series: Path, drop: Drop, tmp_path: Path) -> None:
    whole = sorted(series.glob("*.dcm"))
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(whole[0].read_bytes()[:2000])
    drop(page, [*whole, broken])
    expect(page.locator(".notice.error")).to_contain_text("cannot be read as an image")
