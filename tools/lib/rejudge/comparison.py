"""The result of judging a scan again, in sentences and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from handlers.domain import LabelSummary, Scan, Video
from tools.lib.cli import ExitCode
from tools.lib.json_keys import scan_keys
from tools.lib.rejudge.judge import Blocked, Change, Judgement, Obstacle
from tools.lib.rejudge.policy_file import PolicyFile
from tools.lib.text import block, counted, printable
from tools.lib.videos import labels_text, named, subject, title

# Videos of one kind that a person sees; `--json` has all of them.
VIDEOS_SHOWN = 50

_SHOWN = (Change.FLAGGED, Change.CLEAN, Change.LABELS)


@dataclass(frozen=True, slots=True)
class ChangedVideo:
    """A video that another policy judges differently, and the labels that make the difference."""

    video: Video
    change: Change
    now_count: tuple[LabelSummary, ...]
    no_longer: tuple[LabelSummary, ...]
    superseded: bool = False

    @property
    def confidence(self) -> float:
        """Return the highest confidence of these labels, in percent."""
        return max((label.confidence for label in (*self.now_count, *self.no_longer)), default=0.0)

    def sentences(self) -> list[str]:
        changes = (("now counts", self.now_count), ("no longer counts", self.no_longer))
        return [
            f"{title(self.video)}{', superseded' if self.superseded else ''}",
            *(f"  {verb}: {labels_text(labels)}" for verb, labels in changes if labels),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            **named(self.video),
            "superseded": self.superseded,
            "change": self.change.value,
            "now_count": [_label_json(label) for label in self.now_count],
            "no_longer_count": [_label_json(label) for label in self.no_longer],
        }


@dataclass(slots=True)
class Comparison:
    """The verdicts of a scan compared with those of another policy; memory grows with the changes, not with the scan.

    Attributes:
        expected: How many videos are clean or flagged by the scan's totals.
        applied: Whether the changes were written.
        mail: Whether newly flagged videos are mailed.
        overtaken: Videos whose record changed between reading and writing, and so was left alone.
    """

    scan: Scan
    file: PolicyFile
    expected: int
    applied: bool
    mail: bool
    videos: Counter[Change] = field(default_factory=Counter)
    milliseconds: Counter[Change] = field(default_factory=Counter)
    changed: list[ChangedVideo] = field(default_factory=list)
    mails: int = 0
    blocked: Counter[Obstacle] = field(default_factory=Counter)
    blind: Counter[tuple[str | None, float]] = field(default_factory=Counter)
    overtaken: int = 0

    def take(self, judgement: Judgement) -> None:
        change = judgement.change
        self.videos[change] += 1
        self.milliseconds[change] += judgement.record.duration_ms or 0
        if change is not Change.NONE:
            record, superseded = judgement.record, judgement.record.superseded
            self.changed.append(ChangedVideo(record.video, change, judgement.now_count, judgement.no_longer, superseded))
        self.mails += change is Change.FLAGGED and judgement.judged.mail_due

    def take_blocked(self, blocked: Blocked) -> None:
        self.blocked[blocked.obstacle] += 1
        if blocked.reported_from is not None:
            self.blind.update((rule, blocked.reported_from) for rule in blocked.rules)

    @property
    def total(self) -> int:
        """Return how many videos were compared."""
        return self.videos.total() + self.blocked.total() + self.overtaken

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.blocked or self.overtaken or self.total != self.expected else ExitCode.DONE

    def sentences(self) -> list[str]:
        done = "applied" if self.applied else "only shown; nothing was changed"
        return [
            f"Policy {self.file.policy.hash} on scan {self.scan.id} of {subject(self.scan)}: {done}",
            "",
            *self._counts(),
            *(line for change in _SHOWN for line in self._videos(change)),
            *block("Cannot be judged", self._blocked_words()),
            *block("Warning", self.warnings()),
            *block("Next", self._next()),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            **scan_keys(self.scan.id),
            "policy_hash": self.file.policy.hash,
            "applied": self.applied,
            "videos": self.total,
            "expected": self.expected,
            "counts": {change.value: self.videos[change] for change in Change},
            "minutes": {change.value: _minutes(self.milliseconds[change]) for change in Change},
            "mails": self.mails,
            "overtaken": self.overtaken,
            "cannot_be_judged": {
                "videos": self.blocked.total(),
                "reasons": {obstacle.value: count for obstacle, count in self.blocked.items()},
                "rules": [
                    {
                        "label": None if rule is None else self.file.name_of(rule),
                        "min_confidence": self._threshold(rule),
                        "reported_from": reported_from,
                        "videos": count,
                    }
                    for (rule, reported_from), count in self.blind.items()
                ],
            },
            "warnings": self.warnings(),
            "changes": [video.as_json() for change in _SHOWN for video in self._sorted(change)],
        }

    def warnings(self) -> list[str]:
        """Return what a person should know before trusting the counts."""
        warnings = self.file.warnings()
        if self.overtaken:
            videos = counted(self.overtaken, "video")
            warnings.append(f"Left alone because the record changed at the same time: {videos}. Run this again.")
        if self.total != self.expected:
            warnings.append(
                f"{counted(self.total, 'video')} compared, but the scan's totals have {self.expected:,}: videos are "
                "still finishing, or the index lags. Run this again in a minute."
            )
        return warnings

    def _counts(self) -> list[str]:
        rows = [(change.value, self.videos[change], f"{_minutes(self.milliseconds[change]):>12,.1f}") for change in Change]
        rows += [("cannot be judged", self.blocked.total(), "")] if self.blocked else []
        rows += [("left alone", self.overtaken, "")] if self.overtaken else []
        return [
            f"  {'':<18}{'videos':>10}{'minutes':>12}",
            *(f"  {name:<18}{count:>10,}{minutes}" for name, count, minutes in rows),
        ]

    def _videos(self, change: Change) -> list[str]:
        videos = self._sorted(change)
        more = len(videos) - VIDEOS_SHOWN
        lines = [line for video in videos[:VIDEOS_SHOWN] for line in video.sentences()]
        return block(change.value.capitalize(), [*lines, *([f"and {counted(more, 'more video')}, see --json"] if more > 0 else [])])

    def _sorted(self, change: Change) -> list[ChangedVideo]:
        """Return the videos of one kind, the highest confidence first."""
        videos = [video for video in self.changed if video.change is change]
        return sorted(videos, key=lambda video: (-video.confidence, video.video.key))

    def _blocked_words(self) -> list[str]:
        others = [
            f"{counted(count, 'video')}: {obstacle.value}"
            for obstacle, count in self.blocked.items()
            if obstacle is not Obstacle.BLIND
        ]
        return [*(self._blind_words(*rule, count) for rule, count in self.blind.items()), *others]

    def _blind_words(self, rule: str | None, reported_from: float, count: int) -> str:
        name = "the default rule" if rule is None else f'the rule for "{printable(self.file.name_of(rule))}"'
        reported = _plain(reported_from)
        return (
            f"{counted(count, 'video')}: {name} counts from {_plain(self._threshold(rule))} %, but Rekognition reported only from "
            f"{reported} %; raise the rule to {reported}, or scan again with a lower min_confidence (paid for again)"
        )

    def _threshold(self, rule: str | None) -> float:
        policy = self.file.policy
        return (policy.default if rule is None else policy.rules[rule]).min_confidence

    def _next(self) -> list[str]:
        if not self.applied:
            return ["--apply writes this to the records. No video is analysed or paid for again."]
        mailed = f"Mails due for newly flagged videos: {self.mails:,}." if self.mail else "Newly flagged videos are not mailed."
        return [mailed, "The deployment still judges new videos by its own policy: put this one into cdk.json, then `make deploy`."]


def _minutes(milliseconds: int) -> float:
    return round(milliseconds / 60_000, 1)


def _plain(percent: float) -> str:
    """Return a rule's confidence with all its digits, without those that are 0."""
    return f"{percent:.15g}"


def _label_json(label: LabelSummary) -> dict[str, Any]:
    return {"name": label.name, "parent": label.parent, "confidence": label.confidence}
