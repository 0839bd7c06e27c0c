"""What judging a scan again came to, in sentences and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, Scan
from tools.lib.cli import ExitCode
from tools.lib.rejudge.judge import Blocked, Change, Judgement, Obstacle
from tools.lib.rejudge.policy_file import PolicyFile
from tools.lib.text import block, printable
from tools.lib.videos import named, title

VIDEOS_SHOWN = 50
"""Videos of one kind that are shown to a person; `--json` has all of them."""

_SHOWN = (Change.FLAGGED, Change.CLEAN, Change.LABELS)


@dataclass(frozen=True, slots=True)
class ChangedVideo:
    """A video of which another policy makes something else, and the labels that make the difference."""

    video: Video
    change: Change
    now_count: tuple[LabelSummary, ...]
    no_longer: tuple[LabelSummary, ...]

    @property
    def confidence(self) -> float:
        """Return the best confidence of what makes the difference, in percent."""
        return max((label.confidence for label in (*self.now_count, *self.no_longer)), default=0.0)

    def sentences(self) -> list[str]:
        said = (("now counts", self.now_count), ("no longer counts", self.no_longer))
        return [
            title(self.video),
            *(f"  {verb}: {', '.join(map(_label_words, labels))}" for verb, labels in said if labels),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the video for `--json`; confidences in percent."""
        return {
            **named(self.video),
            "change": self.change.value,
            "now_count": [_label_json(label) for label in self.now_count],
            "no_longer_count": [_label_json(label) for label in self.no_longer],
        }


@dataclass(slots=True)
class Comparison:
    """A scan under its present verdicts and under another policy; memory grows with what changes, not with the scan.

    Attributes:
        expected: How many videos are clean or flagged, as the scan's totals have it.
        applied: Whether the changes were written.
        mail: Whether newly flagged videos are mailed.
        overtaken: Videos that another hand changed between reading and writing; they are as that hand left them.
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
        """Take in what became, or would become, of a video."""
        change = judgement.change
        self.videos[change] += 1
        self.milliseconds[change] += judgement.record.duration_ms or 0
        if change is not Change.NONE:
            self.changed.append(ChangedVideo(judgement.record.video, change, judgement.now_count, judgement.no_longer))
        self.mails += change is Change.FLAGGED and judgement.judged.mail_due

    def take_blocked(self, blocked: Blocked) -> None:
        """Take in a video that cannot be judged."""
        self.blocked[blocked.obstacle] += 1
        if blocked.reported_from is not None:
            self.blind.update((rule, blocked.reported_from) for rule in blocked.rules)

    @property
    def total(self) -> int:
        """Return how many videos were looked at."""
        return self.videos.total() + self.blocked.total() + self.overtaken

    @property
    def exit_code(self) -> ExitCode:
        """Return 0 where every video could be judged, else 3."""
        return ExitCode.SOME_FAILED if self.blocked or self.overtaken or self.total != self.expected else ExitCode.DONE

    def sentences(self) -> list[str]:
        done = "applied" if self.applied else "only shown, nothing was changed"
        return [
            f"Policy {self.file.policy.hash} on scan {self.scan.id} of {printable(self.scan.bucket)}: {done}",
            "",
            *self._counts(),
            *(line for change in _SHOWN for line in self._videos(change)),
            *block("Cannot be judged", self._blocked_words()),
            *block("Warning", self.warnings()),
            *block("Next", self._next()),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "scan": self.scan.id,
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
            warnings.append(f"{self.overtaken:,} videos were changed by another hand meanwhile and left alone: run this again.")
        if self.total != self.expected:
            warnings.append(
                f"{self.total:,} videos were looked at, the scan's totals say {self.expected:,} are clean or flagged: videos are "
                "still finishing, or the index lags behind. Run this again in a minute."
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
        return block(change.value.capitalize(), [*lines, *([f"and {more:,} more videos, see --json"] if more > 0 else [])])

    def _sorted(self, change: Change) -> list[ChangedVideo]:
        """Return the videos of one kind, the surest difference first."""
        videos = [video for video in self.changed if video.change is change]
        return sorted(videos, key=lambda video: (-video.confidence, video.video.key))

    def _blocked_words(self) -> list[str]:
        others = [
            f"{count:,} videos: {obstacle.value}" for obstacle, count in self.blocked.items() if obstacle is not Obstacle.BLIND
        ]
        return [*(self._blind_words(*rule, count) for rule, count in self.blind.items()), *others]

    def _blind_words(self, rule: str | None, reported_from: float, count: int) -> str:
        name = "the default rule" if rule is None else f'the rule for "{printable(self.file.name_of(rule))}"'
        return (
            f"{count:,} videos: {name} counts from {self._threshold(rule):g} %, Rekognition reported from {reported_from:g} % on; "
            f"raise the rule to {reported_from:g}, or scan again with a lower min_confidence (which is paid again)"
        )

    def _threshold(self, rule: str | None) -> float:
        policy = self.file.policy
        return (policy.default if rule is None else policy.rules[rule]).min_confidence

    def _next(self) -> list[str]:
        if not self.applied:
            return ["--apply writes this to the records. No video is analysed again, nothing is paid."]
        mailed = f"{self.mails:,} mails are due for newly flagged videos." if self.mail else "Newly flagged videos are not mailed."
        return [mailed, "The deployment still judges new videos by its own policy: put this one into cdk.json, then `make deploy`."]


def _minutes(milliseconds: int) -> float:
    return round(milliseconds / 60_000, 1)


def _label_words(label: LabelSummary) -> str:
    return f"{printable(label.name)} {label.confidence:.1f} %"


def _label_json(label: LabelSummary) -> dict[str, Any]:
    return {"name": label.name, "parent": label.parent, "confidence": label.confidence}
