"""Lists a bucket with many requests at once, in the order and with the outcome of one after another.

How the keys are laid out is unknown, and need not be known: one worker begins at the beginning; one without work cuts what another
still has before it in two (`ranges`), asks with a page of one key whether anything lies beyond the cut, and lists from there. Every
key belongs to exactly one range, whatever is written or deleted meanwhile. What is ahead of its turn waits in the spool.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir

from tools.lib.aws.clients import Clients
from tools.lib.errors import ToolError
from tools.lib.listing.client import ListingClient
from tools.lib.listing.filters import Filters
from tools.lib.listing.objects import Batch
from tools.lib.listing.pages import Marker, Page
from tools.lib.listing.ranges import Alphabet, Span, cut_of, remaining_pages
from tools.lib.listing.selection import Selection
from tools.lib.listing.spool import Kept, Spool
from tools.lib.text import printable

# Requests at once, at most: S3 takes 50 to 200 ms for a page of 1,000 keys, and allows 5,500 a second and prefix.
WORKERS = 32
_LEAST_WORKERS = 4

# What a page costs this processor: workers that are more than it can follow only get in each other's way (Python has one lock).
_PAGE_SECONDS = 0.006

# The first range with so much before it is cut, so that what comes first is listed first; else the longest one.
WORTH_PAGES = 32
_LEAST_PAGES = 6

_LEARN_EVERY = 100

# How often progress is told while nothing arrives in order.
_GLANCE_SECONDS = 0.25

# How long shutdown waits for requests in flight.
_PATIENCE_SECONDS = 2.0

# Hears how many objects have been looked at so far.
Progress = Callable[[int], None]


def list_batches(
    clients: Clients,
    selection: Selection,
    *,
    versioned: bool,
    workers: int = WORKERS,
    progress: Progress | None = None,
    directory: Path | None = None,
) -> Iterator[Batch]:
    """Yield what the selection's filters take, in the order of S3's own listing; sample and limit are left to `write_manifest`.

    Of a versioned bucket the latest version of each object that is not deleted, or all versions. Closing the generator ends the
    listing. What waits for its turn goes to a file without a name in `directory`: up to 130 bytes an object.

    Raises:
        ToolError: The bucket's listing cannot be read, or is in another order than S3's.
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
    listing = Listing(client, Filters(selection, listed=True), spool, selection.ranges, stopping)
    return listing.run(workers, progress or (lambda _: None))


def workers_for(seconds: float, most: int) -> int:
    """Return how many workers keep this processor busy where a page takes this many seconds to arrive."""
    return min(most, max(_LEAST_WORKERS, math.ceil(seconds / _PAGE_SECONDS) + 1))


@dataclass(slots=True, eq=False)
class _Range:
    """A range of keys: beyond `after`, up to `end`; listed by one worker, and cut by others."""

    prefix: str
    after: str = ""
    end: str | None = None
    marker: Marker | None = None
    first: str = ""
    # Of its newest page; "" before there is one.
    last: str = ""
    # Pages since somebody last tried to cut it: a range is not asked about more often than it is listed.
    pages_before_cut: int = 0
    misses: int = 0
    started: bool = False
    # Whether somebody is trying to cut it.
    wanted: bool = False
    # Whether its last page has come; `done` once that waits for its turn.
    over: bool = False
    done: bool = False
    waiting: deque[Kept] = field(default_factory=deque)

    @property
    def span(self) -> Span:
        """Return what is known of it."""
        return Span(self.prefix, self.first, self.last, self.end, self.misses)

    @property
    def can_be_cut(self) -> bool:
        """Tell whether there is something to go by."""
        return self.started and not self.over and not self.wanted and self.pages_before_cut > 0


class Listing:
    """What the workers share. All of it is changed under one lock."""

    def __init__(
        self, client: ListingClient, filters: Filters, spool: Spool, prefixes: tuple[str, ...], stopping: threading.Event
    ) -> None:
        self._client = client
        self._filters = filters
        self._spool = spool
        self._ranges = deque(_Range(prefix) for prefix in prefixes)
        self._alphabet = Alphabet()
        self._stopping = stopping
        self._looked_at = 0
        self._fault: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._most = 1
        lock = threading.Lock()
        self._arrived = threading.Condition(lock)
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)

    # --- the consumer ----------------------------------------------------------------------------------------------------

    def run(self, workers: int, progress: Progress) -> Iterator[Batch]:
        """Yield the batches in order; ends the workers whichever way it ends."""
        self._most = workers
        try:
            self._hire(1)
            while (kept := self._next(progress)) is not None:
                if batch := self._spool.take(kept):
                    yield batch
            progress(self._looked_at)
        finally:
            self._stop()
            for thread in tuple(self._threads):
                thread.join(_PATIENCE_SECONDS if thread.is_alive() else None)
            self._spool.close()

    def _hire(self, count: int) -> None:
        """Have this many workers: the first one, who knows then how long a page takes, has the others called."""
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
                self._arrived.wait(_GLANCE_SECONDS)
            progress(self._looked_at)
        progress(self._looked_at)
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
            self._room.notify_all()  # another one is in front now
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
        except BaseException as error:  # noqa: BLE001 - whatever it is must reach the thread that waits
            with self._arrived:
                self._fault = self._fault or error
                self._arrived.notify_all()
            self._stop()

    def _task(self) -> _Range | None:
        """Return a range that no worker lists yet, one cut from another if need be; None when all are being listed to their end."""
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
        """Return the range to cut, and where."""
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
        victim.wanted = True
        return victim, cut

    def _cut(self, victim: _Range, cut: str) -> _Range | None:
        """Cut a range in two and return the second half, None where nothing lies beyond the cut."""
        found = self._client.first_beyond(victim.prefix, cut)
        with self._work:
            victim.wanted = False
            if victim.over or victim.last >= cut:  # listed meanwhile: it was too near
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
                self._hire(workers_for(time.monotonic() - began, self._most))
            batch = self._filters.apply(page.batch)
            self._wait_for_room(mine)
            self._commit(mine, page, batch)

    def _wait_for_room(self, mine: _Range) -> None:
        with self._room:
            while self._spool.full and not self._stopping.is_set() and (self._ranges[0] is not mine or mine.waiting):
                self._room.wait()

    def _commit(self, mine: _Range, page: Page, batch: Batch) -> None:
        with self._work:
            self._require_order(mine, page)
            beyond = mine.end is not None and page.last > mine.end
            if mine.end is not None and beyond:
                batch = batch.up_to(mine.end)
            if page.first == mine.after:  # a store that takes a key marker for the first key, not for the last one before it
                batch = batch.beyond(mine.after)
            mine.over = beyond or page.following is None
            mine.marker = page.following
            if page.entries:
                mine.first, mine.last = page.first, page.last
                self._alphabet.learn([page.first, *batch[_LEARN_EVERY::_LEARN_EVERY].keys, page.last])
            mine.pages_before_cut += 1
            self._looked_at += page.entries
        kept = self._spool.put(batch) if batch else None
        with self._work:
            if kept is not None:
                mine.waiting.append(kept)
            mine.done = mine.over
            self._arrived.notify()
            if mine.done:
                self._work.notify_all()
            else:
                self._work.notify()

    def _require_order(self, mine: _Range, page: Page) -> None:
        if page.entries and not (mine.after <= page.first <= page.last and mine.last <= page.first):
            pages = f"{printable(page.first)} to {printable(page.last)} comes after {printable(mine.last or mine.after)!r}"
            raise ToolError(
                f"The listing is not in the order of the keys: a page from {pages}.",
                cure="Only S3's general purpose buckets, and stores that list as they do, can be scanned.",
            )
