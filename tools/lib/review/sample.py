"""A sample of a scan's clean videos for people to look at, and how many of all clean ones were missed, as far as it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import exp, lgamma, log
from typing import Any

import click

from handlers.domain import Judgement
from handlers.domain.languages import Language
from tools.lib.cli import options
from tools.lib.review.decided import decision_or_null
from tools.lib.review.draw import Draw, seed_of
from tools.lib.review.join import ObjectResult
from tools.lib.videos import named

# How sure the interval is: in 95 of 100 samples it holds the true rate.
CONFIDENCE = 0.95
# A page stays responsive with that many, and they bound a rate of 0 at 0.1 %.
MAX_SAMPLE = 5_000
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class SampleChoice:
    """How many clean videos to draw, none by default, and the seed; None: the one that belongs to the scan."""

    count: int = 0
    seed: int | None = None

    def draw(self, scan_id: str) -> Draw:
        return Draw(self.count, seed_of(scan_id) if self.seed is None else self.seed)


def sample_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that draw a sample, and pass them as `sample`."""

    @wraps(command)
    def run(*arguments: Any, sample_clean: int | None, seed: int | None, **given: Any) -> Any:  # noqa: ANN401 - whatever the command takes and returns
        if seed is not None and sample_clean is None:
            raise click.UsageError("--seed chooses a sample: it requires --sample-clean.")
        return command(*arguments, sample=SampleChoice(sample_clean or 0, seed), **given)

    return options(
        click.option(
            "--sample-clean",
            type=click.IntRange(1, MAX_SAMPLE),
            metavar="N",
            help="Draw N clean videos to look at, and say how many of all clean ones were missed.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**63 - 1),
            metavar="N",
            help="Draw another sample; the same seed draws the same. Default: one that belongs to the scan.",
        ),
    )(run)


@dataclass(frozen=True, slots=True)
class CleanSample:
    """The clean videos that were drawn, with the decisions about them, and what these say about all clean ones.

    Only clean videos of this scan are drawn, so nothing is said about others; and only what was drawn counts, because what people
    look at by themselves is no fair choice.

    Attributes:
        whole: Whether all clean videos of the scan were drawn.
    """

    seed: int
    videos: tuple[ObjectResult, ...]
    whole: bool

    @property
    def looked_at(self) -> int:
        """Return how many a person has decided about."""
        return sum(each.decision is not None for each in self.videos)

    @property
    def missed(self) -> int:
        """Return how many of these hold what must not be there."""
        return sum(each.decision is not None and each.decision.judgement is Judgement.CONFIRMED for each in self.videos)

    @property
    def is_complete(self) -> bool:
        """Tell whether every clean video of the scan was looked at, so that nothing is estimated."""
        return self.whole and 0 < self.looked_at == len(self.videos)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the least and the greatest share of clean videos that were missed, None before any was looked at."""
        if not self.looked_at:
            return None
        if self.is_complete:
            return self.missed / self.looked_at, self.missed / self.looked_at
        return clopper_pearson(self.missed, self.looked_at)

    def sentences(self, language: Language) -> list[str]:
        """Return what the sample shows, and how much of it is still to be looked at."""
        drawn, left = len(self.videos), len(self.videos) - self.looked_at
        rest = language.text("Still to be looked at: {left} of {drawn} sampled clean {drawn:video|videos}.", left=left, drawn=drawn)
        return [*([self._rate(language)] if self.looked_at else []), *([rest] if left or not drawn else [])]

    def _rate(self, language: Language) -> str:
        missed, looked_at = self.missed, self.looked_at
        if self.is_complete:
            return language.text(
                "All clean videos were looked at: {missed} of {looked_at} were missed.", missed=missed, looked_at=looked_at
            )
        low, high = (f"{language.number(100 * bound, digits=1)} %" for bound in self.interval or (0.0, 1.0))
        counts = language.text("{missed} of {looked_at} looked at {missed:was|were} missed", missed=missed, looked_at=looked_at)
        if missed:
            return language.text(
                "Sample: {counts}. Of all clean videos of this scan that is between {low} and {high}, with 95 % confidence.",
                counts=counts,
                low=low,
                high=high,
            )
        return language.text(
            "Sample: {counts}. Of all clean videos of this scan that is at most {high}, with 95 % confidence.",
            counts=counts,
            high=high,
        )

    def as_json(self) -> dict[str, Any]:
        """Return JSON values; rates are in percent, null before any video was looked at."""
        low, high = self.interval or (None, None)
        return {
            "seed": self.seed,
            "drawn": len(self.videos),
            "all_drawn": self.whole,
            "decided": self.looked_at,
            "missed": self.missed,
            "miss_rate_percent": 100 * self.missed / self.looked_at if self.looked_at else None,
            "miss_rate_low_percent": None if low is None else 100 * low,
            "miss_rate_high_percent": None if high is None else 100 * high,
            "confidence": 100 * CONFIDENCE,
            "videos": [_video_json(each) for each in self.videos],
        }


def _video_json(outcome: ObjectResult) -> dict[str, Any]:
    record = outcome.record
    return {
        **named(outcome.video),
        "video_id": outcome.video.id,
        "etag": record.etag if record else None,
        "attempt": record.attempt if record else 0,
        "decision": decision_or_null(outcome.decision),
    }


def clopper_pearson(hits: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a share by the hits among trials (Clopper and Pearson, 1934).

    Its ends are the shares for which that few hits, or that many, have half the chance that remains beside the confidence.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _share_at(lambda share: _at_most(hits - 1, trials, share) > 1 - tail)
    high = 1.0 if hits == trials else _share_at(lambda share: _at_most(hits, trials, share) > tail)
    return low, high


def _share_at(is_above: Callable[[float], bool]) -> float:
    """Return the share up to which a condition holds."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_above(middle) else (low, middle)
    return (low + high) / 2


def _at_most(hits: int, trials: int, share: float) -> float:
    """Return the chance of at most `hits` among trials that each hit with the chance `share`, between 0 and 1."""
    ways = lgamma(trials + 1)
    return sum(
        exp(ways - lgamma(count + 1) - lgamma(trials - count + 1) + count * log(share) + (trials - count) * log(1 - share))
        for count in range(hits + 1)
    )
