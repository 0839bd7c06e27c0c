"""Judging a video again by another policy, from what was found and without a new analysis.

A policy needs only the best confidence of each label in a video, which the roll-up on the record has. So neither segments nor raw
hits (docs/hits.md) are read. Still, a record without raw hits is not judged, because a verdict must have its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handlers.domain import Findings, LabelSummary, Policy, Record, State, Video

# The states that a policy decides between; a video in another state is not judged.
JUDGED = frozenset({State.CLEAN, State.FLAGGED})


class Change(StrEnum):
    """How the verdict of another policy differs; `LABELS`: flagged as before, but by other labels."""

    FLAGGED = "newly flagged"
    CLEAN = "newly clean"
    LABELS = "other labels"
    NONE = "unchanged"


class Obstacle(StrEnum):
    """Why a video cannot be judged again, and so stays as it is. The texts are keys of `--json`: they never change."""

    NO_HITS = "no hits are kept of it: it was analysed by a version that kept none"
    NO_START = "nobody knows from which confidence Rekognition was asked to report"
    BLIND = "a rule counts labels that Rekognition was not asked to report"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A record before and after; and the labels that count only now, or no longer, the worst first."""

    record: Record
    judged: Record
    now_count: tuple[LabelSummary, ...]
    no_longer: tuple[LabelSummary, ...]

    @property
    def change(self) -> Change:
        if self.record.state is not self.judged.state:
            return Change.FLAGGED if self.judged.state is State.FLAGGED else Change.CLEAN
        return Change.LABELS if self.now_count or self.no_longer else Change.NONE

    @property
    def to_write(self) -> bool:
        """Tell whether the record changes."""
        return self.record != self.judged


@dataclass(frozen=True, slots=True)
class Blocked:
    """A record that cannot be judged.

    Attributes:
        rules: The rules (None is the default) that count labels below `reported_from`, the confidence Rekognition reported from.
    """

    video: Video
    obstacle: Obstacle
    rules: tuple[str | None, ...] = ()
    reported_from: float | None = None


def judge(record: Record, policy: Policy, *, mail: bool = False) -> Judgement | Blocked:
    """Return a policy's judgement of a CLEAN or FLAGGED record, or why the policy cannot judge it.

    With `mail`, a newly flagged video is mailed if one of its labels alerts, unless it is superseded. A video that was flagged
    before is not mailed again, and a mail that is still due is dropped if no label alerts any more.
    """
    obstacle = _obstacle(record, policy)
    if obstacle is not None:
        return obstacle
    verdict = policy.judge(Findings((), record.labels, record.gap_ms or 0))
    due = (mail and not record.superseded) if record.state is State.CLEAN else record.mail_due
    counted = tuple(label.name for label in verdict.counted)
    judged = replace(
        record,
        state=verdict.state,
        policy_hash=policy.hash,
        labels=verdict.labels,
        counted=counted,
        mail_due=verdict.alert and due,
    )
    return Judgement(
        record,
        judged,
        now_count=tuple(label for label in verdict.counted if label.name not in record.counted),
        no_longer=tuple(label for name in record.counted for label in record.labels if label.name == name not in counted),
    )


def _obstacle(record: Record, policy: Policy) -> Blocked | None:
    if record.hits_key is None:
        return Blocked(record.video, Obstacle.NO_HITS)
    if record.start is None:
        return Blocked(record.video, Obstacle.NO_START)
    reported_from = record.start.min_confidence
    # Labels below that were never reported, so that "clean" would only mean "not looked for".
    blind = tuple(name for name, rule in _rules(policy) if rule < reported_from)
    return Blocked(record.video, Obstacle.BLIND, blind, reported_from) if blind else None


def _rules(policy: Policy) -> list[tuple[str | None, float]]:
    """Return the confidence from which each rule counts, by folded label; None is the default."""
    return [(None, policy.default.min_confidence), *((name, rule.min_confidence) for name, rule in policy.rules.items())]
