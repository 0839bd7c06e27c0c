"""The options of the estimate: how many headers are read, at which prices, and the most that may be spent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import click

from tools.lib.cli import EXISTING_FILE, options
from tools.lib.estimate.sampling import DEFAULT_SAMPLE


@dataclass(frozen=True, slots=True)
class Measure:
    """How many headers to read: a random sample of this size, all (None), or none (0)."""

    headers: int | None

    @property
    def all(self) -> bool:
        return self.headers is None

    @property
    def sample(self) -> int:
        """Return the size of the sample, 0 if all or no headers are read."""
        return self.headers or 0

    @classmethod
    def of(cls, text: str) -> Measure:
        """Return what `all`, `none` or a number stands for.

        Raises:
            ValueError: The text is none of these.
        """
        if text in {"all", "none"}:
            return cls(None if text == "all" else 0)
        if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
            raise ValueError(f"{text!r} is neither all nor none nor a number of headers from 1 to 999999")
        return cls(int(text))

    def __str__(self) -> str:
        return "all" if self.headers is None else str(self.headers or "none")


NO_HEADERS = Measure(0)


class MeasureType(click.ParamType[Measure]):
    """`all`, `none`, or a number of headers."""

    name = "measure"

    def convert(self, value: str | Measure, param: click.Parameter | None, ctx: click.Context | None) -> Measure:
        if isinstance(value, Measure):
            return value
        try:
            return Measure.of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Dollars(click.ParamType[Decimal]):
    """An amount of US dollars, with or without a dollar sign."""

    name = "dollars"

    def convert(self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(str(value).removeprefix("$").replace(",", ""))
        except InvalidOperation:
            amount = Decimal("nan")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not a valid amount of dollars; use 500 or 99.50", param, ctx)
        return amount


# `measure` (a Measure), `max_cost` (dollars or None), `prices_file` (a path or None).
estimate_options = options(
    click.option(
        "--measure",
        type=MeasureType(),
        default=str(DEFAULT_SAMPLE),
        show_default=True,
        metavar="N|all|none",
        help="Read the headers of N videos for the estimate, and leave out those that cannot be analysed.",
    ),
    click.option(
        "--max-cost",
        type=Dollars(),
        metavar="DOLLARS",
        help="Refuse a scan that may cost more, by the upper end of the estimate.",
    ),
    click.option(
        "--prices",
        "prices_file",
        type=EXISTING_FILE,
        metavar="FILE",
        help='Your prices: JSON, such as {"rekognition_minute": 0.08}.',
    ),
)
