"""The options that select objects of a bucket."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from typing import Any

import click

from tools.lib.cli import Moment, options
from tools.lib.listing import DEFAULT_SUFFIXES, Sample, Selection, compiled

# Amazon S3 API reference, Object: StorageClass.
STORAGE_CLASSES = (
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
    "EXPRESS_ONEZONE",
    "OUTPOSTS",
    "SNOW",
)

_UNITS = {
    "": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)},
}


class Size(click.ParamType[int]):
    """A number of bytes: `500`, `10MB` (of 1,000,000 bytes), `1.5GiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's signature
        """Return the number of bytes, or fail with the valid forms."""
        if isinstance(value, int):  # click converts defaults too
            return value
        found = re.fullmatch(r"(\d{1,18}(?:\.\d{1,9})?) ?([A-Za-z]*)", value, re.ASCII)
        if not found or found[2].upper() not in _UNITS:
            self.fail(f"{value!r} is not a valid size; use bytes or a number with KB, MB, GB, TB, KiB, MiB, GiB or TiB", param, ctx)
        return int(Decimal(found[1]) * _UNITS[found[2].upper()])


class Part(click.ParamType[Sample]):
    """A sample: a number of objects (`500`) or a percentage (`5%`)."""

    name = "sample"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Sample:  # noqa: ANN401 - click's signature
        """Return the sample without its seed, or fail with the valid forms."""
        if isinstance(value, Sample):
            return value
        if re.fullmatch(r"[1-9]\d{0,8}", value, re.ASCII):
            return Sample(count=int(value))
        percent = float(value[:-1]) if re.fullmatch(r"\d{1,3}(\.\d{1,6})?%", value, re.ASCII) else 0
        if not 0 < percent <= 100:  # noqa: PLR2004 - of 100
            self.fail(f"{value!r} is not a valid sample; use a number of objects (500) or a percentage (5%)", param, ctx)
        return Sample(percent=percent)


class Pattern(click.ParamType[str]):
    """A glob for the whole key, in which `*` also matches slashes; or `re:` and a regular expression for any part of the key."""

    name = "pattern"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the pattern, or fail with what is wrong with it."""
        try:
            compiled(value)
        except (re.error, OverflowError, RecursionError) as error:
            self.fail(f"{value!r} is not a regular expression: {error}", param, ctx)
        return value


_size, _moment = partial(click.option, type=Size(), metavar="SIZE"), partial(click.option, type=Moment(), metavar="TIME")

# The options that `selection_from` takes.
selection_options = options(
    click.option("--prefix", "prefixes", multiple=True, metavar="TEXT", help="Only keys that begin with this; may be repeated."),
    click.option(
        "--suffix",
        "suffixes",
        multiple=True,
        show_default=", ".join(DEFAULT_SUFFIXES),
        metavar="TEXT",
        help="Only keys that end with this, in any case; may be repeated. '' selects every key.",
    ),
    click.option(
        "--include",
        multiple=True,
        type=Pattern(),
        metavar="PATTERN",
        help="Only keys that match: a glob ('*' also matches slashes), or re: and a regular expression. May be repeated.",
    ),
    click.option("--exclude", multiple=True, type=Pattern(), metavar="PATTERN", help="Omit keys that match; may be repeated."),
    _size("--min-size", help="Only objects of at least this many bytes: 500, 10MB, 1.5GiB."),
    _size("--max-size", help="Only objects of at most this many bytes."),
    _moment("--modified-after", help="Only objects written at this time (UTC) or later: 2026-11-22, or 7d for a week ago."),
    _moment("--modified-before", help="Only objects written before this time (UTC)."),
    click.option(
        "--storage-class",
        "storage_classes",
        multiple=True,
        type=click.Choice(STORAGE_CLASSES, case_sensitive=False),
        metavar="NAME",
        help="Only objects of this storage class; may be repeated.",
    ),
    click.option("--sample", type=Part(), metavar="N|P%", help="Only N of these objects, or P percent, drawn uniformly."),
    click.option(
        "--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Draw another sample; the same seed draws the same."
    ),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N of these objects."),
    click.option("--all-versions", is_flag=True, help="Every version of each object, not only the latest."),
)


def selection_from(bucket: str, **given: Any) -> Selection:  # noqa: ANN401 - click hands values over by name
    """Return the selection that the options of `selection_options` describe; other options are ignored.

    Raises:
        click.UsageError: Two options contradict each other.
    """
    least, most = given["min_size"], given["max_size"]
    if least is not None and most is not None and least > most:
        raise click.UsageError("--min-size is larger than --max-size: swap them.")
    after, before = given["modified_after"], given["modified_before"]
    if after is not None and before is not None and after >= before:
        raise click.UsageError("--modified-after is not before --modified-before: swap them.")
    sample: Sample | None = given["sample"]
    if given["seed"] is not None and sample is None:
        raise click.UsageError("--seed chooses a sample: it requires --sample.")
    return Selection(
        bucket=bucket,
        prefixes=given["prefixes"] or ("",),
        suffixes=given["suffixes"],
        include=given["include"],
        exclude=given["exclude"],
        min_size=least,
        max_size=most,
        modified_after=after,
        modified_before=before,
        storage_classes=given["storage_classes"],
        sample=None if sample is None else Sample(count=sample.count, percent=sample.percent, seed=given["seed"] or 0),
        limit=given["limit"],
        all_versions=given["all_versions"],
    )
