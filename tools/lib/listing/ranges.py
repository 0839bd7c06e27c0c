"""Ranges of keys, and where to cut one in two without knowing how the keys are laid out.

S3 lists keys in the order of their UTF-8 bytes, which is the order of Python's strings. A range is cut half-way between what has
been listed and its end, where keys are read as numbers whose digits are the characters seen so far. If nothing lies beyond a cut,
the range has become shorter, and the next cut looks for the end at half the depth of what the keys on a page have in common.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import prod
from string import digits

from handlers.domain.identity import MAX_KEY_BYTES

# Characters that are compared beyond what two keys have in common.
_DIGITS = 16

# Characters that are learned: scripts have more, but sorting them takes time.
_ENOUGH = 4_000
_STEPS = tuple(2**power for power in range(3, 13))

# UTF-8 does not have these code points.
_SURROGATES = range(0xD800, 0xE000)
_LAST_CHARACTER = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a range: the first and last key of its newest page, and its end.

    Attributes:
        prefix: All keys begin with it.
        end: The last key that may belong to it; None: it has no end but that of the prefix.
        misses: How many cuts in a row had nothing beyond them.
    """

    prefix: str
    first: str
    last: str
    end: str | None
    misses: int = 0


class Alphabet:
    """The printable characters that keys were seen to consist of, as the digits of each place.

    The digits of a place are the characters seen there, and those in which neighbours in the listing differ: if all names are
    numbers, the letters of folders and suffixes are not used for cuts. Where only separators were seen, nothing else is expected.
    Because a page shows few of a script's thousands of characters, some higher ones are added.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._differing: set[str] = set()
        self._seen: list[set[str]] = []
        self._digits: dict[int, str] = {}
        self.learn(keys)

    def learn(self, keys: Sequence[str]) -> None:
        """Add the characters of some keys, which are in the order of the listing."""
        if len(self._differing) > _ENOUGH:
            return
        known = len(self._differing)
        for one, other in pairwise(keys):
            place = _alike(one, other)
            found = {one[place : place + 1], other[place : place + 1]} - self._differing
            self._differing.update(_around("".join(found)))
        for key in (keys[0], keys[-1]) if keys else ():
            self._seen.extend(set() for _ in range(len(self._seen), len(key)))
            for place, character in enumerate(key):
                if character not in self._seen[place]:
                    self._seen[place].update(_around(character))
                    self._digits.pop(place, None)
        if len(self._differing) > known:
            self._digits.clear()

    def number(self, text: str, start: int) -> int:
        """Return a number that grows with the text from a place on; an unseen character counts as the next text without one."""
        value, size = 0, min(len(text) - start, _DIGITS)
        for place in range(_DIGITS):
            known = self._at(start + place)
            digit = bisect_right(known, text[start + place]) if place < size else 0
            value = value * (len(known) + 1) + digit
            if place < size and (digit == 0 or known[digit - 1] != text[start + place]):
                value += 1
                return value * self._beyond(start + place + 1, _DIGITS - 1 - place)
        return value

    def beyond(self, start: int) -> int:
        """Return the number after that of every text from a place on."""
        return self._beyond(start, _DIGITS)

    def text(self, number: int, start: int) -> str:
        """Return the text of a number, with the first character in place of digits that stand for none."""
        characters = []
        for place in reversed(range(start, start + _DIGITS)):
            known = self._at(place)
            number, digit = divmod(number, len(known) + 1)
            characters.append(known[max(digit, 1) - 1] if known else "")
        return "".join(reversed(characters))

    def _beyond(self, start: int, count: int) -> int:
        return prod(len(self._at(place)) + 1 for place in range(start, start + count))

    def _at(self, place: int) -> str:
        """Return the digits of a place, in their order."""
        known = self._digits.get(place)
        if known is None:
            seen = self._seen[place] if place < len(self._seen) else set()
            fixed = seen and not any(character.isalnum() for character in seen)
            known = self._digits[place] = "".join(sorted(seen if fixed else seen | self._differing))
        return known


def cut_of(span: Span, alphabet: Alphabet) -> str | None:
    """Return a key between the last one listed and the end, which need not exist; None if there is no room."""
    middle, sibling = partial(_middle, span, alphabet), partial(_depth_cut, span)
    first, second = (sibling, middle) if span.misses else (middle, sibling)
    cut = first() or second()
    return cut if cut is not None and len(cut.encode()) <= MAX_KEY_BYTES else None


def remaining_pages(span: Span, alphabet: Alphabet) -> float:
    """Estimate how many pages like the newest one the rest of the range holds; infinite if nothing is known."""
    common = _common(span.first, span.end, span.prefix)
    first, last, end = (_number(key, common, alphabet) for key in (span.first, span.last, span.end))
    return (end - last) / (last - first) if last > first else float("inf")


def _middle(span: Span, alphabet: Alphabet) -> str | None:
    """Return the shortest key that is about half-way."""
    common = _common(span.last, span.end, span.prefix)
    last, end = (_number(key, common, alphabet) for key in (span.last, span.end))
    text = alphabet.text((last + end) // 2, common)
    cuts = (span.last[:common] + text[:length] for length in range(1, len(text) + 1))
    return next((cut for cut in cuts if span.last < cut and (span.end is None or cut < span.end)), None)


def _depth_cut(span: Span) -> str | None:
    """Return the next sibling of the last key's ancestor, half-way between the common prefix of the rest and that of the page.

    A bucket's keys often begin alike for many characters: half a dozen cuts find how many, where going character by character
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
    """Return how many characters all keys between a key and the end have in common."""
    return len(prefix) if end is None else _alike(key, end)


def _alike(one: str, other: str) -> int:
    """Return the length of the common prefix of two keys."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _number(key: str | None, common: int, alphabet: Alphabet) -> int:
    return alphabet.beyond(common) if key is None else alphabet.number(key, common)


def _around(characters: str) -> set[str]:
    """Return the printable ones of some characters, with all ten digits if one is a digit, and some higher ones beyond ASCII."""
    found = {chr(min(ord(one) + step, _LAST_CHARACTER)) for one in characters if not one.isascii() for step in _STEPS}
    found.update(digits if any(one in digits for one in characters) else "")
    return {one for one in found.union(characters) if one.isprintable()}
