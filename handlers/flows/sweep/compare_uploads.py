"""Comparing a watched bucket with the table once a day: uploads that no event brought go into the queue of uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from handlers.adapters import BucketListing, ListedObject, ListedPage, NotListedError, UploadQueue
from handlers.adapters.table import Comparison, CurrentUpload, Outcome, Records, Watches, WatchState
from handlers.domain import Record, watch
from handlers.domain.upload import Source, Upload
from handlers.domain.watch import Watch
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import attempt_all
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class CompareUploads:
    """Lists every watched bucket once a UTC day, a few pages a sweep, and sends what the table does not know."""

    _records: Records
    _watches: Watches
    _listing: BucketListing
    _uploads: UploadQueue
    _clock: Clock
    _watched: Mapping[str, Watch]
    # The buckets and days for which this environment has seen a comparison end: a watch need not be read before the next day.
    _compared: set[tuple[str, str]] = field(default_factory=set)

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # it needs no scans
        """Go on with each bucket's comparison; neither one that cannot be listed nor a long one keeps the others back."""
        now = self._clock.now()
        today = watch.day_of(now)
        if now < rules.compared_from(today):
            return
        due = [watched for watched in self._watched.values() if (watched.bucket, today) not in self._compared]
        left = range(len(due), 0, -1)
        steps = (partial(self._attempt, watched, today, until, among) for watched, among in zip(due, left, strict=True))
        attempt_all(steps, lambda: self._clock.now() <= until)

    def _attempt(self, watched: Watch, today: str, until: float, among: int) -> None:
        """Compare a bucket, with an equal share of the time that is left for this and the other buckets (`among` in all).

        One that is gone or may not be listed is left until the next day, which finds what this one would.
        """
        now = self._clock.now()
        try:
            self._compare(watched, today, now + (until - now) / among)
        except NotListedError as error:
            Log().alarm("bucket not compared", bucket=watched.bucket, reason=str(error))
            self._compared.add((watched.bucket, today))

    def _compare(self, watched: Watch, today: str, until: float) -> None:
        state = self._watches.state(watched.bucket)
        if state.since is None:
            return
        if not rules.comparison_due(state, self._clock.now()):
            self._compared.add((watched.bucket, today))
            return
        comparison = state.comparison or Comparison(self._clock.now())
        while self._clock.now() <= until:
            page, done = self._next_page(watched, comparison)
            found = self._missed(watched, page.objects, state, comparison.began_at)
            # Sent before it is noted: dying in between sends a message twice, which registers an upload once.
            self._uploads.send_all(found)
            comparison = replace(comparison, missed=comparison.missed + len(found))
            if done:
                self._end(watched.bucket, comparison, state)
                return
            comparison = replace(comparison, after_key=page.objects[-1].key)
            if self._watches.note_comparison(watched.bucket, comparison, state) is not Outcome.DONE:
                return
            state = replace(state, comparison=comparison)

    def _next_page(self, watched: Watch, comparison: Comparison) -> tuple[ListedPage, bool]:
        """Return the objects that follow in the listing, and whether they are the last ones of the bucket."""
        left = rules.prefixes_after(watched.prefixes, comparison.after_key)
        for number, prefix in enumerate(left, 1):
            page = self._listing.page(watched.bucket, prefix, comparison.after_key)
            if page.objects:
                return page, number == len(left) and not page.more
        return ListedPage((), more=False), True

    def _missed(self, watched: Watch, objects: Sequence[ListedObject], state: WatchState, began_at: float) -> list[Upload]:
        """Return the objects that the watch takes and that are not registered."""
        candidates = [found for found in objects if rules.is_compared(found, watched, state, began_at)]
        if not candidates:
            return []
        currents = self._watches.currents(watched.bucket, [found.key for found in candidates])
        registered = self._registered(currents)
        return [
            Upload(watched.bucket, found.key, None, found.etag, found.size, found.modified_at, Source.COMPARISON)
            for found in candidates
            if rules.is_missed(found, currents.get(found.key), registered)
        ]

    def _registered(self, currents: Mapping[str, CurrentUpload]) -> dict[tuple[str, str], Record]:
        """Return the records to which notes point, by video id and scan id."""
        names = [(current.video_id, current.scan_id) for current in currents.values() if current.scan_id is not None]
        found: dict[tuple[str, str], Record] = {}
        for record in self._records.records(names):
            found[record.video.id, record.scan_id] = record
        return found

    def _end(self, bucket: str, comparison: Comparison, seen: WatchState) -> None:
        if self._watches.end_comparison(bucket, comparison, seen) is not Outcome.DONE:
            return
        if comparison.missed:
            Log().warning("bucket compared: events are missing", bucket=bucket, missed=comparison.missed)
        else:
            Log().info("bucket compared", bucket=bucket)
