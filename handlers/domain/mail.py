"""The mail about one flagged video: plain text, whatever is in the object's key.

Limits: SNS API reference, Publish (a subject of fewer than 100 characters, ASCII to be safe; body and attributes within 256 KiB).
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.domain import taxonomy
from handlers.domain.confidence import shown
from handlers.domain.console import object_link
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.languages import ENGLISH, Language
from handlers.domain.record import LabelSummary, Record, Segment
from handlers.domain.telling import telling_labels, telling_segments

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
    record: Record,
    counted: Sequence[LabelSummary],
    segments: Iterable[Segment],
    scan_id: str,
    stack_name: str,
    *,
    region: str,
    language: Language = ENGLISH,
) -> Mail:
    """Return the mail about a flagged video: what was found, how sure, when and where, and what to do next.

    `counted` are the labels that flagged it, the worst first; of `segments` only those of theirs that count are listed, in the
    order given.
    """
    parts = (
        _found(counted, language),
        _when(counted, segments, language),
        _where(record, language),
        _next(record.video, scan_id, stack_name, region, language),
    )
    return Mail(
        subject=_subject(record.video, counted, language),
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


def _subject(video: Video, counted: Sequence[LabelSummary], language: Language) -> str:
    """Return a subject in ASCII. The end of the key is kept, because the file's name is there."""
    what = _ascii(_name(counted[0].name, language))[:40] if counted else language.text("video")
    before = _ascii(language.text("Flagged: {what} in ", what=what))
    key = _ascii(video.key)
    room = MAX_SUBJECT - len(before)
    return (before + (key if len(key) <= room else "..." + key[len(key) - room + 3 :])).rstrip()


def _ascii(text: str) -> str:
    """Return a text in printable ASCII: letters lose their accents, and what remains is a question mark."""
    plain = (character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character))
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in plain)


def _found(counted: Sequence[LabelSummary], language: Language) -> list[str]:
    telling = telling_labels(counted)
    lines = [
        language.text(
            "  {percent}  {label}, first at {time}, about {length} in all",
            percent=percent(label.confidence, label.counts_from, language),
            label=_with_parent(label, language),
            time=time_code(label.first_ms),
            length=_length(label.milliseconds, language),
        )
        for label in telling[:MAX_LISTED]
    ]
    rest = len(telling) - MAX_LISTED
    end = more(rest, language.text("  and {count} more {count:label|labels}", count=rest))
    return [language.text("A video was flagged. Found:"), *lines, *end]


def _when(counted: Sequence[LabelSummary], segments: Iterable[Segment], language: Language) -> list[str]:
    labels = {label.name: label for label in counted}
    listed = telling_segments(segment for segment in segments if _counts(segment, labels.get(segment.label)))
    lines = [
        f"  {time_code(label.begin_of(segment))} - {time_code(segment.end_ms)}"
        f"  {percent(segment.confidence, label.counts_from, language)}  {_name(segment.label, language)}"
        for segment in listed[:MAX_LISTED]
        for label in [labels[segment.label]]
    ]
    rest = len(listed) - MAX_LISTED
    end = more(rest, language.text("  and {count} more {count:segment|segments}", count=rest))
    return [language.text("When (h:mm:ss):"), *lines, *end]


def _counts(segment: Segment, label: LabelSummary | None) -> bool:
    return label is not None and segment.confidence >= (label.counts_from or 0)


def _where(record: Record, language: Language) -> list[str]:
    duration = (
        language.text("  duration unknown")
        if record.duration_ms is None
        else language.text("  duration {time}", time=time_code(record.duration_ms))
    )
    lines = [language.text("Where:"), f"  {visible(record.video.uri)}", duration, *_how(record, language)]
    if record.video.version_id is not None:
        lines.append(language.text("  version {version}", version=visible(record.video.version_id)))
    if not record.video.uri.isprintable():
        lines.append(language.text("  (the key holds characters that cannot be printed; they are shown escaped)"))
    return lines


def _how(record: Record, language: Language) -> list[str]:
    """Return how a video was looked at, unless that was by the video API, which looks at all of it."""
    if record.engine is Engine.VIDEO:
        return []
    if record.interval_ms is None:
        return [language.text("  looked at as an image")]
    seconds = language.number(record.interval_ms / 1000, digits=0)
    lines = [language.text("  looked at by frames, every {seconds} s: shorter scenes may be missed", seconds=seconds)]
    if record.decoded_ms is not None:
        end = time_code(record.decoded_ms)
        lines.append(language.text("  damaged: decoded up to {time}, not all of the rest was looked at", time=end))
    return lines


def _next(video: Video, scan_id: str, stack_name: str, region: str, language: Language) -> list[str]:
    """Return what to do next. A key that cannot be printed cannot be copied either, so no command is given for it."""
    lines = [language.text("What to do next:"), language.text("  look at it: {link}", link=object_link(video, region))]
    if video.uri.isprintable() and video.version_id is None:
        command = f"aws s3 cp {shlex.quote(video.uri)} video.mp4"
        lines.append(language.text("  or fetch it: {command}", command=command))
    review = f"python tools/review_report.py --scan {shlex.quote(scan_id)} --stack {shlex.quote(stack_name)}"
    return [*lines, language.text("  the whole scan: {command}", command=visible(review))]


def _attributes(video: Video, counted: Sequence[LabelSummary], scan_id: str) -> dict[str, str]:
    """Return attributes for filters. SNS refuses an attribute without a value, so an empty one is left out."""
    categories = dict.fromkeys(_short(_category(label, counted)) for label in counted[:MAX_LISTED])
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


def percent(confidence: float, counts_from: float | None, language: Language) -> str:
    """Return a confidence, which counts from another one on, in a column of its own."""
    value = shown(confidence, counts_from)
    return f"{language.number(value, digits=-int(value.as_tuple().exponent)):>5} %"


def more(count: int, line: str) -> list[str]:
    """Return the line that ends a list if `count` of its entries are not shown."""
    return [line] if count > 0 else []


def _with_parent(label: LabelSummary, language: Language) -> str:
    name = language.label_with_original(_short(label.name))
    if not label.parent:
        return name
    return language.text("{label} ({parent})", label=name, parent=_name(label.parent, language))


def _name(label: str, language: Language) -> str:
    return language.label(_short(label))


def _short(label: str) -> str:
    """Return AWS's name of a label on one line and not long."""
    return visible(label)[:_MAX_NAME]


def _length(milliseconds: int, language: Language) -> str:
    if milliseconds < 60_000:  # noqa: PLR2004  # a minute
        return language.text("{seconds} s", seconds=language.number(milliseconds / 1000, digits=1))
    return time_code(milliseconds)
