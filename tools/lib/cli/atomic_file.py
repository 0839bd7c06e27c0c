"""Files that exist whole or not at all, whatever interrupts their writing: an error, Ctrl-C, a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bytes of a file's name that go into the temporary name, of the 255 that a name may have.
_NAME = 200


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the same folder; what is written there replaces the file when the block ends well.

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
