"""Who is let in: one browser, by the token of the first address, from pages of the desk."""

import json
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from handlers.domain.languages import ENGLISH
from tests.tools.review_doubles import HOSTILE, SCAN, add_flagged, add_scan, video
from tools.lib.desk.admission import Admission

PATHS = (
    "/",
    f"/?scan={SCAN}",
    f"/scans/{SCAN}",
    f"/api/changes?scan={SCAN}&after=0",
    f"/api/log?scan={SCAN}&id={video('a.mp4').id}",
    f"/media/{SCAN}/{video('a.mp4').id}",
    f"/frames/{SCAN}/{video('a.mp4').id}",
    f"/frames/{SCAN}/{video('a.mp4').id}/0.jpg",
    "/nothing",
)


@pytest.fixture(name="entered")
def _entered(account, entered):
    """A desk with one video, and a browser that was let in."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4")
    with entered() as served:
        yield served


def refused(answer, status=HTTPStatus.FORBIDDEN):
    """Tell whether an answer refuses, with its reason and cure and nothing of the table, whatever was asked."""
    assert {"reason", "cure"} == json.loads(answer.data).keys()
    assert b"a.mp4" not in answer.data
    return answer.status == status


def test_first_address(account, serving):
    """The token is exchanged for a cookie that no script reads and no other site sends, and leads to the page."""
    add_scan(account)
    with serving() as desk:
        browser = desk.browser()

        answer = browser.enter(desk.address)

        assert (303, "/") == (answer.status, answer.headers["location"])
        cookie, *marks = answer.headers["set-cookie"].split("; ")
        assert {"httponly", "path=/", "samesite=strict"} == {mark.lower() for mark in marks}
        assert desk.server.address.partition("token=")[2] not in cookie
        assert 200 == browser.ask("/").status


@pytest.mark.parametrize(("port", "host"), [(80, "127.0.0.1"), (80, "localhost:80"), (80, "localhost"), (8765, "127.0.0.1:8765")])
def test_port(port, host):
    """The desk answers to the host that a browser names for its port: HTTP's own may be left out, no other."""
    sent = []

    async def send(message):
        sent.append(message)

    admission = Admission(None, port, ENGLISH)
    for given in (host, host.partition(":")[0] + ":8080"):
        headers = [(b"host", given.encode())]
        query = f"token={admission.token}".encode()
        scope = {"type": "http", "path": "/", "method": "GET", "query_string": query, "headers": headers}
        with suppress(StopIteration):
            admission(scope, None, send).send(None)

    assert [303, 421] == [message["status"] for message in sent if message["type"] == "http.response.start"]


def test_from_a_file(account, serving):
    """A page on disk that opens the address gets a page that goes on by itself: a redirect would leave out the cookie."""
    add_scan(account)
    with serving() as desk:
        browser = desk.browser()

        answer = browser.ask("/?" + urlsplit(desk.address).query, Sec_Fetch_Site="cross-site")

        assert (200, True) == (answer.status, b'content="0; url=/"' in answer.data)
        browser.cookie = answer.headers["set-cookie"].partition(";")[0]
        assert 200 == browser.ask("/", Sec_Fetch_Site="same-origin").status


def test_token_twice(entered):
    """The token works once: whoever reads it later gets nothing, and the browser that was let in stays."""
    desk, browser = entered
    other = desk.browser()

    assert refused(other.enter(desk.address))
    assert refused(other.ask("/"))
    assert 200 == browser.ask("/").status


def test_token_again(entered):
    """The browser that was let in may open the printed address again, and comes to the page."""
    desk, browser = entered

    answer = browser.ask("/?" + urlsplit(desk.address).query)

    assert (303, "/", None) == (answer.status, answer.headers["location"], answer.headers["set-cookie"])


@pytest.mark.parametrize("token", ["", "x", "%ff", "%C3%A9", "x&token=y"])
def test_wrong_token(account, serving, token):
    """Another token lets no one in, and leaves the right one as it is."""
    add_scan(account)
    with serving() as desk:
        browser = desk.browser()

        assert refused(browser.ask(f"/?token={token}"))
        assert 303 == browser.enter(desk.address).status


@pytest.mark.parametrize(
    "cookie", [None, "", "desk=x", "desk-{port}=", "desk-{port}=x", "desk-{port}=\xe9", "; ;=;", "other=1; desk-{port}=y"]
)
def test_no_cookie(entered, cookie):
    """Without the cookie of this very session nothing is answered, on no path."""
    desk, browser = entered

    browser.cookie = cookie and cookie.format(port=desk.port)

    assert all(refused(browser.ask(path)) for path in PATHS)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]:{port}",
        "localhost",
        "127.0.0.1:{port}.evil.example",
        "",
    ],
)
def test_other_host(entered, host):
    """Under another host name nothing is answered, even with the cookie: the name may be made to lead here (DNS rebinding)."""
    desk, browser = entered

    name = host.format(port=desk.port)
    assert all(refused(browser.ask(path, Host=name), HTTPStatus.MISDIRECTED_REQUEST) for path in PATHS)


def test_token_under_another_host(account, serving):
    """The token is not taken under another host name, and stays unused."""
    add_scan(account)
    with serving() as desk:
        browser = desk.browser()
        query = urlsplit(desk.address).query

        assert refused(browser.ask(f"/?{query}", Host="evil.example"), HTTPStatus.MISDIRECTED_REQUEST)
        assert 303 == browser.enter(desk.address).status


def test_localhost(entered):
    """The desk answers under the name localhost, too."""
    desk, browser = entered

    assert 200 == browser.ask("/", Host=f"localhost:{desk.port}").status


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://localhost:{port}", "file://"],
)
def test_other_origin(entered, origin):
    """What a page of another origin asks for is not answered, even with the cookie."""
    desk, browser = entered

    assert all(refused(browser.ask(path, Origin=origin.format(port=desk.port))) for path in PATHS)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-ORIGIN"])
def test_other_site(entered, site):
    """What the browser says comes from another site, or from another port of this machine, is not answered."""
    _, browser = entered

    assert all(refused(browser.ask(path, Sec_Fetch_Site=site)) for path in PATHS)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_decisions_from_elsewhere(account, entered, headers):
    """A decision that does not come from a page of the desk is not taken."""
    _, browser = entered
    decision = {
        "id": video("a.mp4").id,
        "etag": "0123456789abcdef0123456789abcdef",
        "attempt": 0,
        "decision": "confirmed",
        "before": None,
    }

    answer = browser.post("/api/decisions", {"scan": SCAN, "decided_by": "Ada", "decisions": [decision]}, **headers)

    assert refused(answer)
    assert [] == account.table.decisions.decisions_about(video("a.mp4"))


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND"])
def test_methods(entered, method):
    """Other methods are not served, and TRACE does not show the cookie to a script."""
    _, browser = entered

    answer = browser.ask("/", method, Origin=browser.origin, Sec_Fetch_Site="same-origin")

    assert answer.status in {400, 404, 405}
    assert browser.cookie.encode() not in answer.data


@pytest.mark.parametrize(
    "path",
    [
        "/media/{scan}/../../etc/passwd",
        "/media/{scan}/..%2f..%2fetc%2fpasswd",
        "/media/%2e%2e/x",
        "//media/{scan}/x",
        "/media/{scan}/{id}/",
        "/media/{scan}/{id}%00",
        "/media/{scan}/s3:%2f%2fbucket%2fa.mp4",
        "/frames/{scan}/{id}/-1.jpg",
        "/frames/{scan}/{id}/0.jpg/..",
        "/frames/{scan}/{id}/1e9.jpg",
        f"/frames/{{scan}}/{{id}}/{'9' * 400}.jpg",
        "/static/page.js",
    ],
)
def test_path_tricks(account, entered, path):
    """Only videos that the desk shows can be asked for, by their ids: no path leads to a file or to another object."""
    _, browser = entered
    before = len(account.wire.of("GetObject"))

    answer = browser.ask(path.format(scan=SCAN, id=video("a.mp4").id))

    assert refused(answer, HTTPStatus.NOT_FOUND)
    assert before == len(account.wire.of("GetObject"))


@pytest.mark.parametrize("let_in", [True, False])
def test_headers(entered, let_in):
    """Every answer, also a refusal, forbids to be sniffed, kept, embedded, read by other origins, or to load from elsewhere."""
    desk, browser = entered

    for path in (*PATHS, "/favicon.ico"):
        headers = (browser if let_in else desk.browser()).ask(path).headers

        assert ("nosniff", "no-store", "no-referrer", "DENY") == (
            headers["x-content-type-options"],
            headers["cache-control"],
            headers["referrer-policy"],
            headers["x-frame-options"],
        )
        assert ("same-origin", "same-origin") == (headers["cross-origin-resource-policy"], headers["cross-origin-opener-policy"])
        policy = dict(each.partition(" ")[::2] for each in headers["content-security-policy"].split("; "))
        assert ("'none'", "'none'", "'none'") == (policy["default-src"], policy["frame-ancestors"], policy["base-uri"])
        assert not [value for value in policy.values() if "http" in value or "*" in value]
        assert [] == [name for name in headers if name.lower().startswith("access-control")]
        assert "server" not in headers


def test_key_that_is_a_script(account, entered):
    """A key that is a script stays text on the page, and is nowhere in an address."""
    account.clock.time += 60.0
    add_flagged(account, HOSTILE)
    _, browser = entered

    changed = browser.ask(f"/api/changes?scan={SCAN}&after=0")
    page = browser.ask("/")

    assert HOSTILE in [each["key"] for each in json.loads(changed.data)["flagged"]]
    assert b"<script>alert" not in page.data
    assert 2 == page.data.count(b"</script>")
    assert "application/json" == changed.headers["content-type"]
