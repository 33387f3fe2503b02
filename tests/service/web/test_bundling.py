import re

import pytest

from service.web.bundling import bundle_modules
from service.web.files import SCRIPT, page_files

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
    script = bundle_modules(MODULES, "parts/main.js")
    order = re.findall("^// (.*)$", script, re.MULTILINE)
    assert order == ["words.js", "parts/deep/sums.js", "parts/main.js"]
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


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
        bundle_modules({"a.js": f"const a = 1;\n{line}\n"}, "a.js")


def test_a_circle_is_refused() -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\n',
        "b.js": 'import { a } from "./a.js";\n',
    }
    with pytest.raises(ValueError, match=r"a\.js > b\.js > a\.js"):
        bundle_modules(modules, "a.js")


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError):
        bundle_modules({"a.js": 'import { b } from "./b.js";\n'}, "a.js")


def test_all_modules_of_the_page_are_in_its_script() -> None:
    files = page_files()
    held = set(re.findall("^// (.*[.]js)$", files[SCRIPT].content.decode(), re.MULTILINE))
    # The theme runs before the first paint, by itself.
    assert held == {name for name in files if name.endswith(".js")} - {SCRIPT, "parts/theme.js"}
