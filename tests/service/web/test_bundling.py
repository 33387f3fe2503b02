import re

import pytest

from service.web.bundling import bundle_modules
from service.web.files import SCRIPTS, page_files

MODULES = {
    "parts/main.js": 'import { double as twice, NAME } from "./deep/sums.js";\n'
    'import { NAME as other } from "../words.js";\n'
    "const result = [twice(2), NAME, other];\nglobalThis.said = result.join();\n",
    "parts/deep/sums.js": 'import { NAME as outer } from "../../words.js";\n'
    "export const NAME = `${outer} and sums`;\n"
    "export function double(one) {\n  return 2 * one;\n}\n",
    "words.js": 'const result = "words";\nexport const NAME = result;\n',
    "unused.js": "export const NAME = 1;\n",
}


def test_every_module_stands_behind_what_it_imports_and_none_is_there_twice() -> None:
    script = bundle_modules(MODULES, {"page.js": "parts/main.js"})["page.js"]
    assert names(script) == ["words.js", "parts/deep/sums.js", "parts/main.js"]
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert script.startswith('"use strict";')  # as modules are


def test_a_later_script_uses_what_stands_in_an_earlier_one() -> None:
    entries = {"first.js": "words.js", "page.js": "parts/main.js"}
    scripts = bundle_modules(MODULES, entries)
    assert list(scripts) == ["first.js", "page.js"]
    assert names(scripts["first.js"]) == ["words.js"]
    assert names(scripts["page.js"]) == ["parts/deep/sums.js", "parts/main.js"]
    assert "const _m0 = " in scripts["first.js"]
    assert "= _m0;" in scripts["page.js"]
    assert "const _m1 = " in scripts["page.js"]


def names(script: str) -> list[str]:
    """The modules in a script, in their order."""
    return re.findall("^// (.*[.]js)$", script, re.MULTILINE)


@pytest.mark.parametrize(
    "line",
    [
        'import all from "./x.js";',
        'import "./x.js";',
        "export default 1;",
        "export let changing = 1;",
        "export { a };",
    ],
)
def test_a_form_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        bundle_modules({"a.js": f"const a = 1;\n{line}\n"}, {"page.js": "a.js"})


def test_a_circle_is_refused() -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\n',
        "b.js": 'import { a } from "./a.js";\n',
    }
    with pytest.raises(ValueError, match=r"a\.js > b\.js > a\.js"):
        bundle_modules(modules, {"page.js": "a.js"})


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError):
        bundle_modules({"a.js": 'import { b } from "./b.js";\n'}, {"page.js": "a.js"})


def test_all_modules_of_the_page_are_in_its_scripts_and_few_in_the_first() -> None:
    files = page_files()
    first, page = (names(files[script].content.decode()) for script in SCRIPTS)
    modules = {name for name in files if name.endswith(".js")} - {*SCRIPTS}
    assert sorted([*first, *page]) == sorted(modules)
    assert "words/en.js" not in first
    assert len(files["first.js"].gzipped) < 8_000
