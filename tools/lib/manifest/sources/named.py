"""Objects that a person names one by one: what can be a key, which ones are repeated, and batches of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice, pairwise
from typing import IO

from handlers.domain.identity import MAX_KEY_BYTES
from tools.lib.aws import path_of
from tools.lib.listing import UNKNOWN_SIZE, Batch
from tools.lib.text import counted

_BATCH = 1_000
_DIGEST, _NUMBER = 12, 8


@dataclass(frozen=True, slots=True)
class Named:
    """One object as it is named: its line, its key, and its version or None."""

    line: int
    key: str
    version_id: str | None = None


def fault_of(key: str) -> str | None:
    """Return why a text cannot be a key, or None."""
    if not key:
        return "names no key"
    if "\0" in key:
        return "has a NUL in its key, which S3 Batch Operations does not take"
    if len(key.encode()) > MAX_KEY_BYTES:
        return f"has a key of {len(key.encode()):,} bytes; S3 takes {MAX_KEY_BYTES:,}"
    return None


def batches_of(named: Iterable[Named], repeats: Repeats) -> Iterator[Batch]:
    """Yield named objects as batches and note repeated ones; sizes and times are unknown."""
    rest = iter(named)
    while some := list(islice(rest, _BATCH)):
        for each in some:
            repeats.see(each)
        blank = [""] * len(some)
        versions = [each.version_id or "" for each in some] if some[0].version_id is not None else None
        paths = [path_of(each.key) for each in some]
        yield Batch(paths, [UNKNOWN_SIZE] * len(some), versions, ["STANDARD"] * len(some), blank, blank)


@dataclass(slots=True)
class Repeats:
    """Finds repeated objects on disk, with 20 bytes for each object, so that memory does not grow with their number.

    Two objects with the same 96 bits of hash would be taken for one: with a thousand million objects, once in 10^11 runs.
    """

    _files: dict[int, IO[bytes]] = field(default_factory=dict)

    def see(self, named: Named) -> None:
        digest = blake2b(f"{named.key}\n{named.version_id or ''}".encode(), digest_size=_DIGEST).digest()
        bucket = digest[0]
        if bucket not in self._files:
            self._files[bucket] = tempfile.TemporaryFile()  # noqa: SIM115 - kept open until `found`
        self._files[bucket].write(digest + named.line.to_bytes(_NUMBER, "big"))

    def found(self) -> tuple[int, tuple[int, int] | None]:
        """Return how many lines repeat an object, and the first of them with the line that it repeats."""
        count, first = 0, None
        for file in self._files.values():
            file.seek(0)
            content = file.read()
            file.close()
            entries = sorted(content[at : at + _DIGEST + _NUMBER] for at in range(0, len(content), _DIGEST + _NUMBER))
            for before, after in pairwise(entries):  # repeats are neighbours
                if before[:_DIGEST] == after[:_DIGEST]:
                    count += 1
                    pair = (int.from_bytes(after[_DIGEST:], "big"), int.from_bytes(before[_DIGEST:], "big"))
                    first = min(first or pair, pair)
        self._files.clear()
        return count, first

    def warnings(self) -> list[str]:
        count, first = self.found()
        if first is None:
            return []
        which = f"first, line {first[0]:,} repeats line {first[1]:,}"
        return [f"{counted(count, 'repeated line')} ({which}): each object is scanned once, and counted as often as it is named."]
