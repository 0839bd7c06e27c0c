"""Test cards: distinguished from each other and from everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.cards import CARDS, GRID, card_for, grey_level, lineage, recognise

CELLS = GRID * GRID


def picture(surround, square):
    """Return a frame, already shrunk, with a square in the documented place."""
    middle = range(GRID // 4, 3 * GRID // 4)
    return b"".join(bytes(square if x in middle and y in middle else surround) for y in range(GRID) for x in range(GRID))


@given(st.sampled_from(CARDS), st.floats(0, 100), st.tuples(*[st.integers(-6, 6)] * 3))
def test_a_card_is_recognised_though_its_colours_are_a_little_off(card, confidence, error):
    """Codecs change colours by a few levels; label and confidence are recognised anyway."""
    off = [min(255, max(0, channel + e)) for channel, e in zip(card.rgb, error, strict=True)]

    found = recognise(picture(off, [grey_level(confidence)] * 3))

    assert found is not None
    assert found[0] == card
    assert found[1] == pytest.approx(confidence, abs=0.25)


def test_the_taxonomy_is_whole():
    """52 labels of model 7.0, each once, each with a parent one level above, level 1 without."""
    assert len(CARDS) == len({card.label for card in CARDS}) == len({card.colour for card in CARDS}) == 52
    assert [sum(card.level == level for card in CARDS) for level in (1, 2, 3)] == [10, 20, 22]
    assert all(card.level == (card_for(card.parent).level + 1 if card.parent else 1) for card in CARDS)


def test_lineage_goes_up_to_level_one():
    """A label, its parent, its parent's parent."""
    assert [card.label for card in lineage("Air Crash")] == ["Air Crash", "Crashes", "Visually Disturbing"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.label)
def test_a_plain_colour_is_no_card(card):
    """The colour alone, without the grey square, means nothing."""
    assert recognise(bytes(card.rgb) * CELLS) is None


@given(st.sampled_from(CARDS), st.sampled_from(CARDS))
def test_a_coloured_square_is_no_card(card, other):
    """A square that is not grey means nothing."""
    assert recognise(picture(card.rgb, other.rgb)) is None


@given(st.integers(0, 255), st.integers(0, 255))
def test_grey_on_grey_is_no_card(surround, square):
    """Titles, letter boxes and fades to black or white mean nothing."""
    assert recognise(picture([surround] * 3, [square] * 3)) is None


@given(st.binary(min_size=CELLS * 3, max_size=CELLS * 3))
def test_noise_is_no_card(noise):
    """Random pictures mean nothing."""
    assert recognise(noise) is None


@pytest.mark.parametrize("where", [(0, 0), (0, GRID - 1), (GRID - 1, GRID // 2), (GRID // 2, GRID // 2)], ids=str)
def test_one_wrong_cell_spoils_a_card(where):
    """A picture with anything else in a corner or in the square is not a card."""
    cells = bytearray(picture(card_for("Weapons").rgb, [200] * 3))
    start = 3 * (where[0] * GRID + where[1])
    cells[start : start + 3] = bytes((10, 20, 30))

    assert recognise(bytes(cells)) is None
