"""The page as text: data, style and script in one HTML file that nothing can be loaded into."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from string import Template
from typing import Any, TextIO

from handlers.domain.languages import Language
from tools.lib.review.page import modules
from tools.lib.review.page.data import PageData

# The module that imports the others.
ENTRY = "page.js"

# A sentence of page.html.
MARKED = re.compile(r"\{\{(.+?)\}\}")


def render(data: PageData, target: TextIO) -> None:
    """Write the page to a target that encodes UTF-8: the hashes of style and script are of their bytes in that encoding."""
    target.write(document(data))


def size_of(data: PageData) -> int:
    """Return how many bytes the page has."""
    return len(document(data).encode())


def document(data: PageData, *, served: bool = False) -> str:
    """Return the page as text; `served` if it comes from a desk, which answers its requests."""
    style, script = _style(), _script()
    # Everything goes in in one pass: a key that looks like a placeholder stays a key.
    return Template(_page(data.language)).substitute(
        language=data.language.code,
        policy=policy(style, script, frames=data.has_frames, served=served),
        title=html.escape(data.title),
        style=style,
        data=island(data.values),
        script=script,
    )


def served_policy() -> str:
    """Return the Content-Security-Policy of a page that comes from a desk."""
    return policy(_style(), _script(), served=True)


def _page(language: Language) -> str:
    """Return the page's markup with its sentences in a language."""
    return MARKED.sub(lambda marked: html.escape(language.text(marked[1])), asset("page.html"))


def island(values: Mapping[str, Any]) -> str:
    """Return values as JSON that cannot end the script element that holds it, nor open a comment there (HTML, 4.12.1.3)."""
    text = json.dumps(values, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def policy(style: str, script: str, *, frames: bool = False, served: bool = False) -> str:
    """Return the Content-Security-Policy: this style and this script, no other, and nothing from anywhere, or from its desk only.

    `frames`: pictures that are in the page itself are shown; `served`: it comes from a desk, and loads from there.

    `require-trusted-types-for` makes the browser itself refuse text that would become markup (`innerHTML`) or code (`eval`).
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            *(_FROM_THE_DESK if served else ["img-src data:"] if frames else ()),
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


_FROM_THE_DESK = ("img-src 'self' data: blob:", "media-src 'self'", "connect-src 'self'")


def _style() -> str:
    return asset("page.css")


@cache
def _script() -> str:
    return modules.script(ENTRY, asset)


def _hash(text: str) -> str:
    """Return the source expression of an inline element's text (CSP level 3, hash-source)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def asset(name: str) -> str:
    """Return the text of a file of the page."""
    return resources.files("tools.lib.review.page").joinpath(name).read_text(encoding="utf-8")
