"""What must be found in films is found: 200 of them, in all codecs and containers that PyAV writes."""

import math
import random
from fractions import Fraction

import pytest

from handlers.adapters.media import open_media
from handlers.domain.sampling import LONGEST_GAP, most_images, probability_seen
from tests.handlers.adapters.media.made_films import CARDS, KINDS, MPEG_RATES, Bytes, Made, Shown, card_of, film

FILMS = 200
# A film is said to show a card until the last frame begins, and codecs keep time in ticks.
TICK_S = 0.07


def made(number):
    """Return the film with a number: every eighth of the kinds, rates and so on is drawn for itself."""
    chance = random.Random(number)
    kind = list(KINDS)[number % len(KINDS)]
    interval_ms = chance.choice((1_000, 1_500, 2_000, 5_000))
    seconds = interval_ms / 1_000 * chance.uniform(4, 12)
    rates = MPEG_RATES if "mpeg2" in kind else (24, 25, 30, Fraction(30_000, 1_001), 50, 60)
    with_times = not any(name in kind for name in ("avi", "ps", "asf", "mpeg2"))
    described = Made(
        kind,
        seconds,
        _cards(chance, seconds, interval_ms / 1_000),
        Fraction(chance.choice(rates)),
        key_s=math.exp(chance.uniform(math.log(0.5), math.log(30))),
        variable=with_times and chance.random() < 0.3,
        rotation=chance.choice((0, 90, 180, 270)) if kind.endswith(("mp4", "mov")) else 0,
        start_s=chance.choice((0.0, 0.0, 1.5)) if kind.endswith(("mp4", "mov")) else 0.0,
        seed=number,
    )
    return described, interval_ms


def _cards(chance, seconds, interval_s):
    """Return cards of 0.3 to 30 seconds, each followed by an interval without."""
    cards, at = [], chance.uniform(0, interval_s)
    numbers = chance.sample(range(len(CARDS)), 12)
    while numbers:
        length = min(math.exp(chance.uniform(math.log(0.3), math.log(30))), 3 * interval_s)
        if at + length > seconds:
            break
        cards.append(Shown(numbers.pop(), at, at + length))
        at += length + chance.uniform(0.1, 1) * interval_s
    return tuple(cards)


def sampled(described, interval_ms):
    """Return the frames that a film is analysed by, as times in seconds with the card that each shows."""
    with open_media(Bytes(film(described)), interval_ms=interval_ms, after_ms=None) as media:
        frames = [(frame.at_ms / 1_000, card_of(frame.data)) for frame in media.frames()]
        assert (media.kind, media.complete) == ("film", True)
        assert media.decoded_ms == pytest.approx(1_000 * (described.seconds + described.start_s), abs=250)
    return frames


def check(described, interval_ms):
    """Check a film, and return which of its shorter cards were found, with their probabilities."""
    frames = sampled(described, interval_ms)
    times = [at - described.start_s for at, _ in frames]
    interval_s = interval_ms / 1_000
    gaps = [after - before for before, after in zip([0, *times], [*times, described.seconds], strict=False)]

    assert max(gaps) <= LONGEST_GAP * interval_s + 0.002
    assert len(frames) <= most_images(1_000 * described.seconds, interval_ms)
    for at, card in zip(times, (card for _, card in frames), strict=True):
        near = {described.card_at(at + tick) for tick in (-TICK_S, 0, TICK_S)}
        assert card in near, f"{card} at {at}, where {near}"
    found = {card for _, card in frames}
    lengths = {shown.card: shown.end_s - shown.start_s for shown in described.cards}
    assert {card for card, length in lengths.items() if length >= LONGEST_GAP * interval_s + TICK_S} <= found
    return [
        (card in found, probability_seen(1_000 * length, interval_ms))
        for card, length in lengths.items()
        if length < LONGEST_GAP * interval_s
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", [pytest.param(number, id=kind) for number, kind in enumerate(KINDS)])
def test_one_film_of_each_kind(number):
    """Gaps are at most 1.1 intervals, long cards are found at their times, and nothing where nothing is."""
    check(*made(number))


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_two_hundred_films():
    """The same holds for 200 films, and shorter cards are found at least as often as is said (within three deviations)."""
    short = [outcome for number in range(FILMS) for outcome in check(*made(number))]

    expected = sum(probability for _, probability in short)
    deviation = math.sqrt(sum(probability * (1 - probability) for _, probability in short))
    assert len(short) > FILMS
    assert sum(seen for seen, _ in short) > expected - 3 * deviation
