"""How a language fills sentences and writes numbers."""

import pytest

from handlers.domain.languages import ENGLISH, LANGUAGES, Language

SPANISH = LANGUAGES["es"]
GERMAN = Language(
    code="de",
    sentences={"{n} {n:video|videos} in {place}": "in {place}: {n} {n:Video|Videos}"},
    labels={"Weapons": "Waffen"},
    thousands=".",
    decimal=",",
    grouped_from=1_000,
)


@pytest.mark.parametrize(
    ("language", "number", "text"),
    [
        (ENGLISH, 1, "1 video in {n}"),
        (ENGLISH, 1_200, "1,200 videos in {n}"),
        (GERMAN, 0, "in {n}: 0 Videos"),
        (GERMAN, 1, "in {n}: 1 Video"),
        (GERMAN, 1_200, "in {n}: 1.200 Videos"),
    ],
)
def test_text(language, number, text):
    """Values stand where the language wants them, forms are chosen by number, and no value is taken for a placeholder."""
    assert text == language.text("{n} {n:video|videos} in {place}", n=number, place="{n}")


def test_what_a_language_lacks_is_english():
    """A sentence without a translation is shown as it is in the code."""
    assert "Nothing of 3" == GERMAN.text("Nothing of {n}", n=3)


@pytest.mark.parametrize(
    ("language", "number", "digits", "text"),
    [
        (ENGLISH, 1_234.56, 1, "1,234.6"),
        (ENGLISH, 999, 0, "999"),
        (SPANISH, 1_234.56, 1, "1234,6"),
        (SPANISH, 9_999, 0, "9999"),
        (SPANISH, 12_345.678, 2, "12.345,68"),
        (SPANISH, 1_234_567, 0, "1.234.567"),
    ],
)
def test_number(language, number, digits, text):
    """Numbers have the separators of the language; Spanish leaves four digits together."""
    assert text == language.number(number, digits=digits)


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        (ENGLISH, "Weapons", "Weapons"),
        (GERMAN, " weapons", "Waffen ( weapons)"),
        (GERMAN, "Alcohol", "Alcohol"),
        (GERMAN, "Of another model", "Of another model"),
    ],
)
def test_label(language, name, text):
    """A label is named as the language names it, whatever its case; AWS's name stands beside it where it differs."""
    assert text == language.label_with_original(name)
