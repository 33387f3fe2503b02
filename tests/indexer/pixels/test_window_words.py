import pytest

from indexer.pixels.window_words import windows_asked


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("lung window chest CT", ("lung",)),
        ("Chest CT, Lung-Windowing", ("lung",)),
        ("axial CT in bone and soft tissue windows", ("soft_tissue", "bone")),
        ("mediastinal window", ("soft_tissue",)),
        ("brain window, bone window", ("brain", "bone")),
        ("肺窗 CT", ("lung",)),
        ("纵隔窗和骨窗", ("soft_tissue", "bone")),
        ("lung nodule", ()),
        ("bone fracture seen through the window", ()),
        ("aortopulmonary window", ()),
        ("", ()),
    ],
)
def test_windows_are_asked_for_by_name(text: str, windows: tuple[str, ...]) -> None:
    assert windows_asked(text) == windows
