"""A watched bucket in the laboratory: its uploads, and S3's events of them, which are lost, repeated, late and in any order."""

import json
import math
from datetime import UTC, datetime
from statistics import median, quantiles

from handlers.domain import watch
from handlers.domain.states import State
from handlers.domain.watch import Watch
from tests.bench.simulation import prices
from tests.bench.simulation import world as worlds
from tests.bench.simulation.ours import SCAN, Ours
from tests.harness.product import BUCKET, TABLE, UPLOADS
from tools.emulator.services.dynamodb import item_size

# So long after midnight buckets are compared, and what is found is analysed, or nearly.
COMPARED_SECONDS = 7_200.0
# The uploads begin so long after the beginning of a day, which is after what is done once a day.
MORNING_SECONDS = 3_600.0


class Uploads(Ours):
    """The product that watches a bucket: the last videos are uploaded, the others are scanned meanwhile."""

    WATCH = watch.text({BUCKET: Watch(BUCKET)})

    def __init__(self, world):
        super().__init__(world)
        self.lab.polled.add("new_upload")
        clock = self.lab.clock
        self.began = watch.end_of(watch.day_of(clock.now())) + MORNING_SECONDS
        self.table.watches.begin(BUCKET, clock.now())
        first = world.setting.videos - world.setting.uploads
        for number, (after, events) in enumerate(zip(world.uploads, world.events, strict=True), first):
            clock.call_later(self.began + after - clock.now(), lambda number=number, events=events: self._put(number, events))

    def _put(self, number, events):
        now = self.lab.clock.now()
        self.lab.objects.put_at[number] = now
        self.lab.timeline.note_registered(number, now)
        body = _event(worlds.key_of(number), now)
        for after in events:
            self.lab.clock.call_later(after, lambda: self.lab.queues.put(self.lab.queues.queue(UPLOADS), body, {}))

    def run(self):
        """Let all uploads come, the bucket be compared on the day after, and all scans close."""
        until = watch.end_of(watch.day_of(self.ends)) + COMPARED_SECONDS
        self.lab.clock.run(lambda: self.lab.clock.now() < until or bool(self.table.scans.active()))

    @property
    def ends(self):
        """Return when the last day of uploads is over."""
        return self.began + self.world.setting.period

    def own_count(self):
        """Return what the product's own table has: verdicts, and how many uploads no event brought."""
        scans = self.table.scans.scans()
        totals = [self.table.scans.totals(scan.id) for scan in scans]
        missed = sum(self.table.watches.day(BUCKET, scan.day).missed for scan in scans if scan.day)
        return {
            "analysed_by_own_table": sum(each.videos[State.CLEAN] + each.videos[State.FLAGGED] for each in totals),
            "days": sum(scan.id != SCAN for scan in scans),
            "missed": missed,
        }

    def lags(self):
        """Return from upload to verdict the seconds of each upload whose event was not lost, in order."""
        timeline, first = self.lab.timeline, self.world.setting.videos - self.world.setting.uploads
        read = self._read()
        seconds = (
            read.get(number, math.nan) - timeline.registered[number]
            for number, events in enumerate(self.world.events, first)
            if events and max(events) < worlds.LATE_EVENT[0]
        )
        return sorted(each for each in seconds if not math.isnan(each))

    def mail_seconds(self):
        """Return how many seconds after its verdict each upload was mailed that was mailed, in order."""
        read = self._read()
        uploads = range(self.world.setting.videos - self.world.setting.uploads, self.world.setting.videos)
        numbers = {worlds.key_of(number): number for number in uploads}
        named = ((subject.rpartition(" ")[2], at) for subject, at in self.lab.topics.outbox.at.items())
        return sorted(at - read[numbers[key]] for key, at in named if key in numbers)

    def _read(self):
        """Return when the result of each video was read, by its number."""
        read = {}
        for job, number in enumerate(self.lab.timeline.video):
            read.setdefault(number, self.lab.timeline.read[job])
        return read


def lag_figures(design):
    """Return the median and the 95th percentile of the time from upload to verdict, and how long the latest mail took after it."""
    lags, mails = design.lags(), design.mail_seconds()
    return {
        "median_seconds": round(median(lags), 1),
        "p95_seconds": round(quantiles(lags, n=20)[-1], 1),
        "uploads_mailed": len(mails),
        "slowest_mail_seconds": round(max(mails, default=0.0), 1),
    }


def month_figures(design, days):
    """Return what a month of a watched bucket leaves and costs."""
    rows = list(design.lab.tables._service.table(TABLE).rows.scan())
    return {
        "days": days,
        "scans": len(design.table.scans.scans()),
        "mails": design.lab.topics.outbox.mails,
        "table_items": len(rows),
        "table_kilobytes": round(sum(item_size(row.item) for row in rows) / 1_000, 1),
        "dollars": round(prices.dollars(design.lab, processor=design.PROCESSOR), 2),
    }


def _event(key, at):
    """Return S3's event of an upload, as EventBridge puts it into a queue."""
    return json.dumps(
        {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 10_000_000, "etag": "of the event"}},
        }
    )
