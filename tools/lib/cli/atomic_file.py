"""Files that are there wholly or not at all, whatever breaks off their making: an error, Ctrl-C, a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = 200
"""Bytes of a file's name that go into the name beside it, of the 255 that one may have."""


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield the name beside a file under which to write it; it takes its place when the block ends well.

    Until then, and where the block ends in an exception, what stood there before stays. A block that leaves nothing under the name
    it was given changes nothing either.
    """
    name = os.fsdecode(os.fsencode(path.name)[:_NAME])
    part = path.with_name(f".{name}.{os.getpid()}.part")
    try:
        yield part
        if part.exists():
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def kept_if_done(*paths: Path) -> Iterator[None]:
    """Make room for files that are written while the block runs, and remove them all where it ends in an exception."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:  # Ctrl-C too: half a file must not look like a whole one
        for path in paths:
            path.unlink(missing_ok=True)
        raise
