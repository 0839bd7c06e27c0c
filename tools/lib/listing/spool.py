"""A queue's storage in bounded memory: the first batches are kept in memory, the others in an unnamed file."""

from __future__ import annotations

import marshal
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.lib.listing.objects import Batch

# Batches, of about 350 kB each.
IN_MEMORY = 48

# Bytes, about 130 for each object. Once it is full, workers that are ahead wait.
ON_DISK = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class Spilled:
    """A batch in the file."""

    offset: int
    length: int


Kept = Batch | Spilled


class Spool:
    """Stores batches for many threads; the caller keeps what `put` returns, and the order.

    Args:
        directory: Where the file is made when it is needed; it disappears with the process, however that ends.
    """

    def __init__(self, directory: Path, *, in_memory: int = IN_MEMORY, on_disk: int = ON_DISK) -> None:
        self._directory = directory
        self._in_memory = in_memory
        self._on_disk = on_disk
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._held = 0
        self._spilled = 0
        self._end = 0

    @property
    def full(self) -> bool:
        """Tell whether the file is as large as it may become."""
        return self._spilled >= self._on_disk

    def put(self, batch: Batch) -> Kept:
        """Store a batch and return what to pass to `take`."""
        with self._lock:
            if self._held < self._in_memory:
                self._held += 1
                return batch
        body = marshal.dumps(batch.columns)
        with self._lock:
            place = Spilled(self._end, len(body))
            self._end += len(body)
            self._spilled += len(body)
            file = self._opened()
        # No lock: no other thread writes to this part of the file.
        written = 0
        while written < len(body):
            written += os.pwrite(file.fileno(), memoryview(body)[written:], place.offset + written)
        return place

    def take(self, kept: Kept) -> Batch:
        """Return a batch and forget it."""
        if isinstance(kept, Batch):
            with self._lock:
                self._held -= 1
            return kept
        with self._lock:
            file = self._opened()
        batch = Batch(*marshal.loads(os.pread(file.fileno(), kept.length, kept.offset)))  # noqa: S302 - what `put` wrote
        with self._lock:
            self._spilled -= kept.length
            if not self._spilled:
                file.truncate(0)
                self._end = 0
        return batch

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - open until `close`
        return self._file
