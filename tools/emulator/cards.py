"""Test cards: frames that represent labels, so that a rehearsal can have videos in which something is found.

A test card is a frame filled with one colour of `CARDS`, except for a grey rectangle in its middle, from a quarter to three
quarters of the width and of the height. The colour stands for a label; the grey level `g` (0 to 255) stands for the confidence,
`100 * g / 255` per cent. The colours are far from grey and at least 64 apart in one channel, so that they survive H.264; a film
does not contain such a frame by chance. Any encoder will do, because a card is only a picture (BT.601 colours). It must be cut
in, not faded in: half-way through a fade it may look like the card of a darker colour.

Names, parents and levels are the moderation taxonomy of model 7.0:
https://docs.aws.amazon.com/rekognition/latest/dg/moderation-api.html
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

# Frames are recognised after they were shrunk to this many cells a side.
GRID = 32
# Cells before, in and after the rectangle; two cells at its edges are ignored, because codecs and shrinking blur them.
_OUTSIDE_BEFORE, _INSIDE_FROM, _INSIDE_TO, _OUTSIDE_FROM = GRID // 4 - 2, GRID // 4 + 2, 3 * GRID // 4 - 2, 3 * GRID // 4 + 2
# How far a decoded channel may be from what was drawn, and how much it may vary within the area.
_TOLERANCE = 20
_SPREAD = 24
_RGB = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A label of the taxonomy and its colour as 0xRRGGBB; the parent of a level 1 label is ""."""

    label: str
    parent: str
    level: int
    colour: int

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Return the colour's three channels."""
        return self.colour >> 16, self.colour >> 8 & 255, self.colour & 255


CARDS = (
    Card("Explicit", "", 1, 0xFF0000),
    Card("Explicit Nudity", "Explicit", 2, 0x40C080),
    Card("Exposed Male Genitalia", "Explicit Nudity", 3, 0x40FFC0),
    Card("Exposed Female Genitalia", "Explicit Nudity", 3, 0x808000),
    Card("Exposed Buttocks or Anus", "Explicit Nudity", 3, 0x4000C0),
    Card("Exposed Female Nipple", "Explicit Nudity", 3, 0x40C0FF),
    Card("Explicit Sexual Activity", "Explicit", 2, 0x004080),
    Card("Sex Toys", "Explicit", 2, 0x800000),
    Card("Non-Explicit Nudity of Intimate parts and Kissing", "", 1, 0x00FFFF),
    Card("Non-Explicit Nudity", "Non-Explicit Nudity of Intimate parts and Kissing", 2, 0xFF0080),
    Card("Bare Back", "Non-Explicit Nudity", 3, 0xC00040),
    Card("Exposed Male Nipple", "Non-Explicit Nudity", 3, 0xFFC040),
    Card("Partially Exposed Buttocks", "Non-Explicit Nudity", 3, 0xC000C0),
    Card("Partially Exposed Female Breast", "Non-Explicit Nudity", 3, 0x40C000),
    Card("Implied Nudity", "Non-Explicit Nudity", 3, 0x0080FF),
    Card("Obstructed Intimate Parts", "Non-Explicit Nudity of Intimate parts and Kissing", 2, 0x8000FF),
    Card("Obstructed Female Nipple", "Obstructed Intimate Parts", 3, 0x00FF00),
    Card("Obstructed Male Genitalia", "Obstructed Intimate Parts", 3, 0x4040C0),
    Card("Kissing on the Lips", "Non-Explicit Nudity of Intimate parts and Kissing", 2, 0xC0C000),
    Card("Swimwear or Underwear", "", 1, 0x0000FF),
    Card("Female Swimwear or Underwear", "Swimwear or Underwear", 2, 0xC04080),
    Card("Male Swimwear or Underwear", "Swimwear or Underwear", 2, 0x00FF80),
    Card("Violence", "", 1, 0xFFFF00),
    Card("Weapons", "Violence", 2, 0x80C040),
    Card("Graphic Violence", "Violence", 2, 0xFF8000),
    Card("Weapon Violence", "Graphic Violence", 3, 0xC04000),
    Card("Physical Violence", "Graphic Violence", 3, 0x80FF40),
    Card("Self-Harm", "Graphic Violence", 3, 0x408000),
    Card("Blood & Gore", "Graphic Violence", 3, 0xC040FF),
    Card("Explosions and Blasts", "Graphic Violence", 3, 0x80FF00),
    Card("Visually Disturbing", "", 1, 0x008000),
    Card("Death and Emaciation", "Visually Disturbing", 2, 0x8040C0),
    Card("Emaciated Bodies", "Death and Emaciation", 3, 0x00C080),
    Card("Corpses", "Death and Emaciation", 3, 0x40FF40),
    Card("Crashes", "Visually Disturbing", 2, 0xFF4040),
    Card("Air Crash", "Crashes", 3, 0x008040),
    Card("Drugs & Tobacco", "", 1, 0xFF40FF),
    Card("Products", "Drugs & Tobacco", 2, 0xC0FF40),
    Card("Pills", "Products", 3, 0x800040),
    Card("Drugs & Tobacco Paraphernalia & Use", "Drugs & Tobacco", 2, 0x00C0C0),
    Card("Smoking", "Drugs & Tobacco Paraphernalia & Use", 3, 0xC04040),
    Card("Alcohol", "", 1, 0xC08040),
    Card("Alcohol Use", "Alcohol", 2, 0x0040FF),
    Card("Drinking", "Alcohol Use", 3, 0xC0C040),
    Card("Alcoholic Beverages", "Alcohol", 2, 0x804000),
    Card("Rude Gestures", "", 1, 0x40FF00),
    Card("Middle Finger", "Rude Gestures", 2, 0x00C000),
    Card("Gambling", "", 1, 0x4080FF),
    Card("Hate Symbols", "", 1, 0x800080),
    Card("Nazi Party", "Hate Symbols", 2, 0x000080),
    Card("White Supremacy", "Hate Symbols", 2, 0x008080),
    Card("Extremist", "Hate Symbols", 2, 0xFF00FF),
)


@functools.cache
def _by_label() -> dict[str, Card]:
    return {card.label: card for card in CARDS}


def card_for(label: str) -> Card:
    """Return the card of a label, or raise `KeyError` if the taxonomy has no such label."""
    return _by_label()[label]


def lineage(label: str) -> tuple[Card, ...]:
    """Return the cards of a label, of its parent, and so on up to level 1."""
    card = card_for(label)
    return (card, *lineage(card.parent)) if card.parent else (card,)


def grey_level(confidence: float) -> int:
    """Return the grey (0 to 255) that represents a confidence in per cent."""
    return round(confidence * 255 / 100)


def recognise(picture: bytes) -> tuple[Card, float] | None:
    """Return the card that a frame shows and its confidence in per cent, or None.

    Args:
        picture: The frame shrunk to `GRID` by `GRID` cells, row by row; each cell is a byte of red, of green and of blue.
    """
    rows = [picture[y * GRID * _RGB : (y + 1) * GRID * _RGB] for y in range(GRID)]
    grey = _level(b"".join(row[_INSIDE_FROM * _RGB : _INSIDE_TO * _RGB] for row in rows[_INSIDE_FROM:_INSIDE_TO]))
    if grey is None:
        return None
    surround = b"".join(_surround(y, row) for y, row in enumerate(rows))
    channels = [_level(surround[channel::_RGB]) for channel in range(_RGB)]
    card = next((card for card in CARDS if _matches(channels, card)), None)
    return None if card is None else (card, round(100 * grey / 255, 4))


def _surround(y: int, row: bytes) -> bytes:
    if _OUTSIDE_BEFORE <= y < _OUTSIDE_FROM:
        return row[: _OUTSIDE_BEFORE * _RGB] + row[_OUTSIDE_FROM * _RGB :]
    return row


def _level(values: bytes) -> float | None:
    """Return the mean of values that are nearly equal, otherwise None."""
    return None if max(values) - min(values) > _SPREAD else sum(values) / len(values)


def _matches(channels: list[float | None], card: Card) -> bool:
    return all(seen is not None and abs(seen - drawn) <= _TOLERANCE for seen, drawn in zip(channels, card.rgb, strict=True))
