"""Watched buckets: which of their uploads are scanned, and the scan that holds the uploads of one day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from handlers.domain import identity, json_text
from handlers.domain.engine import DEFAULT_INTERVAL_MS, LONGEST_INTERVAL_MS, SHORTEST_INTERVAL_MS, Engine

# The suffixes of videos that Rekognition can take.
DEFAULT_SUFFIXES = (".mp4", ".m4v", ".mov")
# And those of images, which only the engine of frames can look at.
SUFFIXES_WITH_IMAGES = (
    *DEFAULT_SUFFIXES,
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff"),
)

# Why a scan of a day is paused (`Scan.held_reason`); only scans that are paused for these reasons are resumed without a person.
PAUSED_BY_HAND = "the watch is paused"
LIMIT_REACHED = "the minutes of the day are used up"
HELD_REASONS = frozenset({PAUSED_BY_HAND, LIMIT_REACHED})

_MINUTE_MS = 60_000
# The longest video that Rekognition takes (docs/aws.md#7-rekognition).
_LONGEST_MS = 6 * 60 * _MINUTE_MS
# The bit rate that is assumed for a file whose header states no length: few videos have a lower one.
_SLOW_BITS_PER_SECOND = 250_000


@dataclass(frozen=True, slots=True)
class Watch:
    """A bucket whose new uploads are scanned: any of these prefixes (none: all keys), any of these suffixes, in whatever case.

    `max_minutes_per_day`: once that much video was started in a UTC day, further uploads wait for the next; None: without a limit.
    `interval_ms` is the longest gap between two frames, for the engine of frames.
    """

    bucket: str
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = DEFAULT_SUFFIXES
    max_minutes_per_day: int | None = None
    engine: Engine = Engine.VIDEO
    interval_ms: int = DEFAULT_INTERVAL_MS

    def takes(self, key: str) -> bool:
        """Tell whether an upload under this key is scanned."""
        return key.startswith(self.prefixes or "") and key.lower().endswith(tuple(suffix.lower() for suffix in self.suffixes))

    @property
    def limit_ms(self) -> int | None:
        """Return the limit of a day in milliseconds of video, if there is one."""
        return None if self.max_minutes_per_day is None else self.max_minutes_per_day * _MINUTE_MS

    def is_used_up(self, milliseconds: float) -> bool:
        """Tell whether so much video reaches the limit of a day."""
        return self.limit_ms is not None and milliseconds >= self.limit_ms


def text(watches: Mapping[str, Watch]) -> str:
    """Return watches as compact JSON, for the environment of a function."""
    return json_text.compact([_fields(watch) for watch in watches.values()])


def parse(text: str) -> dict[str, Watch]:
    """Return the watches in a text of `text()` by bucket, "" being none.

    Raises:
        ValueError: It is not such a text.
    """
    if not text:
        return {}
    entries = json_text.items(json_text.read(text))
    if not entries:
        raise ValueError(f"a JSON list of watches is expected, not {text!r}")
    watches = [_watch(json_text.mapping(entry)) for entry in entries]
    return {watch.bucket: watch for watch in watches}


def _fields(watch: Watch) -> dict[str, object]:
    """Return what is not as in a watch that names its bucket only: a function's environment holds 4 kB."""
    names = ("prefixes", "suffixes", "max_minutes_per_day", "engine", "interval_ms")
    usual = Watch(watch.bucket)
    fields = {name: getattr(watch, name) for name in names if getattr(watch, name) != getattr(usual, name)}
    if watch.suffixes == SUFFIXES_WITH_IMAGES:
        del fields["suffixes"]
        fields["images"] = True
    return {"bucket": watch.bucket, **fields}


def _watch(fields: Mapping[str, object]) -> Watch:
    bucket, limit = fields.get("bucket"), fields.get("max_minutes_per_day")
    if not isinstance(bucket, str) or not bucket:
        raise ValueError(f"a watch names no bucket: {dict(fields)}")
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ValueError(f"max_minutes_per_day must be a whole number from 1, is {limit!r}")
    usual = SUFFIXES_WITH_IMAGES if fields.get("images") is True else DEFAULT_SUFFIXES
    return Watch(
        bucket,
        _texts(fields, "prefixes", ()),
        _texts(fields, "suffixes", usual),
        limit,
        Engine(json_text.text_or_empty(fields.get("engine", Engine.VIDEO.value))),
        _interval(fields.get("interval_ms", DEFAULT_INTERVAL_MS)),
    )


def _interval(value: object) -> int:
    if type(value) is not int or not SHORTEST_INTERVAL_MS <= value <= LONGEST_INTERVAL_MS:
        raise ValueError(f"interval_ms must be a whole number from {SHORTEST_INTERVAL_MS} to {LONGEST_INTERVAL_MS}, is {value!r}")
    return value


def _texts(fields: Mapping[str, object], name: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    values = fields.get(name)
    if values is None:
        return otherwise
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must be a list of texts, is {values!r}")
    return tuple(map(str, values)) or otherwise


def day_of(at: float) -> str:
    """Return the UTC day of a time (epoch seconds), such as 2026-11-29."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def begin_of(day: str) -> float:
    """Return when a UTC day begins."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()


def end_of(day: str) -> float:
    """Return when a UTC day ends."""
    return begin_of((date.fromisoformat(day) + timedelta(days=1)).isoformat())


def day_of_scan(scan_id: str) -> str:
    """Return the day of the scan with such an id."""
    return day_of(identity.milliseconds(scan_id) / 1000)


def scan_id(bucket: str, day: str) -> str:
    """Return the id of the scan that holds a day's uploads to a bucket: every invocation finds the same without asking.

    A ULID of the day's first millisecond and the first 80 bits of the SHA-256 of the bucket's name.
    """
    digest = hashlib.sha256(bucket.encode()).digest()
    return identity.ulid(round(begin_of(day) * 1000), digest[: identity.ULID_ENTROPY])


def assumed_ms(size: int) -> int:
    """Return the length in milliseconds that is assumed for a file of this size whose header states none."""
    return min(_LONGEST_MS, size * 8 * 1_000 // _SLOW_BITS_PER_SECOND)
