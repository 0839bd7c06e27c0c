"""Invariants of analyses by frames: every image that is paid for, every lease, and every write of how far a film has got."""

from collections import Counter, defaultdict, deque

from botocore.exceptions import ClientError

from handlers.domain import lane_message
from tests.harness.media import frames_of, seen_in
from tests.harness.product import IMAGES_PER_SECOND
from tests.harness.videos import MP4
from tools.emulator.services.rekognition.images import ANALYSED, ImageLedger

# How many images a worker may have been paid for and not written, and how long the longest call takes, within which its lease must
# not end (docs/architecture.md).
MOST_UNWRITTEN, CALL_SECONDS = 20, 23.0
# From this confidence on every deployment of the model has Rekognition report a label.
ALWAYS_REPORTED = 80.0
CONDITIONS = ("ConditionalCheckFailedException", "TransactionCanceledException")
DETECT = "rekognition.DetectModerationLabels"
PACE_SECONDS = 10.0


class WatchedImageLedger(ImageLedger):
    """Rekognition's ledger of images, whose payments are checked against the invariants; `eyes` have just looked at the image."""

    def __init__(self, frames, eyes):
        super().__init__()
        self._frames = frames
        self._eyes = eyes

    def note(self, call):
        """Note a call, and tell."""
        super().note(call)
        if call.answer == ANALYSED:
            self._frames.paid(self._eyes.content)


class Frames:
    """What is paid for, written and leased; an analysis is named as in the key of its SAMPLING item.

    Attributes:
        payments: By analysis, how often each of its images was paid for, by position.
        items: The SAMPLING items, by analysis.
        lost: Of each worker that left something unwritten: the analysis, and how many images.
    """

    def __init__(self, clock, faults):
        self._clock = clock
        self._faults = faults
        self.scheduler = None
        self.films = {}  # etag -> content
        self.payments = defaultdict(Counter)
        self.items = {}
        self.lost = []
        self._records = {}  # analysis -> item
        self._hits = defaultdict(dict)  # analysis -> confidence by position
        self._holders = {}  # name of a lease's holder -> run
        self._unwritten = defaultdict(list)  # run -> positions
        self._unanswered = Counter()  # analysis, position -> answers lost
        self._excused = set()  # runs that lost their lease, or met an error of AWS
        self._touched = set()
        self._times = deque()  # of the last calls

    # calls

    def called(self, run, name):
        """Look at a call before it is made: an image is sent only by who has the lease, for long enough."""
        if name != DETECT:
            return
        analysis = run.analysis
        item = self.items.get(analysis)
        holder = self._holders.get(item and item.get("holder", {"S": None})["S"])
        if holder is not run or float(item["until"]["N"]) < self._clock.now() + CALL_SECONDS:
            self._faults.append(f"an image is sent without a lease: {run} of {analysis}, {item}")
        run.position_ms, run.paid_ms = _position(self._records[analysis]), None
        self._check_pace()

    def _check_pace(self):
        now = self._clock.now()
        self._times.append(now)
        while self._times[0] <= now - PACE_SECONDS:
            self._times.popleft()
        if len(self._times) > PACE_SECONDS * IMAGES_PER_SECOND:
            self._faults.append(f"{len(self._times)} images within {PACE_SECONDS} s")

    def failed(self, run, name, error):
        """Note that a call was answered with an error, other than that a condition does not hold."""
        if run.analysis is None or (isinstance(error, ClientError) and error.response["Error"]["Code"] in CONDITIONS):
            return
        if name != DETECT:
            self._excused.add(run)
        elif run.paid_ms is not None:
            self._unanswered[run.analysis, run.paid_ms] += 1
            # The worker does not know it either: there is nothing to write.
            self._unwritten[run].remove(run.paid_ms)

    def paid(self, content):
        """Look at an image that was analysed."""
        run, at_ms = self.scheduler.current, content.get("at_ms", 0)
        analysis, unwritten, run.paid_ms = run.analysis, self._unwritten[run], at_ms
        self.payments[analysis][at_ms] += 1
        if run.position_ms is not None and at_ms <= run.position_ms:
            self._faults.append(f"paid for again though written: {at_ms} of {analysis}, {run.position_ms}")
        if at_ms in unwritten:
            self._faults.append(f"paid twice by one worker: {at_ms} of {analysis}")
        unwritten.append(at_ms)
        if len(unwritten) > MOST_UNWRITTEN:
            self._faults.append(f"{len(unwritten)} images of {analysis} are paid for and not written")

    def ended(self, run):
        """Look at a worker that is over: without a crash, an error or a lost lease everything is written."""
        unwritten = self._unwritten.pop(run, [])
        if not unwritten:
            return
        self.lost.append((run.analysis, len(unwritten)))
        if not run.doomed and run not in self._excused:
            self._faults.append(f"{len(unwritten)} images of {run.analysis} are not written by {run}")

    # the table

    def lease_written(self, analysis, new):
        """Look at a SAMPLING item."""
        old, current = self.items.pop(analysis, {}), self.scheduler.current
        before = self._holders.get(old.get("holder", {"S": None})["S"])
        if before is not None and before is not current:
            self._excused.add(before)
        if new is None:
            return
        self.items[analysis] = new
        if "holder" in new:
            self._holders.setdefault(new["holder"]["S"], current)

    def hits_written(self, analysis, new):
        """Look at what was found in frames."""
        for hit in new["hits"]["L"]:
            found = self._hits[analysis]
            at_ms, confidence = int(hit["M"]["timestamp_ms"]["N"]), float(hit["M"]["confidence"]["N"])
            found[at_ms] = max(confidence, found.get(at_ms, 0.0))
        self._touched.add(analysis)

    def record_written(self, analysis, old, new):
        """Look at a record: what was paid for is counted, and no frame is skipped."""
        self._records[analysis] = new
        if _progress(old) == _progress(new) or not _images(new):
            return
        self._touched.add(analysis)
        self._unwritten.pop(self.scheduler.current, None)
        position, needed = _position(new), self._needed(new)
        passed = [at_ms for at_ms in needed if at_ms <= position]
        if _images(new) != len(passed):
            self._faults.append(f"{_images(new)} images are counted, {len(passed)} are needed up to {position}: {new}")
        skipped = [at_ms for at_ms in passed if not self.payments[analysis][at_ms]]
        if skipped:
            self._faults.append(f"a gap: {skipped} of {analysis}")

    def check_verdict(self, new, threshold, has_segments, change):
        """Look at a verdict: all frames were looked at, and it is that of what was found."""
        needed = self._needed(new)
        if _images(new) != len(needed):
            self._faults.append(f"a verdict of {_images(new)} frames of {len(needed)}: {change}")
        video_id, scan_id = (new[name]["S"].partition("#")[2] for name in ("pk", "sk"))
        best = max(self._hits[f"{video_id}#{scan_id}#{new['attempt']['N']}"].values(), default=None)
        if has_segments != (best is not None):
            self._faults.append(f"final without its segments: {change}")
        if (best is not None and best >= threshold) != (new["state"]["S"] == "FLAGGED"):
            self._faults.append(f"a wrong verdict ({best} % seen in frames): {change}")

    def look(self):
        """Look at what was written since: hits are there with the position, or before."""
        for analysis in self._touched:
            record, found = self._records[analysis], self._hits[analysis]
            position = _position(record)
            if position is None:
                continue
            seen = {at_ms: confidence for at_ms, confidence in self._needed(record).items() if at_ms <= position and confidence}
            missing = {at_ms for at_ms, confidence in seen.items() if confidence >= ALWAYS_REPORTED} - found.keys()
            if missing or found.keys() - seen.keys():
                self._faults.append(f"hits of {analysis} at {sorted(found)}, seen {seen} up to {position}")
        self._touched.clear()

    def overpaid(self):
        """Return the analyses of which more was paid again than workers have left unwritten, and answers were lost."""
        allowed = Counter()
        for analysis, count in self.lost:
            allowed[analysis] += count
        for (analysis, _position), count in self._unanswered.items():
            allowed[analysis] += count
        counted = {analysis: _images(item) for analysis, item in self._records.items()}
        return {
            analysis: (paid.total(), counted[analysis], allowed[analysis])
            for analysis, paid in self.payments.items()
            if paid.total() > counted[analysis] + allowed[analysis]
        }

    def _needed(self, item):
        """Return the positions of a record's content, and how confidently something is seen at each."""
        body = self.films[item["etag"]["S"]]
        return positions_of(body, int(item["interval_ms"]["N"]) if "interval_ms" in item else None)


def positions_of(body, interval_ms):
    """Return at which positions an object must be looked at, and how confidently something is seen there; an image has one."""
    if not body.startswith(MP4):
        return {0: seen_in(body)["confidence"]}
    return {at_ms: seen_in(frame)["confidence"] for at_ms, frame in frames_of(body, interval_ms).items()}


def analysis_of_message(event):
    """Return which analysis an event of a lane is about."""
    message = lane_message.parse(event["Records"][0]["body"])
    return f"{message.analysis.video_id}#{message.analysis.scan_id}#{message.analysis.attempt}"


def by_frames(item):
    """Tell whether a record goes by frames."""
    return item.get("engine", {"S": "video"})["S"] == "frames"


def _progress(item):
    return None if item is None else (_images(item), _position(item))


def _images(item):
    return int(item.get("images", {"N": 0})["N"])


def _position(item):
    return int(item["position_ms"]["N"]) if "position_ms" in item else None
