"""What people are told of objects that a scan leaves out for their suffix."""

import pytest

from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.unselected import as_json, sentences

COUNTS = {".txt": 1_203, ".mkv": 3, ".webm": 1, "none": 2, "others": 12_345}


def test_sentences():
    """How many of which suffix, and which of them look like videos."""
    counted = "1,203 .txt, 3 .mkv, 1 .webm, 2 without a suffix, 12,345 with other suffixes"

    assert [
        f"Not part of the scan because of their suffixes: 13,554 objects ({counted}).",
        "4 of them look like videos (3 .mkv, 1 .webm): submit a scan with --suffix to include them.",
    ] == sentences(COUNTS, ENGLISH)


def test_one():
    """One object is told of as one."""
    first, second = sentences({".ts": 1}, ENGLISH)

    assert ("because of its suffix: 1 object (1 .ts)." in first, second.startswith("1 of them looks like a video")) == (True, True)


def test_spanish():
    """The same in Spanish."""
    assert [
        "Fuera del escaneo por su sufijo: 13.554 objetos (1203 .txt, 3 .mkv, 1 .webm, 2 sin sufijo, 12.345 con otros sufijos).",
        "4 de ellos parecen videos (3 .mkv, 1 .webm): un escaneo con --suffix los incluye.",
    ] == sentences(COUNTS, LANGUAGES["es"])


@pytest.mark.parametrize(("counts", "lines"), [({}, 0), (None, 1), ({".txt": 5}, 1)])
def test_no_more_than_there_is(counts, lines):
    """Where there are none nothing is said; where it is not known, that; videos only where some look like them."""
    assert lines == len(sentences(counts, ENGLISH))


def test_json():
    """Programs get sums and counts, or null where they are not known."""
    assert {"objects": 13_554, "look_like_videos": 4, "suffixes": COUNTS} == as_json(COUNTS)
    assert as_json(None) is None
