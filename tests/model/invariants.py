"""Invariants: every write of the table and every Rekognition job is checked, as it happens, against what must hold.

They are kept from the engines' side, by the items that are written and the jobs that are opened, never by what the product says.
"""

from collections import Counter, defaultdict

from handlers.domain import lane_message
from handlers.domain.states import FINAL, State
from tests.model.marks import Marks
from tests.model.sampling import Frames, by_frames
from tests.model.tags import analysis_of
from tools.emulator.services.dynamodb import Table
from tools.emulator.services.rekognition.ledger import Ledger

DAY = 86_400.0
# A sweep lasts so long at most, so that what registers while it looks may be missed by it.
LATE_SECONDS = 120.0

_FINAL = {state.value for state in FINAL}
# Which states follow which within one attempt.
_NEXT = {
    None: {"WAITING", "FAILED"},
    "WAITING": {"WAITING", "RUNNING", "FAILED", "CANCELLED"},
    "RUNNING": {"RUNNING", "CLEAN", "FLAGGED", "FAILED", "CANCELLED"},
    "CLEAN": {"CLEAN"},
    "FLAGGED": {"FLAGGED"},
    "FAILED": {"FAILED"},
    "CANCELLED": {"CANCELLED"},
}
_BY_POLICY = {("CLEAN", "FLAGGED"), ("FLAGGED", "CLEAN")}
_BY_RETRY = {("FAILED", "WAITING"), ("FAILED", "FAILED"), ("CANCELLED", "WAITING"), ("CANCELLED", "FAILED")}
# Of uploads: the same bytes were put once more, and others may have been analysed.
_PUT_AGAIN = {(before, after) for before in ("CLEAN", "FLAGGED") for after in ("WAITING", "FAILED")}


class WatchedTable(Table):
    """The table, whose writes are checked against the invariants."""

    def __init__(self, invariants, *names, **rules):
        super().__init__(*names, **rules)
        self._invariants = invariants

    def write(self, key, new):
        """Write, and tell."""
        old = self.get(key)
        super().write(key, new)
        self._invariants.written(old, None if new is None else new.item)


class WatchedLedger(Ledger):
    """Rekognition's ledger, whose new jobs are checked against the invariants."""

    def __init__(self, invariants):
        super().__init__()
        self._invariants = invariants

    def opened(self, entry):
        """Note a job, and tell."""
        super().opened(entry)
        self._invariants.opened(entry)


class Invariants:
    """Everything that was seen; `faults` are sentences about broken invariants."""

    def __init__(self, clock):
        self.clock = clock
        self.scheduler = None
        self.ledger = None
        self.objects = None
        self.faults = []
        self.frames = Frames(clock, self.faults)
        self.marks = Marks(self.faults)
        self.records = {}  # (video id, scan id) -> item
        self.jobs = {}  # tag of ours -> the entries of its jobs
        self.thresholds = {}  # policy hash -> from which confidence it flags
        self.bodies = {}  # job id -> what it looked at
        self._limits = []  # what limits how many jobs may run, each time that changed: slots and quota deployed, slots setting
        self._noted = {}  # tag of ours -> how many limits there were when its Start was noted
        self._slots_setting = None
        self._deployed = (0, 0)
        # What the items of these partitions are, and what they should be, by the records.
        self._items = {kind: set() for kind in ("RUNNING", "STARTING", "SAMPLING")}
        self._expected = {kind: set() for kind in self._items}
        self._counted = defaultdict(Counter)  # scan -> what the records amount to
        self._totals = defaultdict(Counter)  # scan -> what the totals say
        self._segments = Counter()
        self._touched = set()
        self._scans = {}  # scan id -> item

    # who runs

    def began(self):
        """Return a mark of the present, which a run keeps."""
        return len(self._limits)

    def deployed(self, slots, account_jobs):
        """The product is deployed with other limits."""
        self._deployed = (slots, account_jobs)
        self._note_limit()

    def _note_limit(self):
        self._limits.append((*self._deployed, self._slots_setting))

    def _most_slots(self, since):
        """Return how many jobs may run by limits since a mark: a run keeps its deployment, but reads the setting again."""
        limits = self._limits[max(0, since - 1) :]
        settings = {setting for _, _, setting in limits}
        return max(_slots(setting or slots, account_jobs) for slots, account_jobs, _ in limits for setting in settings)

    # the table

    def written(self, old, new):
        """Look at a write."""
        item = new or old
        if item is None:  # deleted, but never there
            return
        self.marks.written_to_table(old, new)
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if pk.startswith("VIDEO#") and sk.startswith("SCAN#"):
            self._video_written(pk.removeprefix("VIDEO#"), sk.removeprefix("SCAN#"), old, new)
        elif pk == "SETTINGS" and "slots" in new:
            self._slots_setting = int(new["slots"]["N"])
            self._note_limit()
        elif pk == "SCANS" and new:
            self._scans[sk] = new
            if "closed_at" in new and "closed_at" not in (old or {}):
                self._check_closed(sk)
        elif pk in self._items:
            (self._items[pk].add if new else self._items[pk].discard)(sk)
            self._touched.add(None)
            if pk == "SAMPLING":
                self.frames.lease_written(sk, new)
        elif sk.startswith("TOTALS#"):
            self._totals_written(pk.removeprefix("SCAN#"), old or {}, new or {})

    def _video_written(self, video_id, sk, old, new):
        scan_id, _, part = sk.partition("#")
        kind, _, rest = part.partition("#")
        if not part:
            self._record_written(video_id, scan_id, old, new)
            return
        attempt = int(rest.partition("#")[0])
        if kind == "SEGMENT":
            self._segments[video_id, scan_id, attempt] += (new is not None) - (old is not None)
        else:
            self.frames.hits_written(f"{video_id}#{scan_id}#{attempt}", new)

    def _check_closed(self, scan_id):
        """A scan may close only if nothing of it is in progress except what registered just now."""
        late = self.clock.now() - LATE_SECONDS
        own = (item for item in unfinished(self) if item["sk"]["S"] == f"SCAN#{scan_id}")
        early = [item for item in own if float(item["queued_at"]["N"]) < late]
        if early:
            self.faults.append(f"closed too early: {early}")

    @property
    def day_scans(self):
        """Return the ids of the scans of uploads."""
        return {scan_id for scan_id, item in self._scans.items() if "day" in item}

    # messages

    def marked_until(self):
        """Return until when the messages of each scan that is not cancelled are sent again."""
        live = {scan_id: item for scan_id, item in self._scans.items() if item["status"]["S"] in ("open", "paused")}
        return {scan_id: float(item["resend_before"]["N"]) for scan_id, item in live.items() if "resend_before" in item}

    def purged(self, bodies, marked, until):
        """Look at what a purge deleted until a time: of scans that were marked until then, it is still to be sent again."""
        now = self.marked_until()
        for message in filter(None, map(lane_message.parse, bodies)):
            analysis = message.analysis
            item = self.records.get((analysis.video_id, analysis.scan_id))
            if (
                item is not None
                and waits(item)
                and float(item["queued_at"]["N"]) <= until
                and marked.get(analysis.scan_id, 0.0) >= until
                and analysis.scan_id in now
                and now[analysis.scan_id] <= float(item["queued_at"]["N"])
            ):
                self.faults.append(f"a purged message is not sent again: {item}")

    def late(self, since):
        """Return the waiting records whose messages were to be sent again before a time, or without a mark yet, and were not.

        Those of a paused scan are sent once it is resumed: the sweeper pauses one whose batch job was cancelled. Those of a
        cancelled day are not sent again: the sweeper cancels them, or repeats the Starts that may have been.
        """
        marked = {scan_id: mark for scan_id, mark in self.marked_until().items() if mark <= since and is_open(self._scans[scan_id])}
        unmarked = {scan_id: float("inf") for scan_id, item in self._scans.items() if "resend_due" in item and is_open(item)}
        marks = marked | unmarked
        return [item for (_, scan_id), item in self.records.items() if waits(item) and self._is_late(item, scan_id, marks)]

    def _is_late(self, item, scan_id, marks):
        queued_at, cancelled = float(item["queued_at"]["N"]), self._scans.get(scan_id, {}).get("cancel_before", {"N": "0"})["N"]
        return float(cancelled) <= queued_at < marks.get(scan_id, 0.0)

    def _totals_written(self, scan_id, old, new):
        totals = self._totals[scan_id]
        for item, sign in ((old, -1), (new, 1)):
            for name, value in item.items():
                if name not in ("pk", "sk"):
                    totals[name] += sign * int(value["N"])
        self._touched.add(scan_id)

    def _record_written(self, video_id, scan_id, old, new):
        if new is None:
            self.faults.append(f"a record is deleted: {old}")
            return
        before, after = _stand(old), _stand(new)
        self.records[video_id, scan_id] = new
        self._check_transition(old, new, before, after)
        for item, sign in ((old, -1), (new, 1)):
            self._count(scan_id, item, sign)
        if by_frames(new):
            self.frames.record_written(f"{video_id}#{scan_id}#{after[1]}", old if before[1] == after[1] else None, new)
            if after[0] in _FINAL and before[0] not in _FINAL:
                self._counted[scan_id]["images"] += int(new.get("images", {"N": 0})["N"])
        if "start_tried_at" in new and new["start_tried_at"] != (old or {}).get("start_tried_at"):
            self._noted[_tag(new)] = len(self._limits)
        name = f"{video_id}#{scan_id}#"
        for names in self._expected.values():
            names.discard(f"{name}{before[1]}")
        if after[0] == "WAITING" and "start_tried_at" in new:
            self._expected["STARTING"].add(f"{name}{after[1]}")
        if after[0] == "RUNNING":
            self._expected["SAMPLING" if by_frames(new) else "RUNNING"].add(f"{name}{after[1]}")
        self._touched |= {scan_id, None}

    def _count(self, scan_id, item, sign):
        if item is None or item["state"]["S"] not in _FINAL:
            return
        state, counted = item["state"]["S"].lower(), self._counted[scan_id]
        counted[state] += sign
        counted[f"{state}_ms"] += sign * int(item.get("duration_ms", {"N": 0})["N"])
        if state == "failed":
            counted[f"failed#{item['error_code']['S']}"] += sign

    def _check_transition(self, old, new, before, after):
        change = f"{before} -> {after} by {self.scheduler.current}"
        if old is not None and after[1] != before[1]:
            retried = _BY_RETRY | (_PUT_AGAIN if "uploaded_at" in new else set())
            if after[1] < before[1] or (before[0], after[0]) not in retried:
                self.faults.append(f"no retry: {change}")
        elif after[0] not in _NEXT[before[0]] and not ((before[0], after[0]) in _BY_POLICY and self._by("judge")):
            self.faults.append(f"no transition: {change}")
        if before != after:
            self._check_entered(new, before, after, change)

    def _by(self, name):
        return self.scheduler.current is not None and self.scheduler.current.name == name

    def _check_entered(self, new, before, after, change):
        state, attempt = after
        scan_id, tag = new["sk"]["S"].removeprefix("SCAN#"), _tag(new)
        own = self.jobs.get(tag, [])
        if state == "CANCELLED" and (own or (before[0] == "RUNNING" and not by_frames(new))):
            self.faults.append(f"cancelled although its job runs or ran: {change}")
        if state in ("CLEAN", "FLAGGED") and (before[0], state) not in _BY_POLICY:
            has_segments = bool(self._segments[new["pk"]["S"].removeprefix("VIDEO#"), scan_id, attempt])
            if by_frames(new):
                self.frames.check_verdict(new, self.thresholds[new["policy_hash"]["S"]], has_segments, change)
            else:
                self._check_verdict(new, state, has_segments, own, change)
        if state == "FAILED" and new["error_code"]["S"] in ("start-unknown", "result-lost") and not self._hopeless(new):
            self.faults.append(f"given up too early: {change}")

    def _hopeless(self, new):
        """Tell whether a video may be given up: six days are over."""
        since = min(float(new[name]["N"]) for name in ("start_tried_at", "started_at") if name in new)
        return self.clock.now() - since >= 6 * DAY

    def _check_verdict(self, new, state, has_segments, own, change):
        job_id = new["rekognition_job_id"]["S"]
        if job_id not in {entry.job_id for entry in own}:
            self.faults.append(f"the verdict of another job: {change}")
            return
        best = self.bodies[job_id]
        least = float(new["start"]["M"]["min_confidence"]["N"])
        seen = best is not None and best >= least
        if has_segments != seen:
            self.faults.append(f"final without its segments: {change}")
        flagged = seen and best >= self.thresholds[new["policy_hash"]["S"]]
        if flagged != (state == "FLAGGED"):
            self.faults.append(f"a wrong verdict ({best} % seen): {change}")

    # Rekognition

    def opened(self, entry):
        """Look at a job that is opened."""
        if self._by("stranger"):
            return
        jobs = self.jobs.setdefault(entry.tag, [])
        jobs.append(entry)
        self.bodies[entry.job_id] = self.objects.seen(entry)
        if len(jobs) > 1:
            self.faults.append(f"paid twice: {entry.tag} has {len(jobs)} jobs")
        self._check_slots(entry.tag)

    def _check_slots(self, tag):
        """A job opens within the slots that there are, or were when its Start was noted: from then on it counts as running."""
        own = {entry.job_id for each, entries in self.jobs.items() for entry in entries if not self._given_up(each)}
        running = {entry.job_id for entry in self.ledger.jobs if entry.closed_at is None} & own
        oldest = min(run.began for run in self.scheduler.live if run.name == "start_analysis")
        most = self._most_slots(min(oldest, self._noted.get(tag, oldest)))
        if len(running) > most:
            open_jobs = {each: len(running & {entry.job_id for entry in entries}) for each, entries in self.jobs.items()}
            self.faults.append(f"{len(running)} jobs are open, slots {most}: {open_jobs}, {tag} just now")

    def _given_up(self, tag):
        """Tell whether the record of an analysis has failed, or is at a later attempt: nothing waits for the job any more."""
        analysis = analysis_of(tag)
        record = self.records[analysis.video_id, analysis.scan_id]
        return _stand(record) not in (("WAITING", analysis.attempt), ("RUNNING", analysis.attempt))

    # what must hold after every AWS call

    def look(self):
        """Raise an error if an invariant is broken."""
        for kind, names in self._items.items() if None in self._touched else ():
            if names != self._expected[kind]:
                self.faults.append(f"{kind} items {sorted(names)} but records {sorted(self._expected[kind])}")
        self.frames.look()
        self.marks.look()
        for scan_id in self._touched - {None}:
            if +self._counted[scan_id] != +self._totals[scan_id]:
                self.faults.append(f"totals {+self._totals[scan_id]} but records {+self._counted[scan_id]}")
        self._touched.clear()
        assert not self.faults, "; ".join(self.faults)


def _slots(count, account_jobs):
    """Return how many jobs may run: from the quota on Rekognition refuses, and the slots only stop a flood."""
    return count if count < account_jobs else 2 * account_jobs


def _stand(item):
    return (None, 0) if item is None else (item["state"]["S"], int(item["attempt"]["N"]))


def waits(item):
    """Tell whether a record waits."""
    return item["state"]["S"] == "WAITING"


def is_open(scan):
    """Tell whether a scan is open."""
    return scan["status"]["S"] == "open"


def _tag(item):
    return f"{item['sk']['S'].removeprefix('SCAN#')}/{item['pk']['S'].removeprefix('VIDEO#')}/{item['attempt']['N']}"


def unfinished(invariants):
    """Return the records that are in no final state."""
    return [item for item in invariants.records.values() if not State(item["state"]["S"]).final]
