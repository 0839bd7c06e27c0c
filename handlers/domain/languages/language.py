"""What a language is: sentences by their English ones, labels by AWS's names, and how numbers are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from handlers.domain import taxonomy

# `{name}` is a value; `{name:video|videos}` chooses by that value: the first where it is 1, else the second.
# The page reads the same notation (tools/lib/review/page/language.js).
PLACEHOLDER = re.compile(r"\{(\w+)(?::([^|{}]*)\|([^|{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence and its values, in no language yet; a value may be a phrase itself."""

    sentence: str
    values: Mapping[str, Value]


# What a placeholder may be filled with.
Value: TypeAlias = str | int | Phrase


def phrase(sentence: str, /, **values: Value) -> Phrase:
    """Make a phrase. The sentence is a literal, so that a test can find it."""
    return Phrase(sentence, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language, complete in one file. What it lacks is shown in English; a test finds it.

    Attributes:
        code: As in the setting `language` and HTML's attribute `lang` (BCP 47).
        sentences: By the English sentence in the code.
        labels: By AWS's name.
        thousands: Separates groups of three digits.
        decimal: Separates the fraction.
        grouped_from: The least number whose digits are grouped.
    """

    code: str
    sentences: Mapping[str, str]
    labels: Mapping[str, str]
    thousands: str
    decimal: str
    grouped_from: int

    def render(self, phrase: Phrase) -> str:
        """Return the text of a phrase, with its values filled in."""
        return self.text(phrase.sentence, **phrase.values)

    def text(self, sentence: str, /, **values: Value) -> str:
        """Return a sentence with its values; whole numbers are formatted. The argument is a literal, so that a test can find it."""
        return PLACEHOLDER.sub(lambda place: self._value(place, values), self.word(sentence))

    def word(self, english: str) -> str:
        """Return a word or sentence that is chosen while running, such as the name of a state; an unknown one as it is."""
        return self.sentences.get(english, english)

    def label(self, name: str) -> str:
        """Return the name of a moderation label; one that is not in the taxonomy as AWS wrote it."""
        return self.labels.get(taxonomy.canonical(name), name)

    def label_with_original(self, name: str) -> str:
        """Return the name of a label, and where it is translated also AWS's, by which it is found in AWS and in JSON."""
        translated = self.label(name)
        return name if translated == name else f"{translated} ({name})"

    def count(self, number: int) -> str:
        """Return a whole number."""
        return self.number(number, digits=0)

    def number(self, number: float | Decimal, *, digits: int) -> str:
        """Return a number with `digits` digits after the decimal separator."""
        grouping = "," if abs(float(number)) >= self.grouped_from else ""
        return f"{number:{grouping}.{digits}f}".translate(str.maketrans(",.", self.thousands + self.decimal))

    def _value(self, place: re.Match[str], values: Mapping[str, Value]) -> str:
        name, one, many = place.groups()
        value = values[name]
        if one is not None:
            return str(one if value == 1 else many)
        if isinstance(value, Phrase):
            return self.render(value)
        return self.count(value) if isinstance(value, int) else value
