"""Values written for people: text from a bucket, sizes, counts, times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

_KIB = 1024


def printable(text: str) -> str:
    """Escape control, format and unpaired surrogate characters: a key must not control anyone's terminal."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def byte_size(count: int) -> str:
    """Return a number of bytes with its unit: `1.5 GiB`."""
    if count < _KIB:
        return counted(count, "byte")
    size = count / _KIB
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        if size < _KIB:
            return f"{size:,.1f} {unit}"
        size /= _KIB
    return f"{size:,.1f} PiB"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 header`, `1,200 headers`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def per_second(number: float, noun: str) -> str:
    """Return a rate: `1 image a second`, `7.5 images a second`."""
    return f"{number:g} {noun}{'' if number == 1 else 's'} a second"


# The end of the calendar of `datetime`, in every time zone.
_LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()


def in_utc(epoch_seconds: float) -> datetime:
    """Return a time in UTC; a forecast beyond the year 9999 becomes its end."""
    return datetime.fromtimestamp(min(epoch_seconds, _LAST), UTC)


def moment(epoch_seconds: float) -> str:
    """Return a time to the minute, in UTC: `2026-11-22 16:30 UTC`."""
    return in_utc(epoch_seconds).strftime("%Y-%m-%d %H:%M UTC")


def iso_time(epoch_seconds: float) -> str:
    """Return a time to the millisecond, in UTC, as browsers write it: `2026-11-22T16:30:00.250Z`."""
    return in_utc(epoch_seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def block(title: str, lines: Sequence[str]) -> list[str]:
    """Return indented lines below a blank line and a title; an empty list if there are no lines."""
    return ["", title, *(f"  {line}" for line in lines)] if lines else []
