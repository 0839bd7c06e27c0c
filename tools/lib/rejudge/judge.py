"""Judging again: what another policy makes of what was found, without a new analysis.

A policy asks for the best confidence of each label in a video, and for nothing else. The roll-up on the record is exactly that, as
the first verdict saw it: so neither segments nor raw hits are read here, and S3 is not asked at all. Hits (`hits.md`) are for
questions that a policy cannot ask. A record is judged all the same only where its hits are kept: a verdict must have its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from handlers.domain.identity import Video
from handlers.domain.policy import Policy
from handlers.domain.record import Findings, LabelSummary, Record
from handlers.domain.states import State

JUDGED = frozenset({State.CLEAN, State.FLAGGED})
"""The states that a policy decides between; it takes no video out of any other."""


class Change(StrEnum):
    """What another policy makes of a video."""

    FLAGGED = "newly flagged"
    CLEAN = "newly clean"
    LABELS = "other labels"
    """Flagged before and after, but not by the same labels."""
    NONE = "unchanged"


class Obstacle(StrEnum):
    """Why a video cannot be judged again; it stays as it is. The texts are keys of `--json`: they never change."""

    NO_HITS = "no hits are kept of it: it was analysed by a version that kept none"
    NO_START = "nobody knows from which confidence Rekognition was asked to report"
    BLIND = "a rule counts labels that Rekognition was not asked to report"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A record as it stands and as it would be; and which labels count now, or no longer, the worst first."""

    record: Record
    judged: Record
    now_count: tuple[LabelSummary, ...]
    no_longer: tuple[LabelSummary, ...]

    @property
    def change(self) -> Change:
        """Return what becomes of the video."""
        if self.record.state is not self.judged.state:
            return Change.FLAGGED if self.judged.state is State.FLAGGED else Change.CLEAN
        return Change.LABELS if self.now_count or self.no_longer else Change.NONE

    @property
    def to_write(self) -> bool:
        """Tell whether the record is not yet as it would be."""
        return self.record != self.judged


@dataclass(frozen=True, slots=True)
class Blocked:
    """A record that cannot be judged: why, and by which rules (`None` is the default) with what Rekognition reported from."""

    video: Video
    obstacle: Obstacle
    rules: tuple[str | None, ...] = ()
    reported_from: float | None = None


def judge(record: Record, policy: Policy, *, mail: bool = False) -> Judgement | Blocked:
    """Return what a policy makes of a CLEAN or FLAGGED record, or why it must not be judged by it.

    With `mail`, a newly flagged video is mailed if one of its labels alerts. One that was flagged before is never mailed anew, and
    a mail that is still due is dropped where the policy no longer wants it.
    """
    obstacle = _obstacle(record, policy)
    if obstacle is not None:
        return obstacle
    verdict = policy.judge(Findings((), record.labels, record.gap_ms or 0))
    due = mail if record.state is State.CLEAN else record.mail_due
    counted = tuple(label.name for label in verdict.counted)
    judged = replace(record, state=verdict.state, policy_hash=policy.hash, counted=counted, mail_due=verdict.alert and due)
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
    # What was never reported cannot be missed out loud: clean would only mean "not looked for".
    blind = tuple(name for name, rule in _rules(policy) if rule < reported_from)
    return Blocked(record.video, Obstacle.BLIND, blind, reported_from) if blind else None


def _rules(policy: Policy) -> list[tuple[str | None, float]]:
    """Return from which confidence each rule counts, by folded label; None is the default."""
    return [(None, policy.default.min_confidence), *((name, rule.min_confidence) for name, rule in policy.rules.items())]
