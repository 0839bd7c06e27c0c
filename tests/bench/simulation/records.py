"""What the table in memory holds: the records of one scan in as few bytes as may be, and what the index `work` shows of them."""

import heapq
from collections import Counter, deque
from functools import partial

from handlers.adapters.table import items
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record, Totals
from handlers.domain.states import FINAL, Lane, State
from tests.bench.simulation import world as worlds
from tests.bench.simulation.rekognition import ETAG
from tests.bench.simulation.tables import lag_at

# The partition of due mails, after the shards of what waits.
MAILS = items.INDEX_SHARDS

_FACTS = ObjectFacts(ETAG, 10_000_000, None)


class Row:
    """What is kept of a record: what it takes to make it again, and all of it where it is needed often."""

    __slots__ = (
        "attempt",
        "job_id",
        "number",
        "queued_at",
        "record",
        "shared",
        "start",
        "start_tried_at",
        "started_at",
        "state",
        "video_id",
    )

    def __init__(self, number, video_id, attempt, queued_at):
        self.number = number
        self.video_id = video_id
        self.attempt = attempt
        self.queued_at = queued_at
        self.state = State.WAITING
        self.shared = False
        self.start_tried_at = self.start = self.started_at = self.job_id = self.record = None


class Records:
    """The records of one scan, what runs, the totals, and what the index `work` shows."""

    def __init__(self, clock, scan_id, tables, videos):
        self.scan_id = scan_id
        self.engine = tables.table
        self.update = partial(tables.call, "UpdateItem")
        self.by_id = {}
        self.by_number = [None] * videos
        self.running = {}
        self.videos = Counter()
        self.milliseconds = Counter()
        self.segments = {}
        self.flagged = [[] for _ in range(items.INDEX_SHARDS)]
        self.batch_job_id = None
        self.parsed = {}
        self.lease = None
        self._clock = clock
        self._coming = deque()
        self._shards = [([], {}) for _ in range(items.INDEX_SHARDS + 1)]

    def record(self, video_id):
        """Return a record, None where there is none."""
        row = self.by_id.get(video_id)
        if row is None:
            return None
        if row.record is None:
            row.record = self._made(row)
        return row.record

    def _made(self, row):
        return Record(
            Video(worlds.BUCKET, worlds.key_of(row.number)),
            self.scan_id,
            row.state,
            row.attempt,
            Lane.NORMAL,
            _FACTS,
            self.batch_job_id,
            row.job_id,
            row.queued_at,
            row.start_tried_at,
            row.start,
            row.started_at,
        )

    def counted(self):
        """Return the totals."""
        return Totals(*({state: counts[state] for state in sorted(FINAL)} for counts in (self.videos, self.milliseconds)))

    def plan(self, number, key, row):
        """Let a row come into a shard of the index (None: go) when the index has caught up with this moment."""
        now = self._clock.now()
        self._coming.append((now + lag_at(now), number, key, row))

    def shard(self, number):
        """Return a shard as the index shows it: its keys as a heap, of which those count that are in the second."""
        now, coming = self._clock.now(), self._coming
        while coming and coming[0][0] <= now:
            _, at, key, row = coming.popleft()
            heap, live = self._shards[at]
            if row is None:
                live.pop(key, None)
            else:
                live[key] = row
                heapq.heappush(heap, key)
        heap, live = self._shards[number]
        while heap and heap[0] not in live:
            heapq.heappop(heap)
        return heap, live

    def first(self, number, most, *, before=None, after=-1):
        """Return the first rows of a shard with their keys, at most `most`: those before a time, and after a key."""
        heap, live = self.shard(number)
        found, passed = [], []
        limit = None if before is None else sort_key(before, "0")
        while heap and len(found) < most and (limit is None or heap[0] < limit):
            key = heapq.heappop(heap)
            if key in live:
                (found if key > after else passed).append(key)
        for key in (*passed, *found):
            heapq.heappush(heap, key)
        return [(key, live[key]) for key in found]


def sort_key(at, video_id):
    """Return what orders the index `work`: milliseconds, then the video id, as one number."""
    return round(at * 1000) << 128 | int(video_id, 16)
