"""The watched buckets of the context, checked, and the event pattern by which EventBridge takes their uploads."""

import json
import re
from collections.abc import Mapping, Sequence

from handlers.domain import Engine
from handlers.domain import watch as watched
from handlers.domain.engine import DEFAULT_INTERVAL_MS, LONGEST_INTERVAL_MS, SHORTEST_INTERVAL_MS
from handlers.domain.watch import DEFAULT_SUFFIXES, SUFFIXES_WITH_IMAGES, Watch
from stacks import policy
from stacks.values import ANY_BUCKET, BUCKET, BUCKETS, whole_number

EXAMPLE = '{"bucket": "my-videos"}'
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
KEY_BYTES = 1_024
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
PATTERN_CHARACTERS = 2_048
# All variables of a function together: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ENVIRONMENT_LIMIT = 4_096
# The most that the other variables of `sweeper`, which has more than `new_upload`, take with the longest names.
OTHER_VARIABLES = 2_420
# And those of its variables that are about the frames lanes, where they are deployed.
FRAMES_VARIABLES = 760
# And the one about the outbox.
OUTBOX_VARIABLES = 200
_FIELDS = ("bucket", "prefixes", "suffixes", "engine", "interval", "max_minutes_per_day")
_INTERVAL = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)s")


def watches(value: object, source_buckets: Sequence[str], *, frames: bool, has_outbox: bool = False) -> tuple[Watch, ...]:
    """Return the watches in a list or in its JSON text; None, as in a cdk.json older than the setting, and "" mean no watches.

    `source_buckets` are those of the context; if they are empty, they were invalid, and the watches are not checked against them.
    `frames`: whether the engine of frames is deployed, without which no image can be analysed. `has_outbox`: whether verdicts have
    consequences.

    Raises:
        ValueError: One is malformed; the message names it, the rule and the cure.
    """
    found = tuple(_watch(each, frames=frames) for each in _listed(value))
    for number, each in enumerate(found):
        if each.bucket in {other.bucket for other in found[:number]}:
            raise ValueError(f"names {each.bucket!r} twice; keep one entry, whose prefixes and suffixes are lists")
        if source_buckets and not {ANY_BUCKET, each.bucket} & set(source_buckets):
            raise ValueError(
                f"watches {each.bucket!r}, which the functions may not read; add it to source_buckets, or remove it here"
            )
    if len(found) > BUCKETS:
        raise ValueError(f"has {len(found)} buckets, must have at most {BUCKETS}; deploy a second stack for the others")
    size = len(watched.text({each.bucket: each for each in found}))
    most = ENVIRONMENT_LIMIT - OTHER_VARIABLES - (FRAMES_VARIABLES if frames else 0) - (OUTBOX_VARIABLES if has_outbox else 0)
    if size > most:
        among = " with those about frames" if frames else ""
        raise ValueError(
            f"takes {size} bytes, must take at most {most}{among} (a Lambda function's variables hold 4 KB in all); name fewer or "
            "shorter prefixes and suffixes, or deploy a second stack for some of the buckets"
        )
    return found


def limits(watches: Sequence[Watch]) -> str:
    """Return the watches that have a limit of minutes a day, for the environment of a function; "" if none has."""
    limited = {
        each.bucket: Watch(each.bucket, max_minutes_per_day=each.max_minutes_per_day)
        for each in watches
        if each.limit_ms is not None
    }
    return watched.text(limited) if limited else ""


def require_room(watches: Sequence[Watch], policy_text: str) -> None:
    """Make sure that the limits fit into the environment of `sample_frames` together with the policy.

    Raises:
        ValueError: They do not; the message names the rule and the cure.
    """
    size, most = len("WATCH") + len(limits(watches)) + len(policy_text), ENVIRONMENT_LIMIT - policy.OTHER_VARIABLES
    if limits(watches) and size > most:
        raise ValueError(
            f'has daily limits that take {size} bytes with "policy", must take at most {most} (a Lambda '
            "function's variables hold 4 KB in all); set fewer limits, or shorten the policy"
        )


def pattern(watch: Watch) -> dict[str, object]:
    """Return the event pattern of a bucket's uploads, by suffix only: prefixes would be alternatives to suffixes, not a second one.

    The size is tested by what it is not, because numbers above 5.0e9 match no `numeric` test (docs/aws.md#12-s3-objects).
    """
    suffixes = [{"suffix": {"equals-ignore-case": suffix}} for suffix in watch.suffixes]
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [watch.bucket]}, "object": {"key": suffixes, "size": [{"anything-but": [0]}]}},
    }


def _listed(value: object) -> list[object]:
    given = _read(value) if isinstance(value, str) else value
    if given is None:
        return []
    if isinstance(given, list):
        return given
    raise ValueError(f"must be a list, is {given!r}; write e.g. [{EXAMPLE}], or [] to watch nothing")


def _read(text: str) -> object:
    """Parse a JSON text; an empty one gives None."""
    if not text.strip():
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error}); write e.g. [{EXAMPLE}], or [] to watch nothing") from error
    return value


def _watch(entry: object, *, frames: bool) -> Watch:
    if not isinstance(entry, Mapping) or "bucket" not in entry:
        raise ValueError(f'must hold objects with a "bucket", holds {entry!r}; write e.g. {EXAMPLE}')
    bucket = _bucket(entry["bucket"])
    try:
        _require_known(entry)
        engine = _engine(entry.get("engine", Engine.VIDEO.value), frames=frames)
        usual = SUFFIXES_WITH_IMAGES if frames else DEFAULT_SUFFIXES
        most = entry.get("max_minutes_per_day")
        watch = Watch(
            bucket=bucket,
            prefixes=_prefixes(entry.get("prefixes", [])),
            suffixes=_suffixes(entry.get("suffixes", [*usual]), frames=frames),
            max_minutes_per_day=None if most is None else _minutes(most),
            engine=engine,
            interval_ms=_interval(entry["interval"], engine) if "interval" in entry else DEFAULT_INTERVAL_MS,
        )
        _require_short(pattern(watch))
    except ValueError as fault:
        raise ValueError(f"{bucket!r}: {fault}") from fault
    return watch


def _bucket(name: object) -> str:
    if name == ANY_BUCKET:
        raise ValueError(
            f'names the bucket "{ANY_BUCKET}"; S3 sends events bucket by bucket, so write an entry for each by its name'
        )
    if not isinstance(name, str) or not BUCKET.fullmatch(name):
        raise ValueError(f"must name a bucket (3-63 of a-z, 0-9, dot and hyphen), names {name!r}; write e.g. {EXAMPLE}")
    return name


def _require_known(entry: Mapping[object, object]) -> None:
    if unknown := [name for name in entry if name not in _FIELDS]:
        raise ValueError(f"has the unknown field {unknown[0]!r}; it may have {', '.join(_FIELDS)}")


def _engine(value: object, *, frames: bool) -> Engine:
    if value not in list(Engine):
        raise ValueError(f'"engine" is {value!r}, must be "video" or "frames"; omit it for "video"')
    if value == Engine.FRAMES and not frames:
        raise ValueError('"engine" is "frames", which this deployment does not have; set "frames" to true, or omit "engine"')
    return Engine(str(value))


def _interval(value: object, engine: Engine) -> int:
    if engine is not Engine.FRAMES:
        raise ValueError(f'"interval" is {value!r}, but belongs to the engine "frames"; omit it, or add "engine": "frames"')
    found = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    milliseconds = round(1_000 * float(found[1])) if found else 0
    if not SHORTEST_INTERVAL_MS <= milliseconds <= LONGEST_INTERVAL_MS:
        raise ValueError(f'"interval" must be a text from "1s" to "60s", is {value!r}; write e.g. "5s"')
    return milliseconds


def _prefixes(value: object) -> tuple[str, ...]:
    """Return the prefixes without those that begin with another of them; "" stands for every key."""
    if not isinstance(value, list) or not all(map(_begins_keys, value)):
        raise ValueError(
            f'"prefixes" must be a list of texts of up to {KEY_BYTES:,} bytes, is {value!r}; write e.g. ["2026/"], or [] for all'
        )
    if pattern := next((prefix for prefix in value if prefix.endswith("*") or prefix.startswith("s3://")), None):
        raise ValueError(
            f'"prefixes" has {pattern!r}, but takes the beginnings of keys, neither patterns nor URIs; write e.g. "2026/"'
        )
    kept: list[str] = []
    for prefix in sorted(value):
        if not (kept and prefix.startswith(kept[-1])):
            kept.append(prefix)
    return () if kept == [""] else tuple(kept)


def _begins_keys(value: object) -> bool:
    """Tell whether a value is a string that fits into a key."""
    try:
        return isinstance(value, str) and len(value.encode()) <= KEY_BYTES
    except UnicodeEncodeError:  # half of a character, as "\ud800" in JSON
        return False


def _suffixes(value: object, *, frames: bool) -> tuple[str, ...]:
    """Return the suffixes in lower case: in ASCII, because what EventBridge does with the case of other characters is unknown."""
    if not isinstance(value, list) or not value or not all(map(_ends_keys, value)):
        raise ValueError(f'"suffixes" must be a list of printable ASCII texts, is {value!r}; write e.g. [".mp4", ".mov"]')
    suffixes = tuple(dict.fromkeys(suffix.lower() for suffix in value))
    if pattern := next((suffix for suffix in suffixes if suffix.startswith("*")), None):
        raise ValueError(f'"suffixes" has {pattern!r}, but takes the ends of keys, not patterns; write e.g. ".mp4"')
    images = [suffix for suffix in suffixes if suffix in SUFFIXES_WITH_IMAGES and suffix not in DEFAULT_SUFFIXES]
    if images and not frames:
        raise ValueError(
            f'"suffixes" has {images[0]!r}, but this deployment looks at no images; set "frames" to true, or leave it out'
        )
    return suffixes


def _ends_keys(value: object) -> bool:
    """Tell whether a value is a string by which EventBridge can match the end of a key."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _minutes(value: object) -> int:
    try:
        return whole_number(value)
    except ValueError as fault:
        raise ValueError(f'"max_minutes_per_day" {fault}, or omit it to set no limit') from fault


def _require_short(given: Mapping[str, object]) -> None:
    """Make sure that a pattern is not longer than EventBridge accepts.

    Raises:
        ValueError: It is.
    """
    length = len(json.dumps(given, separators=(",", ":")))
    if length > PATTERN_CHARACTERS:
        raise ValueError(
            f'"suffixes" make an event pattern of {length:,} characters, must make one of at most {PATTERN_CHARACTERS:,}; '
            "name fewer or shorter ones"
        )
