"""The values that the table holds, without AWS types and Decimal; times are epoch seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from handlers.domain.engine import IMAGE_MS, Engine
from handlers.domain.identity import Analysis, Video
from handlers.domain.reasons import INELIGIBLE, SUPERSEDED
from handlers.domain.states import Lane, ScanMail, ScanStatus, State

# A notice is lost now and then, `completion` fails on it, or the sweeper asks before it has come. This many hand-overs within an
# hour, and this share of the videos that became final, are more than that.
FEW_LOST_NOTICES = 12
LOST_NOTICES_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a video failed: a reason code (see `handlers/domain/reasons.py`) and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """An object as it was checked: etag without quotes, size in bytes, and version id (None without versioning).

    `modified_at` is S3's LastModified (epoch seconds), which has no fraction; it is not stored with a record.
    """

    etag: str
    size: int
    version_id: str | None
    modified_at: float | None = None


@dataclass(frozen=True, slots=True)
class StartParameters:
    """The parameters of a Start, noted so that a repeated Start is identical: otherwise the token is refused."""

    version_id: str | None
    min_confidence: float
    topic_arn: str
    role_arn: str


@dataclass(frozen=True, slots=True)
class Peak:
    """A hit with a higher confidence (percent) than all before it."""

    at_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """One label over a whole video: highest confidence (percent), duration and first time (milliseconds)."""

    name: str
    parent: str
    level: int
    confidence: float
    milliseconds: int
    # Of the first hit that counts; of the first of all where none does, or until a policy has judged it.
    first_ms: int
    # By these another policy finds its own first hit; empty in records of versions before 0.3.
    peaks: tuple[Peak, ...] = ()
    # The confidence from which it counts by the policy that judged it; None if that is not known.
    counts_from: float | None = None

    def judged(self, counts_from: float) -> LabelSummary:
        """Return this label as it is under a rule."""
        times = [peak.at_ms for peak in self.peaks if peak.confidence >= counts_from] or [peak.at_ms for peak in self.peaks]
        return replace(self, first_ms=next(iter(times), self.first_ms), counts_from=counts_from)

    def begin_of(self, segment: Segment) -> int:
        """Return when a segment of this label begins to count: hits that do not may come before the first that does."""
        return self.first_ms if segment.start_ms <= self.first_ms <= segment.end_ms else segment.start_ms


@dataclass(frozen=True, slots=True)
class Segment:
    """Merged hits of one label: start and end in milliseconds, highest confidence (percent), number of hits."""

    label: str
    parent: str
    level: int
    start_ms: int
    end_ms: int
    confidence: float
    hits: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of an analysis: segments in time order, a summary per label, and the gap of merging (milliseconds)."""

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
    # When another policy judged it last; None if none did since its analysis.
    judged_at: float | None = None
    problem: Problem | None = None
    model_version: str | None = None
    policy_hash: str | None = None
    duration_ms: int | None = None
    labels: tuple[LabelSummary, ...] = ()
    gap_ms: int | None = None
    # Names of the labels that counted under the policy, the worst first: the mail is written later without the policy.
    counted: tuple[str, ...] = ()
    mail_due: bool = False
    changed_during_scan: bool = False
    # How often Start was refused for a fault of ours (permissions, parameters), first at `refused_since`.
    refusals: int = 0
    refused_since: float | None = None
    # The key of the raw hits in the work bucket and their number (`hits_count`); None until an analysis is read.
    hits_key: str | None = None
    hits_count: int | None = None
    # When its content was uploaded; only videos of a watched bucket have it. `missed`: the daily comparison found it, no event did.
    uploaded_at: float | None = None
    missed: bool = False
    # S3's LastModified of the content when it was registered: if it is later now, the same bytes were put once more.
    put_at: float | None = None
    # When another content was found under its key: its verdict has no consequences any more.
    superseded_at: float | None = None
    # What looks at it, and the longest gap between two frames; an image that is analysed has none.
    engine: Engine = Engine.VIDEO
    interval_ms: int | None = None
    # Frames that are paid, and when the last of them is shown. `decoded_ms`: up to when a damaged film could be decoded without
    # a hole; written as soon as one is found.
    images: int = 0
    position_ms: int | None = None
    decoded_ms: int | None = None
    # How long it is by its header (milliseconds), read where its watch has a limit; and how many milliseconds of the limit of the
    # day on which it was begun (`begun_at`) are taken by it until it is final.
    expected_ms: int | None = None
    reserved_ms: int | None = None

    @property
    def analysis(self) -> Analysis:
        """Return the analysis of this record's attempt."""
        return Analysis(self.scan_id, self.video.id, self.attempt)

    @property
    def etag(self) -> str | None:
        """Return the etag of its content as it was last looked at, or else as its upload was named; None if neither is known."""
        return self.facts.etag if self.facts else self.video.etag

    @property
    def superseded(self) -> bool:
        """Tell whether another content has replaced its own, as its upload or the look before the analysis found."""
        return self.superseded_at is not None or (self.problem is not None and self.problem.code == SUPERSEDED)

    @property
    def begun_at(self) -> float | None:
        """Return when it was begun for the limit of a day: when its Start was tried, or when frames began."""
        return self.started_at if self.engine is Engine.FRAMES else self.start_tried_at

    @property
    def spent_ms(self) -> int | None:
        """Return what it counts as towards the limit of a day once it is over, None if nothing of it was analysed.

        A film counts with its length, by whatever engine, an image as `IMAGE_MS` each; of a film by frames that came to no verdict
        what was paid for counts.
        """
        if not self.images:
            return self.duration_ms
        return max(self.duration_ms or 0, self.position_ms or 0, self.images * IMAGE_MS)

    @property
    def share_ms(self) -> int | None:
        """Return what it must have taken of the limit of a day by now: more than was expected if more was paid for."""
        return None if self.reserved_ms is None else max(self.reserved_ms, self.spent_ms or 0)

    def as_failed(self, problem: Problem, *, at: float) -> Record:
        """Return this record in state FAILED."""
        return replace(self, state=State.FAILED, problem=problem, finished_at=at)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """An S3 Batch Operations job of a scan: its last known status, task counts, and when it was first seen to be over."""

    id: str
    status: str = "New"
    tasks: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    terminal_since: float | None = None
    # Settled: if it broke, no decision is needed, because its scan was paused for it once, nothing of it waited, or a retry
    # followed.
    told: bool = False
    # Why it failed or was cancelled, in S3's words.
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many videos of a scan were final at a time (epoch seconds), and how many had been handed over by the sweeper.

    Two of these give its speed.
    """

    at: float
    final: int
    handed_over: int | None = None


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
    # From this time on, messages that were queued before it are sent again.
    resend_before: float | None = None
    # Whether the sweeper is to set `resend_before` to its own time: a person's clock may be minutes off.
    resend_due: bool = False
    # Since when it is paused or cancelled, and why (`held_reason`).
    held_at: float | None = None
    held_reason: str | None = None
    mails_due: tuple[ScanMail, ...] = ()
    limit_told: bool = False
    # Of the last hour, oldest first.
    progress: tuple[Progress, ...] = ()
    # How many batch jobs were planned; None for a job that was created by hand.
    planned_jobs: int | None = None
    # Prefixes of all its keys; None if they are not known.
    prefixes: tuple[str, ...] | None = None
    # Objects that were left out of its manifest because they cannot be analysed, counted by reason code.
    set_aside: Mapping[str, int] = field(default_factory=dict, hash=False)
    # How many finished analyses the sweeper handed over to `completion`, because their notice was lost or not dealt with; and
    # whether a mail was due about them.
    handed_over: int | None = None
    notices_mailed: bool = False
    # Other objects that its source has, counted by suffix (`handlers/domain/unselected.py`); None if that is not known.
    not_selected: Mapping[str, int] | None = field(default=None, hash=False)
    # The UTC day, such as 2026-11-29, whose uploads to a watched bucket it holds: such a scan has no batch job and no manifest.
    day: str | None = None
    # The last day about whose used-up minutes a mail was due, and how many of its uploads waited for another day, or a release.
    limit_day: str | None = None
    uploads_waited: int | None = None
    # What looks at its videos; single ones may go by frames all the same (images, and what the video API does not take).
    engine: Engine = Engine.VIDEO
    interval_ms: int | None = None
    # Of the scan of a day, what was queued before this time is cancelled; and whether the sweeper is to set it to its own time.
    cancel_before: float | None = None
    cancel_due: bool = False

    def cancels(self, record: Record) -> bool:
        """Tell whether a waiting video is among those that were cancelled, though what comes later is not."""
        if self.cancel_before is None:
            return False
        # In whole milliseconds, as the index has it by which the sweeper finds what it cancels.
        return round((record.queued_at or 0.0) * 1_000) < round(self.cancel_before * 1_000)

    @property
    def missing_jobs(self) -> int:
        """Return how many planned batch jobs are not known yet: it is still being submitted, or submitting was interrupted.

        A clone made by hand in the console is counted, too: the scan then closes too soon, and the first task of the missing job
        opens it again.
        """
        return 0 if self.day is not None else max(0, (self.planned_jobs or 1) - len(self.jobs))

    @property
    def handed_over_lately(self) -> int:
        """Return how many analyses the sweeper handed over since the first point of its progress, an hour ago at most."""
        before = self.progress[0].handed_over if self.progress else None
        return max(0, (self.handed_over or 0) - (before or 0))

    def lacks_notices(self, final: int) -> bool:
        """Tell whether completion notices do not arrive, by how many of the videos that became final lately were handed over.

        Args:
            final: How many videos are final now.
        """
        lately = final - (self.progress[0].final if self.progress else 0)
        return self.handed_over_lately >= max(FEW_LOST_NOTICES, LOST_NOTICES_SHARE * lately)

    @property
    def live(self) -> bool:
        """Tell whether its videos may still change by themselves; a cancelled scan is live until all are final."""
        return self.closed_at is None and self.status is not ScanStatus.CLOSED

    @property
    def active(self) -> bool:
        """Tell whether the sweeper has anything to do for it: it is live, or a mail about it is due."""
        return self.live or bool(self.mails_due)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings item: how many of the account's Rekognition jobs to use (None: as deployed), and whether starting is paused."""

    slots: int | None = None
    paused: bool = False
    paused_by: str | None = None
    paused_reason: str | None = None
    paused_at: float | None = None
    # Whether the operator is still to be mailed about the pause.
    mail_due: bool = False
    # Starts that were refused since the last one that succeeded, and the ids of their videos (a set; its order means nothing).
    refused_in_row: int = 0
    refused_videos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """The videos of a scan, and their milliseconds, per final state."""

    videos: dict[State, int] = field(default_factory=dict)
    milliseconds: dict[State, int] = field(default_factory=dict)
    # Failed videos per reason.
    failures: dict[str, int] = field(default_factory=dict)
    # Frames and images that were paid for what is final.
    images: int = 0

    @property
    def final(self) -> int:
        """Return how many videos are in a final state."""
        return sum(self.videos.values())

    def without(self, records: Iterable[Record]) -> Totals:
        """Return these totals without the videos of some final records; the milliseconds, which were paid for, stay."""
        videos, failures = Counter(self.videos), Counter(self.failures)
        for record in records:
            videos[record.state] -= 1
            if record.problem is not None:
                failures[record.problem.code] -= 1
        return replace(self, videos=dict(videos), failures={code: count for code, count in failures.items() if count})

    @property
    def ineligible(self) -> int:
        """Return how many of the failed videos cannot be analysed as they are."""
        return sum(count for reason, count in self.failures.items() if reason in INELIGIBLE)

    @property
    def counts(self) -> dict[str, int]:
        """Return videos per outcome; an ineligible video is not counted as failed."""
        return {
            "clean": self.videos.get(State.CLEAN, 0),
            "flagged": self.videos.get(State.FLAGGED, 0),
            "failed": self.videos.get(State.FAILED, 0) - self.ineligible,
            "ineligible": self.ineligible,
            "cancelled": self.videos.get(State.CANCELLED, 0),
        }
