"""The mail about one flagged video: plain text, whatever is in the object's key.

Limits: SNS API reference, Publish (a subject of fewer than 100 characters, ASCII to be safe; body and attributes within 256 KiB).
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from handlers.domain import taxonomy
from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, Record, Segment

MAX_SUBJECT = 99
# How many labels and segments are listed; the rest is counted.
MAX_LISTED = 50

# Longest label name shown; with `MAX_LISTED` it bounds the body far below SNS's limit.
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Mail:
    """What is published: subject, body, and string attributes by which a subscription can filter."""

    subject: str
    body: str
    attributes: dict[str, str]


def flagged_mail(
    record: Record, counted: Sequence[LabelSummary], segments: Iterable[Segment], scan_id: str, stack_name: str
) -> Mail:
    """Return the mail about a flagged video: what was found, how sure, when and where, and what to do next.

    `counted` are the labels that flagged it, the worst first; of `segments` only theirs are listed, in the order given.
    """
    parts = (
        _found(counted),
        _when(counted, segments),
        _where(record),
        _next(record.video, scan_id, stack_name),
    )
    return Mail(
        subject=_subject(record.video, counted),
        body="\n\n".join("\n".join(part) for part in parts) + "\n",
        attributes=_attributes(record.video, counted, scan_id),
    )


def time_code(milliseconds: int) -> str:
    """Return a time in a video as h:mm:ss, the second begun."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def visible(text: str) -> str:
    """Return a text on one line, in which nothing is hidden.

    Line breaks, control characters and those that turn the direction of writing are shown as Python writes them; where that is
    needed, backslashes are doubled, so that it can be read back.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable() and character != "\\":
        return character
    return character.encode("unicode_escape").decode("ascii")


def ascii_text(text: str) -> str:
    """Return a text as a subject takes it: printable ASCII, not too long."""
    return _ascii(text)[:MAX_SUBJECT].strip()


def _subject(video: Video, counted: Sequence[LabelSummary]) -> str:
    """Return a subject in ASCII. The end of the key is kept, because there stands the file's name."""
    what = _ascii(_name(counted[0].name))[:40] if counted else "video"
    before = f"Flagged: {what} in "
    key = _ascii(video.key)
    room = MAX_SUBJECT - len(before)
    return (before + (key if len(key) <= room else "..." + key[len(key) - room + 3 :])).rstrip()


def _ascii(text: str) -> str:
    """Return a text in printable ASCII: letters lose their accents, and what remains is a question mark."""
    plain = (character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character))
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in plain)


def _found(counted: Sequence[LabelSummary]) -> list[str]:
    lines = [
        f"  {_percent(label.confidence)}  {_name(label.name)}{_below(label.parent)}, "
        f"first at {time_code(label.first_ms)}, about {_length(label.milliseconds)} in all"
        for label in counted[:MAX_LISTED]
    ]
    return ["A video was flagged. Found:", *lines, *_more(len(counted) - MAX_LISTED)]


def _when(counted: Sequence[LabelSummary], segments: Iterable[Segment]) -> list[str]:
    names = {label.name for label in counted}
    wanted = (segment for segment in segments if segment.label in names)
    lines = [
        f"  {time_code(segment.start_ms)} - {time_code(segment.end_ms)}  {_percent(segment.confidence)}  {_name(segment.label)}"
        for segment in islice(wanted, MAX_LISTED)
    ]
    return ["When (h:mm:ss):", *lines, *_more(sum(1 for _ in wanted))]


def _where(record: Record) -> list[str]:
    duration = "unknown" if record.duration_ms is None else time_code(record.duration_ms)
    lines = ["Where:", f"  {visible(record.video.uri)}", f"  duration {duration}"]
    if record.video.version_id is not None:
        lines.append(f"  version {visible(record.video.version_id)}")
    if not record.video.uri.isprintable():
        lines.append("  (the key holds characters that cannot be printed; they are shown escaped)")
    return lines


def _next(video: Video, scan_id: str, stack_name: str) -> list[str]:
    """Return what to do next. A key that cannot be printed cannot be copied either, so no command is given for it."""
    lines = ["What to do next:", f"  look at it: {_console_link(video)}"]
    if video.uri.isprintable() and video.version_id is None:
        lines.append(f"  or fetch it: aws s3 cp {shlex.quote(video.uri)} video.mp4")
    review = f"python tools/review_report.py --scan {shlex.quote(scan_id)} --stack {shlex.quote(stack_name)}"
    return [*lines, f"  the whole scan: {visible(review)}"]


def _console_link(video: Video) -> str:
    version = "" if video.version_id is None else f"&versionId={_quoted(video.version_id)}"
    return f"https://console.aws.amazon.com/s3/object/{_quoted(video.bucket)}?prefix={_quoted(video.key)}{version}"


def _quoted(text: str) -> str:
    return quote(text, safe="/", errors="backslashreplace")


def _attributes(video: Video, counted: Sequence[LabelSummary], scan_id: str) -> dict[str, str]:
    """Return attributes for filters. SNS refuses an attribute without a value, so an empty one is left out."""
    categories = dict.fromkeys(_name(_category(label, counted)) for label in counted[:MAX_LISTED])
    attributes = {
        "verdict": "FLAGGED",
        "scan_id": visible(scan_id),
        "bucket": visible(video.bucket),
        "labels": ",".join(categories),
    }
    return {name: value for name, value in attributes.items() if value}


def _category(label: LabelSummary, counted: Sequence[LabelSummary]) -> str:
    """Return the top-level category of a label: by the taxonomy, else as far up as Rekognition named parents."""
    parents = {other.name: other.parent for other in counted}
    name, seen = label.name, set[str]()
    while (above := parents.get(name)) and name not in seen:
        seen.add(name)
        name = above
    return (taxonomy.ancestors(name) or (name,))[-1]


def _name(label: str) -> str:
    """Return a label's name on one line and not long."""
    return visible(label)[:_MAX_NAME]


def _below(parent: str) -> str:
    return f" ({_name(parent)})" if parent else ""


def _percent(confidence: float) -> str:
    return f"{confidence:5.1f} %"


def _length(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 60_000 else time_code(milliseconds)  # noqa: PLR2004  # a minute


def _more(count: int) -> list[str]:
    return [f"  and {count} more"] if count > 0 else []
