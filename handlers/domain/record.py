"""What the table knows: the values that domain and adapters exchange. No AWS types, no Decimal; times are epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from handlers.domain.identity import Analysis, Video
from handlers.domain.states import Lane, ScanMail, ScanStatus, State


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a video failed: a code from `handlers/adapters/aws_errors.py` or AWS, and a sentence."""

    code: str
    message: str


INELIGIBLE = frozenset({"empty", "archived", "too-large"})
"""Codes of a video that failed because nobody could try: told apart from failures, and no money was spent."""


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """An object as it was looked at: etag without quotes, size in bytes, and the version that answered (None if unversioned)."""

    etag: str
    size: int
    version_id: str | None


@dataclass(frozen=True, slots=True)
class StartParameters:
    """With what an analysis was started, kept so that a repeated Start is the same to the letter (else the token is refused)."""

    version_id: str | None
    min_confidence: float
    topic_arn: str
    role_arn: str


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """One label over a whole video: best confidence (percent), time seen and first time (milliseconds)."""

    name: str
    parent: str
    level: int
    confidence: float
    milliseconds: int
    first_ms: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Hits of one label without a gap, merged: start and end in milliseconds, best confidence (percent), number of hits."""

    label: str
    parent: str
    level: int
    start_ms: int
    end_ms: int
    confidence: float
    hits: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What an analysis found: segments in time order, roll-up per label, and by which gap (milliseconds) hits were merged."""

    segments: tuple[Segment, ...]
    labels: tuple[LabelSummary, ...]
    gap_ms: int


@dataclass(frozen=True, slots=True)
class Record:
    """What the table knows of one video in one scan."""

    video: Video
    scan_id: str
    state: State
    attempt: int = 0
    lane: Lane = Lane.NORMAL
    facts: ObjectFacts | None = None
    batch_job_id: str | None = None
    rekognition_job_id: str | None = None
    queued_at: float | None = None
    start_tried_at: float | None = None
    start: StartParameters | None = None
    started_at: float | None = None
    finished_at: float | None = None
    problem: Problem | None = None
    model_version: str | None = None
    policy_hash: str | None = None
    duration_ms: int | None = None
    labels: tuple[LabelSummary, ...] = ()
    gap_ms: int | None = None
    counted: tuple[str, ...] = ()
    """Names of the labels that counted under the policy, the worst first: the mail is written later, without the policy."""
    mail_due: bool = False
    changed_during_scan: bool = False
    refusals: int = 0
    """How often Start was refused for a reason of ours (permissions, parameters), the first time at `refused_since`."""
    refused_since: float | None = None
    hits_key: str | None = None
    """Where in the work bucket the raw hits are kept, and how many there are (`hits_count`); None before an analysis is read."""
    hits_count: int | None = None

    @property
    def analysis(self) -> Analysis:
        """Return what this record's token and tag stand for."""
        return Analysis(self.scan_id, self.video.id, self.attempt)

    def as_failed(self, problem: Problem, *, at: float) -> Record:
        """Return this record as it stands once it has failed, for one reason."""
        return replace(self, state=State.FAILED, problem=problem, finished_at=at)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """An S3 Batch Operations job of a scan: its last known status, task counts, and since when it is over (epoch seconds)."""

    id: str
    status: str = "New"
    tasks: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    terminal_since: float | None = None
    told: bool = False
    """Whether nothing is to be decided any more, should it have broken: its scan was paused for it once (who resumes the scan has
    the last word), or nothing of it waited, or a retry came after it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many videos of a scan were final at a time (epoch seconds): from two of them follows how fast it goes."""

    at: float
    final: int


@dataclass(frozen=True, slots=True)
class Scan:
    """One request to scan a set of objects."""

    id: str
    bucket: str
    lane: Lane = Lane.NORMAL
    status: ScanStatus = ScanStatus.OPEN
    created_at: float = 0.0
    closed_at: float | None = None
    manifest_uri: str | None = None
    objects: int | None = None
    jobs: tuple[BatchJob, ...] = ()
    mails_sent: int = 0
    waiting_empty_since: float | None = None
    resend_before: float | None = None
    """Videos that wait since before this are sent again, from this time on."""
    held_at: float | None = None
    """Since when it is paused or cancelled, and why (`held_reason`)."""
    held_reason: str | None = None
    mails_due: tuple[ScanMail, ...] = ()
    limit_told: bool = False
    progress: tuple[Progress, ...] = ()
    """The last hour's, oldest first, noted by the sweeper."""
    planned_jobs: int | None = None
    """How many batch jobs its manifest was split into; None where nobody planned it (a job made by hand)."""
    prefixes: tuple[str, ...] | None = None
    """Each of its keys begins with one of these; None where that is not known."""
    set_aside: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Objects that were left out of its jobs when it was submitted, by the code of the reason why nobody can analyse them."""

    @property
    def missing_jobs(self) -> int:
        """Return how many of its planned batch jobs are not known yet: whoever submits it is still at it, or broke off.

        Jobs are counted, not told apart. A scan that is not whole cannot be retried, so only a clone made by hand in the console
        can be taken for a missing job; the scan then closes too soon, and the missing job's first task opens it again.
        """
        return max(0, (self.planned_jobs or 1) - len(self.jobs))

    @property
    def live(self) -> bool:
        """Tell whether something may still happen to its videos by itself: a cancelled scan lives until all are settled."""
        return self.closed_at is None and self.status is not ScanStatus.CLOSED


@dataclass(frozen=True, slots=True)
class Settings:
    """The one settings item: how many of the account's Rekognition jobs we use (None: as deployed), whether starting is paused."""

    slots: int | None = None
    paused: bool = False
    paused_by: str | None = None
    paused_reason: str | None = None
    paused_at: float | None = None
    mail_due: bool = False
    """Whether the operator is still to be mailed that starting is paused."""
    refused_in_row: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Videos, and milliseconds of video, per final state of a scan."""

    videos: dict[State, int] = field(default_factory=dict)
    milliseconds: dict[State, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    """Failed videos per reason."""

    @property
    def final(self) -> int:
        """Return how many videos are in a final state."""
        return sum(self.videos.values())

    @property
    def ineligible(self) -> int:
        """Return how many of the failed videos could not be analysed as they are."""
        return sum(count for reason, count in self.failures.items() if reason in INELIGIBLE)

    @property
    def counts(self) -> dict[str, int]:
        """Return videos per outcome as people are told them: what is ineligible is not counted as failed."""
        return {
            "clean": self.videos.get(State.CLEAN, 0),
            "flagged": self.videos.get(State.FLAGGED, 0),
            "failed": self.videos.get(State.FAILED, 0) - self.ineligible,
            "ineligible": self.ineligible,
            "cancelled": self.videos.get(State.CANCELLED, 0),
        }
