"""The files of the page as they are sent."""

import base64
import gzip
import hashlib
import re

import pytest
from starlette.testclient import TestClient

from service.web.files import FIRST_SCRIPT, FRONT_PAGE, STYLE, page_files, page_policy

FIRST_PAGE_BYTES = 150_000


def test_the_page_is_at_the_root(client: TestClient) -> None:
    reply = client.get("/")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "<title>medsearch</title>" in reply.text


def test_the_policy_lets_nothing_inline_run_but_the_first_script(client: TestClient) -> None:
    for path in ("/", "/web/parts/main.js", "/web/styles/base.css"):
        assert client.get(path).headers["content-security-policy"] == page_policy()
    assert "unsafe" not in page_policy()
    assert "http" not in page_policy()
    digest = hashlib.sha256(page_files()[FIRST_SCRIPT].content).digest()
    allowed = f"'self' 'sha256-{base64.b64encode(digest).decode()}'"
    assert f"script-src {allowed};" in page_policy()


def test_nothing_inline_is_in_the_page_but_the_first_script() -> None:
    page = page_files()[FRONT_PAGE].content.decode()
    first = page_files()[FIRST_SCRIPT].content.decode()
    assert page.count(f"<script>{first}</script>") == 1
    assert not re.search(r"</?script|<!--", first)  # what would end it, or hide its end
    rest = page.replace(first, "")
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", rest)
    assert [tag for tag in re.findall(r"<script[^>]*>", rest) if "src=" not in tag] == ["<script>"]


def test_no_file_writes_markup_or_calls_elsewhere() -> None:
    for name, found in page_files().items():
        text = found.content.decode()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        addresses = set(re.findall(r"https?://[\w.]+", text)) - {"http://www.w3.org"}
        assert not addresses, name


def test_every_file_that_the_page_names_is_served(client: TestClient) -> None:
    page = page_files()[FRONT_PAGE].content.decode()
    named = re.findall(r'(?:src|href)="(/web/[^"]+)"', page)
    assert {"/web/page.js", f"/web/{STYLE}"} <= {*named}
    for path in named:
        assert client.get(path).status_code == 200, path
    for name, found in page_files().items():
        for other in re.findall(r'from "\.{1,2}/([^"]+)"', found.content.decode()):
            assert any(one.endswith(other) for one in page_files()), (name, other)


def test_all_of_it_is_small() -> None:
    files = page_files()
    front = files[FRONT_PAGE]
    named = re.findall(r'(?:src|href)="/web/([^"]+)"', front.content.decode())
    sent = [front, *(files[name] for name in named)]
    assert sum(len(found.gzipped) for found in sent) < FIRST_PAGE_BYTES


def test_all_styles_are_in_one_file() -> None:
    files = page_files()
    single = {name: found.content for name, found in files.items() if name.startswith("styles/")}
    assert len(files[STYLE].content) == sum(len(content) for content in single.values())
    assert all(content in files[STYLE].content for content in single.values())


def test_a_browser_that_takes_gzip_gets_it(client: TestClient) -> None:
    plain = client.get("/", headers={"accept-encoding": "identity"})
    packed = client.get("/", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert gzip.decompress(page_files()[FRONT_PAGE].gzipped) == plain.content


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/web/parts/dom.js").headers["etag"]
    again = client.get("/web/parts/dom.js", headers={"if-none-match": f'W/"other", {tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get("/web/parts/dom.js", headers={"if-none-match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/web/", "/web/nothing.js", "/web/../files.py", "/web/%2e%2e/files.py", "/web/parts"]
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_both_languages_have_the_same_words() -> None:
    files = page_files()
    english, chinese = (
        re.findall(r"^  (\w+): ", files[f"words/{name}.js"].content.decode(), re.MULTILINE)
        for name in ("en", "zh")
    )
    assert len(english) > 100
    assert english == chinese


def test_every_word_that_is_asked_for_exists() -> None:
    files = page_files()
    known = set(re.findall(r"^  (\w+): ", files["words/en.js"].content.decode(), re.MULTILINE))
    asked = set(re.findall(r'data-words(?:-label)?="(\w+)"', files[FRONT_PAGE].content.decode()))
    for found in files.values():
        asked |= set(re.findall(r'\bt\("(\w+)"', found.content.decode()))
    assert asked
    assert asked <= known
