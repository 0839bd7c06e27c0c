"""Reads lines of code, links and anchors out of the repository's Markdown files."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in ("docs", "manifests", "tests") for page in (ROOT / folder).rglob("*.md"))])

_FENCE = re.compile(r"^\s*(```+)\s*(\w*)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$")
# The target of a link or picture, with or without a title, in Markdown, as a reference or in HTML.
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
_DEFINITION = re.compile(r"^\[([^\]]+)\]: +(\S+)")
_HTML = re.compile(r'<(?:a|img) [^>]*(?:href|src)="([^"]+)"')
# `[text][name]`, of which the name is defined elsewhere on the page; tags of sources have a colon.
_USE = re.compile(r"\]\[([^\]:]+)\]")
_INLINE_CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True)
class Line:
    """A line of a page, and whether it is in a block of code (in which language) or prose (None)."""

    page: Path
    number: int
    text: str
    language: str | None

    @property
    def where(self):
        """Return file and line, as editors open them."""
        return f"{self.page.relative_to(ROOT)}:{self.number}"


def lines(page):
    """Yield the lines of a page without its fences; a line of code that ends in a backslash goes on with the next one."""
    fence, language, held = "", None, ""
    for number, text in enumerate(page.read_text("utf-8").splitlines(), 1):
        found = _FENCE.match(text)
        if found and (not fence or (found[1].startswith(fence) and not found[2])):
            fence, language = ("", None) if fence else (found[1], found[2])
            continue
        if fence and text.endswith("\\"):
            held += text[:-1]
            continue
        yield Line(page, number, held + text, language)
        held = ""


def links(page):
    """Yield what each link and picture of a page points to, with its line."""
    for line in lines(page):
        if line.language is None:
            prose = _INLINE_CODE.sub("", line.text)
            found = [*_LINK.findall(prose), *_HTML.findall(prose), *(target for _, target in _DEFINITION.findall(prose))]
            yield from ((line, target) for target in found)


def undefined(page):
    """Return the names of a page's links that it does not define."""
    prose = [_INLINE_CODE.sub("", line.text) for line in lines(page) if line.language is None]
    used = {name for text in prose for name in _USE.findall(text)}
    return used - {name for text in prose for name, _ in _DEFINITION.findall(text)}


@functools.cache
def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them of their texts."""
    found = []
    for line in lines(page):
        if line.language is None and (heading := _HEADING.match(line.text)):
            name = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            again = sum(re.fullmatch(rf"{re.escape(name)}(-\d+)?", each) is not None for each in found)
            found.append(f"{name}-{again}" if again else name)
    return set(found)
