"""The file of decisions that the page exports: read entry by entry, so that an invalid entry does not affect the others.

{"format": "video-moderation-decisions-1", "scan": "<scan id>", "decided_by": "<name>", "decisions": [
    {"video_id": "<32 hex digits>", "bucket": "...", "key": "...", "version_id": null, "etag": "...", "attempt": 0,
     "decision": "confirmed" or "false-alarm", "note": "...", "decided_at": "2026-11-22T16:30:00.000Z"}]}

A file with "withdrawn" decisions, which take an earlier one back, has the format "video-moderation-decisions-2": programs that know
only the first refuse it whole, instead of applying the rest of it.

The video id is that of bucket, key and version, or for an upload to a bucket without versions that of bucket, key and etag.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeGuard

from handlers.domain import Decision, Judgement, Video, identity
from handlers.domain.decision import FOUND
from handlers.domain.identity import MAX_ATTEMPT
from tools.lib.bounded import MAX_DOCUMENT, parse_json, read_file
from tools.lib.errors import ToolError

# The formats that are read, and what a decision may be in each.
FORMATS = {"video-moderation-decisions-1": FOUND, "video-moderation-decisions-2": tuple(Judgement)}
# Characters; the fields of the page take no more.
MAX_NAME = 100
MAX_NOTE = 2_000
MAX_ETAG = 256
# A page holds up to 30,000 videos.
MAX_ENTRIES = 100_000
# A browser's clock may be a little fast; a decision of the far future would supersede every later one.
MAX_AHEAD_SECONDS = 3_600.0

_EXPORT = "Export the decisions from the page again."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision that is not applied: the number of its entry (from 1), its video if that is known, why, and what to do."""

    entry: int
    uri: str | None
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision of the file, with the number of its entry (from 1)."""

    number: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class DecisionsFile:
    """A file: the scan that was reviewed, the valid entries in their order, and the refused ones."""

    scan_id: str
    decided_by: str
    entries: tuple[Entry, ...]
    refused: tuple[Refusal, ...]


class EntryError(Exception):
    """An entry breaks a rule, which the message names."""


def read(path: Path, *, decided_by: str | None, now: float) -> DecisionsFile:
    """Read a file; `decided_by` is who decided if the file does not say.

    Raises:
        ToolError: It is not JSON, or not a file of decisions.
    """
    fields = _json(path)
    form = fields.get("format")
    words = FORMATS.get(form) if isinstance(form, str) else None
    if words is None:
        raise ToolError(
            f'{path}: "format" is {_shown(form)}, but must be {_one_of(FORMATS)}.',
            cure="Pass a file that the page of a review exported, or update this program.",
        )
    scan_id, name = _scan_id(path, fields), _name(path, fields.get("decided_by"), decided_by)
    listed = fields.get("decisions")
    if not isinstance(listed, list):
        raise ToolError(f'{path}: "decisions" is {_shown(listed)}, but must be a list.', cure=_EXPORT)
    if len(listed) > MAX_ENTRIES:
        raise ToolError(f'{path}: "decisions" has {len(listed):,} entries; a file has up to {MAX_ENTRIES:,}.', cure=_EXPORT)
    entries: list[Entry] = []
    refused: list[Refusal] = []
    for number, given in enumerate(listed, 1):
        try:
            entries.append(Entry(number, _decision(given, scan_id, name, now, words)))
        except EntryError as error:
            refused.append(Refusal(number, _uri(given), str(error), _EXPORT))
    latest, earlier = _latest(entries)
    return DecisionsFile(scan_id, name, latest, (*refused, *earlier))


def _json(path: Path) -> Mapping[str, object]:
    try:
        content: object = parse_json(read_file(path, "decisions that the page of a review exported", MAX_DOCUMENT))
    except json.JSONDecodeError as error:
        raise ToolError(f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}).", cure=_EXPORT) from error
    except ValueError as error:  # not UTF-8, a number of thousands of digits, too many brackets
        raise ToolError(f"{path}: not readable as JSON in UTF-8 ({error}).", cure=_EXPORT) from error
    if not isinstance(content, dict):
        raise ToolError(f"{path}: holds {_shown(content)}, but must hold an object with decisions.", cure=_EXPORT)
    return content


def _scan_id(path: Path, fields: Mapping[str, object]) -> str:
    scan_id = fields.get("scan")
    if not (isinstance(scan_id, str) and identity.is_scan_id(scan_id)):
        raise ToolError(f'{path}: "scan" is {_shown(scan_id)}, which is not a scan id.', cure=_EXPORT)
    return scan_id


def _name(path: Path, given: object, otherwise: str | None) -> str:
    name = given if isinstance(given, str) and given.strip() else otherwise
    if not is_name(name):
        raise ToolError(
            f'{path}: "decided_by" is {_shown(given)}, but must be a name of at most {MAX_NAME} characters.',
            cure="Fill in 'Decided by' on the page and export again, or pass --decided-by NAME.",
        )
    return name.strip()


def is_name(given: object) -> TypeGuard[str]:
    """Tell whether somebody can be called so."""
    return isinstance(given, str) and bool(given.strip()) and len(given) <= MAX_NAME and _is_text(given)


def _decision(given: object, scan_id: str, decided_by: str, now: float, words: Collection[Judgement]) -> Decision:
    if not isinstance(given, dict):
        raise EntryError(f"is {_shown(given)}, but must be an object")
    video = _video(given, _etag(given.get("etag")))
    decided_at = _moment(given.get("decided_at"), now)
    return decision_about(video, given, words, scan_id=scan_id, decided_by=decided_by, decided_at=decided_at)


def decision_about(
    video: Video,
    given: Mapping[str, object],
    words: Collection[Judgement] = tuple(Judgement),
    *,
    scan_id: str,
    decided_by: str,
    decided_at: float,
) -> Decision:
    """Return the decision about a video whose etag, attempt, judgement (one of `words`) and note somebody else states.

    Raises:
        EntryError: One of them breaks a rule.
    """
    return Decision(
        video=video,
        etag=_etag(given.get("etag")),
        scan_id=scan_id,
        attempt=_attempt(given.get("attempt")),
        judgement=_judgement(given.get("decision"), words),
        note=_note(given.get("note", "")),
        decided_by=decided_by,
        decided_at=decided_at,
    )


def _video(given: Mapping[str, object], etag: str) -> Video:
    bucket, key, version = given.get("bucket"), given.get("key"), given.get("version_id")
    if not (isinstance(bucket, str) and isinstance(key, str) and isinstance(version, str | None)):
        raise EntryError("bucket, key or version_id is missing or not text")
    video = Video(bucket, key, version)
    if fault := identity.fault_of(video):
        raise EntryError(fault)
    named = [video, *([Video(bucket, key, None, etag)] if version is None else [])]
    for each in named:
        if given.get("video_id") == each.id:
            return each
    upload = f", and with the etag {named[-1].id}" if version is None else ""
    raise EntryError(f"video_id is {_shown(given.get('video_id'))}, but bucket, key and version_id give {video.id}{upload}")


def _etag(given: object) -> str:
    if not (isinstance(given, str) and 1 <= len(given) <= MAX_ETAG and given.isascii()):
        raise EntryError(f"etag is {_shown(given)}: it must name the content that was reviewed")
    return given


def _attempt(given: object) -> int:
    # True is an int too in Python.
    if type(given) is not int or not 0 <= given <= MAX_ATTEMPT:
        raise EntryError(f"attempt is {_shown(given)}, but must be a number from 0 to {MAX_ATTEMPT}")
    return given


def _judgement(given: object, words: Collection[Judgement]) -> Judgement:
    if not isinstance(given, str) or given not in set(words):
        raise EntryError(f"decision is {_shown(given)}, but must be {' or '.join(words)}")
    return Judgement(given)


def _note(given: object) -> str:
    if not (isinstance(given, str) and len(given) <= MAX_NOTE and _is_text(given)):
        raise EntryError(f"note is {_shown(given)}, but must be text of at most {MAX_NOTE:,} characters")
    return given


def _moment(given: object, now: float) -> float:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
        seconds = moment.timestamp() if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        raise EntryError(f"decided_at is {_shown(given)}, but must be a time with its zone, such as 2026-11-22T16:30:00.000Z")
    if not 0 <= seconds <= now + MAX_AHEAD_SECONDS:
        raise EntryError(f"decided_at is {_shown(given)}, which is not in the past: set the clock of that machine")
    return round(seconds, 3)


def _latest(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], list[Refusal]]:
    """Return the latest entry about each content, and the others as refused."""
    latest: dict[tuple[str, str], Entry] = {}
    earlier: list[Refusal] = []
    for entry in entries:
        content = entry.decision.content
        before = latest.setdefault(content, entry)
        if before is entry:
            continue
        kept, left = sorted((before, entry), key=lambda each: each.decision.decided_at, reverse=True)
        latest[content] = kept
        reason = f"the file has a later decision about this video, entry {kept.number}"
        earlier.append(Refusal(left.number, left.decision.video.uri, reason, "Nothing, if the later one is right."))
    return tuple(sorted(latest.values(), key=lambda entry: entry.number)), earlier


def _uri(given: object) -> str | None:
    """Return the URI of the object that an entry, perhaps an invalid one, is about."""
    if not isinstance(given, dict):
        return None
    bucket, key = given.get("bucket"), given.get("key")
    return f"s3://{bucket}/{key}" if isinstance(bucket, str) and isinstance(key, str) else None


def _one_of(texts: Iterable[str]) -> str:
    return " or ".join(f'"{each}"' for each in texts)


def _is_text(text: str) -> bool:
    """Tell whether a text can be stored: half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    """Return a value as JSON, cut to what fits a line."""
    if value is None:
        return "missing"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - of a line
