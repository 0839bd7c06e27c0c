"""The hierarchy of moderation labels in Rekognition's model 7.0.

Source: Rekognition developer guide, moderation-api, "label hierarchy". AWS renames labels between models, so unknown labels are
expected. Names are compared case-insensitively.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MODEL_VERSION = "7.0"

# Top-level categories with their second level and its third.
HIERARCHY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Explicit": {
            "Explicit Nudity": (
                "Exposed Male Genitalia",
                "Exposed Female Genitalia",
                "Exposed Buttocks or Anus",
                "Exposed Female Nipple",
            ),
            "Explicit Sexual Activity": (),
            "Sex Toys": (),
        },
        "Non-Explicit Nudity of Intimate parts and Kissing": {
            "Non-Explicit Nudity": (
                "Bare Back",
                "Exposed Male Nipple",
                "Partially Exposed Buttocks",
                "Partially Exposed Female Breast",
                "Implied Nudity",
            ),
            "Obstructed Intimate Parts": ("Obstructed Female Nipple", "Obstructed Male Genitalia"),
            "Kissing on the Lips": (),
        },
        "Swimwear or Underwear": {"Female Swimwear or Underwear": (), "Male Swimwear or Underwear": ()},
        "Violence": {
            "Weapons": (),
            "Graphic Violence": (
                "Weapon Violence",
                "Physical Violence",
                "Self-Harm",
                "Blood & Gore",
                "Explosions and Blasts",
            ),
        },
        "Visually Disturbing": {"Death and Emaciation": ("Emaciated Bodies", "Corpses"), "Crashes": ("Air Crash",)},
        "Drugs & Tobacco": {"Products": ("Pills",), "Drugs & Tobacco Paraphernalia & Use": ("Smoking",)},
        "Alcohol": {"Alcohol Use": ("Drinking",), "Alcoholic Beverages": ()},
        "Rude Gestures": {"Middle Finger": ()},
        "Gambling": {},
        "Hate Symbols": {"Nazi Party": (), "White Supremacy": (), "Extremist": ()},
    }
)


def folded(name: str) -> str:
    """Return the form in which names are compared."""
    return name.strip().casefold()


def canonical(name: str) -> str:
    """Return a label as AWS writes it; an unknown one as it is."""
    return _NAMES.get(folded(name), name)


def known(name: str) -> bool:
    """Tell whether model 7.0 has this label."""
    return folded(name) in _ANCESTORS


def level(name: str) -> int:
    """Return 1 for a top-level category, 2 or 3 below it, and 0 for an unknown label."""
    return len(_ANCESTORS[folded(name)]) + 1 if known(name) else 0


def ancestors(name: str) -> tuple[str, ...]:
    """Return the ancestors of a label, the nearest first; none for a top-level category or an unknown label."""
    return _ANCESTORS.get(folded(name), ())


def parent(name: str) -> str:
    """Return the parent of a label; "" for a top-level category or an unknown label."""
    return next(iter(ancestors(name)), "")


def names() -> tuple[str, ...]:
    """Return every label in AWS's spelling, from the top down."""
    return tuple(
        name
        for top, seconds in HIERARCHY.items()
        for name in (top, *(name for second, thirds in seconds.items() for name in (second, *thirds)))
    )


def _ancestors() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for top, seconds in HIERARCHY.items():
        table[folded(top)] = ()
        for second, thirds in seconds.items():
            table[folded(second)] = (top,)
            table.update({folded(third): (second, top) for third in thirds})
    return table


_ANCESTORS = MappingProxyType(_ancestors())
_NAMES = MappingProxyType({folded(name): name for name in names()})
