"""Lists a bucket with many requests at once, in the order and with the result of a sequential listing.

The layout of the keys need not be known: one worker starts at the beginning; an idle worker cuts the remaining range of another in
two (`ranges`), requests a page of one key to see whether anything lies beyond the cut, and lists from there. Every key belongs to
exactly one range, whatever is written or deleted meanwhile. Batches that are ahead of their turn wait in the spool.
"""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

from tools.lib.aws import Clients
from tools.lib.errors import ToolError
from tools.lib.listing.client import ListingClient
from tools.lib.listing.filters import Filters
from tools.lib.listing.objects import Batch
from tools.lib.listing.pages import Marker, Page
from tools.lib.listing.ranges import Alphabet, Span, cut_of, remaining_pages
from tools.lib.listing.selection import Selection
from tools.lib.listing.spool import Kept, Spool
from tools.lib.listing.unselected import UnselectedCounts, suffixes_of
from tools.lib.text import printable

# The most requests at once: S3 takes 50 to 200 ms for a page of 1,000 keys, and allows 5,500 a second and prefix.
WORKERS = 32
_LEAST_WORKERS = 4

# Processor time of a page: more workers than the processor can keep up with only contend for Python's global lock.
_PAGE_SECONDS = 0.006

# The first range with this many pages left is cut, so that what comes first is listed first; otherwise the longest one.
WORTH_PAGES = 32
_LEAST_PAGES = 6

_LEARN_EVERY = 100

# The most pages in a row that go beyond no key: ten million versions of one.
_MOST_TRIED = 10_000

# How often progress is reported while no batch is next in order.
_PROGRESS_SECONDS = 0.25

# How long shutdown waits for requests in flight.
_SHUTDOWN_SECONDS = 2.0

# Called with the number of objects that have been listed so far.
Progress = Callable[[int], None]


def list_batches(
    clients: Clients,
    selection: Selection,
    *,
    versioned: bool,
    workers: int = WORKERS,
    progress: Progress | None = None,
    directory: Path | None = None,
    unselected: UnselectedCounts | None = None,
) -> Generator[Batch, None, None]:
    """Yield the objects that pass the selection's filters, in the order of S3's listing; `write_manifest` samples and limits them.

    In a versioned bucket these are the latest versions of the objects that are not deleted, or all versions. Closing the generator
    ends the listing. Batches that wait for their turn take up to 130 bytes for each object in an unnamed file in `directory`.
    `unselected` counts what is not selected only because of its suffix.

    Raises:
        ToolError: The listing cannot be read, or is not in S3's order.
        ClientError: S3 refused.
    """
    stopping = threading.Event()
    client = ListingClient(
        clients,
        selection.bucket,
        connections=workers,
        versioned=versioned,
        all_versions=selection.all_versions,
        sleep=lambda seconds: (stopping.wait(seconds), None)[1],
    )
    spool = Spool(directory or Path(gettempdir()))
    listing = Listing(client, Filters(selection, listed=True), spool, selection.ranges, stopping, unselected=unselected)
    return listing.run(workers, progress or (lambda _: None))


def workers_for(seconds: float, most: int) -> int:
    """Return how many workers keep this processor busy if a page takes this many seconds to arrive."""
    return min(most, max(_LEAST_WORKERS, math.ceil(seconds / _PAGE_SECONDS) + 1))


@dataclass(slots=True, eq=False)
class _Range:
    """The keys beyond `after` and up to `end`, listed by one worker and cut by others.

    Attributes:
        first: The first key of its newest page; "" before there is one.
        last: The last key of that page.
        pages_before_cut: Pages since the last attempt to cut it: a range is not probed more often than it is listed.
        misses: How many cuts in a row had nothing beyond them.
        being_cut: Whether a worker is trying to cut it.
        over: Whether its last page has come.
        done: Whether the batch of that page is in `waiting`, too.
        tried: The markers since a page last went beyond the keys of the one before.
    """

    prefix: str
    after: str = ""
    end: str | None = None
    marker: Marker | None = None
    first: str = ""
    last: str = ""
    pages_before_cut: int = 0
    misses: int = 0
    started: bool = False
    being_cut: bool = False
    over: bool = False
    done: bool = False
    tried: set[Marker | None] = field(default_factory=set)
    waiting: deque[Kept] = field(default_factory=deque)

    @property
    def span(self) -> Span:
        return Span(self.prefix, self.first, self.last, self.end, self.misses)

    @property
    def can_be_cut(self) -> bool:
        """Tell whether a page has come since the last attempt, by which to cut it."""
        return self.started and not self.over and not self.being_cut and self.pages_before_cut > 0


class Listing:
    """The state that the workers share; it changes under one lock only."""

    def __init__(
        self,
        client: ListingClient,
        filters: Filters,
        spool: Spool,
        prefixes: tuple[str, ...],
        stopping: threading.Event,
        *,
        unselected: UnselectedCounts | None = None,
    ) -> None:
        self._client = client
        self._filters = filters
        self._spool = spool
        self._ranges = deque(_Range(prefix) for prefix in prefixes)
        self._alphabet = Alphabet()
        self._stopping = stopping
        self._unselected = unselected or UnselectedCounts()
        self._listed = 0
        self._fault: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._most = 1
        lock = threading.Lock()
        self._arrived = threading.Condition(lock)
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)

    # --- the consumer ----------------------------------------------------------------------------------------------------

    def run(self, workers: int, progress: Progress) -> Generator[Batch, None, None]:
        """Yield the batches in order, and stop the workers however it ends."""
        self._most = workers
        try:
            self._start_workers(1)
            while (kept := self._next(progress)) is not None:
                if batch := self._spool.take(kept):
                    yield batch
            progress(self._listed)
            self._unselected.complete = True
        finally:
            self._stop()
            for thread in tuple(self._threads):
                thread.join(_SHUTDOWN_SECONDS if thread.is_alive() else None)
            self._spool.close()

    def _start_workers(self, count: int) -> None:
        """Start workers until there are this many; the first one starts the others, once it knows how long a page takes."""
        while len(self._threads) < count and not self._stopping.is_set():
            thread = threading.Thread(target=self._worker, name=f"listing-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _next(self, progress: Progress) -> Kept | None:
        """Return the next batch in order, None after the last."""
        while True:
            with self._arrived:
                kept = self._front()
                if kept is not None or not self._ranges:
                    self._room.notify_all()
                    break
                self._arrived.wait(_PROGRESS_SECONDS)
            progress(self._listed)
        progress(self._listed)
        return kept

    def _front(self) -> Kept | None:
        while self._ranges:
            if self._fault is not None:
                raise self._fault
            if self._ranges[0].waiting:
                return self._ranges[0].waiting.popleft()
            if not self._ranges[0].done:
                return None
            self._ranges.popleft()
            self._room.notify_all()  # another range is the first now
        return None

    def _stop(self) -> None:
        self._stopping.set()
        with self._work:
            self._work.notify_all()
            self._room.notify_all()

    # --- the workers -----------------------------------------------------------------------------------------------------

    def _worker(self) -> None:
        try:
            while (mine := self._task()) is not None:
                self._list(mine)
        except BaseException as error:  # noqa: BLE001 - every error must reach the waiting thread
            with self._arrived:
                self._fault = self._fault or error
                self._arrived.notify_all()
            self._stop()

    def _task(self) -> _Range | None:
        """Return a range that is not being listed yet, if need be by cutting another one; None when all ranges are listed."""
        while not self._stopping.is_set():
            with self._work:
                if unstarted := next((one for one in self._ranges if not one.started), None):
                    unstarted.started = True
                    return unstarted
                if all(one.done for one in self._ranges):
                    self._work.notify_all()
                    return None
                if (choice := self._choose()) is None:
                    self._work.wait()
                    continue
                victim, cut = choice
            if mine := self._cut(victim, cut):
                return mine
        return None

    def _choose(self) -> tuple[_Range, str] | None:
        """Return the range to cut, and where; None if none is worth it."""
        longest: tuple[float, _Range] | None = None
        for one in self._ranges:
            if one.can_be_cut:
                pages = remaining_pages(one.span, self._alphabet)
                if longest is None or pages > longest[0]:
                    longest = pages, one
                if pages >= WORTH_PAGES:
                    break
        if longest is None or longest[0] < _LEAST_PAGES:
            return None
        victim = longest[1]
        victim.pages_before_cut = 0
        cut = cut_of(victim.span, self._alphabet)
        if cut is None:
            return None
        victim.being_cut = True
        return victim, cut

    def _cut(self, victim: _Range, cut: str) -> _Range | None:
        """Cut a range in two and return the second part, None if nothing lies beyond the cut."""
        found = self._client.first_beyond(victim.prefix, cut)
        with self._work:
            victim.being_cut = False
            if victim.over or victim.last >= cut:  # the cut was too near: it has been listed meanwhile
                victim.misses = 0
                return None
            if found is None or (victim.end is not None and found > victim.end):
                victim.end = cut
                victim.misses += 1
                return None
            mine = _Range(victim.prefix, after=cut, end=victim.end, started=True)
            victim.end = cut
            victim.misses = 0
            self._ranges.insert(self._ranges.index(victim) + 1, mine)
            return mine

    def _list(self, mine: _Range) -> None:
        while not (mine.done or self._stopping.is_set()):
            began = time.monotonic()
            page = self._client.page(mine.prefix, mine.after, mine.marker)
            if len(self._threads) == 1:
                self._start_workers(workers_for(time.monotonic() - began, self._most))
            batch, unselected = self._filters.split(page.batch)
            self._wait_for_room(mine)
            self._commit(mine, page, batch, unselected)

    def _wait_for_room(self, mine: _Range) -> None:
        with self._room:
            while self._spool.full and not self._stopping.is_set() and (self._ranges[0] is not mine or mine.waiting):
                self._room.wait()

    def _commit(self, mine: _Range, page: Page, batch: Batch, unselected: Sequence[str]) -> None:
        with self._work:
            self._require_order(mine, page)
            self._require_progress(mine, page)
            beyond = mine.end is not None and page.last > mine.end
            if mine.end is not None and beyond:
                batch, unselected = batch.up_to(mine.end), unselected[: bisect_right(unselected, mine.end)]
            if page.first == mine.after:  # some stores begin a page at the key marker instead of behind it
                batch, unselected = batch.beyond(mine.after), unselected[bisect_right(unselected, mine.after) :]
            mine.over = beyond or page.following is None
            mine.marker = page.following
            if page.entries:
                mine.first, mine.last = page.first, page.last
                self._alphabet.learn([page.first, *batch[_LEARN_EVERY::_LEARN_EVERY].keys, page.last])
            mine.pages_before_cut += 1
            self._listed += page.entries
        kept = self._spool.put(batch) if batch else None
        suffixes = suffixes_of(unselected)
        with self._work:
            self._unselected.add(suffixes)
            if kept is not None:
                mine.waiting.append(kept)
            mine.done = mine.over
            self._arrived.notify()
            if mine.done:
                self._work.notify_all()
            else:
                self._work.notify()

    def _require_progress(self, mine: _Range, page: Page) -> None:
        """Refuse a page that leads back to one that has been: such a listing would not end."""
        if page.entries and page.last > mine.last:
            mine.tried.clear()
        mine.tried.add(mine.marker)
        leads_back = page.following in mine.tried or page.following == Marker() or len(mine.tried) > _MOST_TRIED
        if page.following is not None and leads_back:
            place = f"behind {printable(page.last or mine.last or mine.after)!r}"
            raise ToolError(
                f"The listing does not go on: a page {place} says that more follows, but not where.",
                cure="Only S3's general purpose buckets, and stores that list as they do, can be scanned.",
            )

    def _require_order(self, mine: _Range, page: Page) -> None:
        if page.entries and not (mine.after <= page.first <= page.last and mine.last <= page.first):
            pages = f"{printable(page.first)} to {printable(page.last)} comes after {printable(mine.last or mine.after)!r}"
            raise ToolError(
                f"The listing is not in the order of the keys: a page from {pages}.",
                cure="Only S3's general purpose buckets, and stores that list as they do, can be scanned.",
            )
