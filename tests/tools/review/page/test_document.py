"""The page as text: whatever its data holds, the markup, the script and the policy stay the same."""

import base64
import functools
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.domain.decision import Decision, Judgement
from handlers.domain.identity import Video
from handlers.domain.languages import phrase
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record, Scan, Segment, Totals
from handlers.domain.states import State
from tests.browser.reviews import HOSTILE_KEYS, page_of
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page import PageData, render
from tools.lib.review.page.document import document, island
from tools.lib.review.summary import FlaggedVideo, Review

ENDS = ("</script>", "<!--<script>", "]]>", "&lt;", "$data", "${script}", "\u2028", "\ud800", "\x00", "\u202e", "\\", '"')
TEXTS = st.one_of(st.text(st.characters(codec=None), max_size=30), st.sampled_from([*ENDS, *HOSTILE_KEYS]))


class Reader(HTMLParser):
    """Reads a page as a browser would, as far as elements, attributes and the text of raw elements go."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags = []
        self.raw = []
        self.comments = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Note the text within script, style and title."""
        if self.tags and self.tags[-1][0] in ("script", "style", "title") and data.strip():
            self.raw.append((self.tags[-1], data))

    def handle_comment(self, data):
        """Note a comment: the page has none."""
        self.comments.append(data)

    def text(self, tag, **attributes):
        """Return the text of such elements."""
        return "".join(data for (name, attrs), data in self.raw if name == tag and attributes.items() <= attrs.items())

    @property
    def policy(self):
        """Return the policy's directives."""
        (content,) = [attrs["content"] for tag, attrs in self.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
        return dict(directive.split(" ", 1) for directive in content.split("; "))


def rendered(data):
    """Return the page as written."""
    target = io.StringIO()
    render(data, target)
    return target.getvalue()


@functools.cache
def empty_page():
    """Return a page without videos, read."""
    return Reader(rendered(PageData("title", {})))


@st.composite
def reviews(draw):
    """Make a review in which every string from AWS is anything."""
    video = Video(draw(TEXTS), draw(TEXTS), draw(st.none() | TEXTS))
    name, parent = draw(TEXTS), draw(TEXTS)
    label = LabelSummary(name, parent, 1, 91.25, 1_000, 0)
    facts = ObjectFacts(draw(TEXTS), 1, draw(st.none() | TEXTS))
    record = Record(video, draw(TEXTS), State.FLAGGED, facts=facts, duration_ms=2_000, labels=(label,), counted=(name,))
    about = {"video": video, "etag": facts.etag, "scan_id": record.scan_id, "attempt": 0, "judgement": Judgement.CONFIRMED}
    decision = Decision(**about, note=draw(TEXTS), decided_by=draw(TEXTS), decided_at=1.25)
    segments = (Segment(name, parent, 1, 0, 1_000, 91.25, 2),)
    flagged = FlaggedVideo(ObjectResult(video, ObjectStatus.FLAGGED, record, decision=decision), segments)
    problem = Problem(draw(TEXTS), draw(TEXTS))
    failed = ObjectResult(Video(draw(TEXTS), draw(TEXTS)), ObjectStatus.FAILED, None, problem.code, problem.message)
    aside = ObjectResult(Video(draw(TEXTS), draw(TEXTS)), ObjectStatus.INELIGIBLE, None, draw(TEXTS), draw(TEXTS))
    warning = phrase("Job {job}", job=draw(TEXTS))
    return Review(Scan(draw(TEXTS), draw(TEXTS)), TruthTable(), [flagged], [failed], [aside], warnings=[warning])


@pytest.mark.slow
@given(reviews())
@settings(max_examples=200, deadline=None)
def test_any_string_stays_a_string(made):
    """Whatever the strings, the elements are those of an empty page, and the page's data is read back to the letter."""
    data = page_of(made, Totals())

    page = Reader(rendered(data))

    assert empty_page().tags == page.tags
    assert [] == page.comments
    assert json.loads(page.text("script", id="data")) == json.loads(json.dumps(data.values))


@pytest.mark.slow
@given(
    st.recursive(TEXTS | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))
)
@settings(deadline=None)
def test_island(value):
    """An island is read back as it was, and holds nothing that a parser of HTML looks for."""
    text = island({"value": value})

    assert {"value": value} == json.loads(text)
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_what_json_has_not():
    """A number that is none is refused: a browser could not read it."""
    with pytest.raises(ValueError, match="JSON"):
        island({"confidence": float("nan")})


def test_policy_matches():
    """The policy allows exactly the style and the script of the page, by their hashes, and nothing else from anywhere."""
    page = Reader(document(PageData("title", {})))

    style, script = hash_of(page.text("style")), hash_of(page.text("script", type="module"))

    assert {
        "default-src": "'none'",
        "script-src": f"'sha256-{script}'",
        "style-src": f"'sha256-{style}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    } == page.policy


def hash_of(text):
    """Return the hash of an inline element's text."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_loaded():
    """No element names an address, a handler or a style of its own."""
    page = Reader(document(PageData("title", {})))

    named = {
        name for _, attrs in page.tags for name in attrs if name in ("src", "srcset", "style", "action") or name.startswith("on")
    }
    links = {attrs["href"] for _, attrs in page.tags if "href" in attrs}

    assert set() == named
    assert {"#videos"} == links


def test_script_never_makes_markup():
    """The script has none of the ways to turn text into markup, code or a style."""
    script = Reader(document(PageData("title", {}))).text("script", type="module")

    ways = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc|\.cssText|import\(", script
    )

    assert [] == ways
    assert "</" not in script
    assert "<!--" not in script
