"""Ranges of keys, and where to cut one in two without knowing how the keys are laid out.

S3 lists keys in the order of their UTF-8 bytes, which is the order of Python's strings. A range is cut between what has been
listed of it and its end: half-way by the numbers that the keys are in the digits seen so far. Where nothing lies beyond a cut the
range has become shorter, and the next cut looks for the end at half the depth of what the keys on a page have in common.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from handlers.domain.identity import MAX_KEY_BYTES

_DIGITS = 16
"""Characters that are looked at beyond what two keys have in common."""

_ENOUGH = 4_000
_STEPS = tuple(2**power for power in range(3, 13))

_SURROGATES = range(0xD800, 0xE000)
"""No characters: UTF-8 has none of them."""
_LAST_CHARACTER = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a range: the first and last key of its newest page, and its end.

    Attributes:
        prefix: All keys begin so.
        end: The last key that may belong to it; None means all with the prefix.
        misses: How many cuts in a row had nothing beyond them.
    """

    prefix: str
    first: str
    last: str
    end: str | None
    misses: int = 0


class Alphabet:
    """The characters that keys were seen to consist of, as digits. Only what can be printed: no cut is to look odd.

    Of a script with thousands of characters a page shows a few: some that lie above these are taken in too.
    """

    def __init__(self, characters: Iterable[str] = ()) -> None:
        self._characters = ""
        self.learn(characters)

    def learn(self, texts: Iterable[str]) -> None:
        """Take in the characters of some keys."""
        if len(self._characters) > _ENOUGH:
            return
        found = set().union(*texts).difference(self._characters)
        found |= {chr(min(ord(one) + step, _LAST_CHARACTER)) for one in found if not one.isascii() for step in _STEPS}
        if new := {character for character in found if character.isprintable()}:
            self._characters = "".join(sorted(new.union(self._characters)))

    @property
    def base(self) -> int:
        """Return how many digits there are; the lowest stands for the end of a text."""
        return len(self._characters) + 1

    @property
    def beyond(self) -> int:
        """Return the number after that of every text."""
        beyond: int = self.base**_DIGITS
        return beyond

    def number(self, text: str) -> int:
        """Return a number that grows with the text; one with a character never seen counts as the first text beyond it."""
        value = 0
        for place in range(_DIGITS):
            digit = bisect_right(self._characters, text[place]) if place < len(text) else 0
            value = value * self.base + digit
            if place < len(text) and (digit == 0 or self._characters[digit - 1] != text[place]):
                value = (value + 1) * int(self.base ** (_DIGITS - 1 - place))
                break
        return value

    def text(self, number: int) -> str:
        """Return the text of a number; where a digit stands for no character, the first one is taken."""
        digits = []
        for _ in range(_DIGITS):
            number, digit = divmod(number, self.base)
            digits.append(digit)
        return "".join(self._characters[max(digit, 1) - 1] for digit in reversed(digits)) if self._characters else ""


def cut_of(span: Span, alphabet: Alphabet) -> str | None:
    """Return a key (there need be no such object) beyond the last one listed and before the end; None where there is no room."""
    cut = _depth_cut(span) if span.misses else None
    if cut is None:
        cut = _middle(span, alphabet)
    return cut if cut is not None and len(cut.encode()) <= MAX_KEY_BYTES else None


def remaining_pages(span: Span, alphabet: Alphabet) -> float:
    """Return how many pages like the newest one would fill the rest of the range: an estimate, infinite where nothing is known."""
    common = _common(span.first, span.end, span.prefix)
    first, last, end = (_number(key, common, alphabet) for key in (span.first, span.last, span.end))
    return (end - last) / (last - first) if last > first else float("inf")


def _middle(span: Span, alphabet: Alphabet) -> str | None:
    """Return the shortest text that is about half-way."""
    common = _common(span.last, span.end, span.prefix)
    last, end = (_number(key, common, alphabet) for key in (span.last, span.end))
    text = alphabet.text((last + end) // 2)
    cuts = (span.last[:common] + text[:length] for length in range(1, len(text) + 1))
    return next((cut for cut in cuts if span.last < cut and (span.end is None or cut < span.end)), None)


def _depth_cut(span: Span) -> str | None:
    """Return the next sibling of the last key's ancestor, half-way between what all the rest has in common and what a page has.

    A bucket's keys often begin alike for many characters: half a dozen cuts find how many, where one character at a time
    would take hundreds.
    """
    known, page = _common(span.last, span.end, span.prefix), _alike(span.first, span.last)
    depth = (known + page) // 2
    if depth <= known:
        return None
    code = ord(span.last[depth]) + 1 if depth < len(span.last) else _LAST_CHARACTER + 1
    if code > _LAST_CHARACTER:
        return None
    cut = span.last[:depth] + chr(_SURROGATES.stop if code in _SURROGATES else code)
    return cut if span.end is None or cut < span.end else None


def _common(key: str, end: str | None, prefix: str) -> int:
    """Return how many characters all that lies between a key and the end begins with."""
    return len(prefix) if end is None else _alike(key, end)


def _alike(one: str, other: str) -> int:
    """Return how many characters two keys begin with alike."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _number(key: str | None, common: int, alphabet: Alphabet) -> int:
    return alphabet.beyond if key is None else alphabet.number(key[common:])
