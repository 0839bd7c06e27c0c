"""Files that are complete or absent, whatever interrupts their writing: an error, Ctrl-C, a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bytes of the file's name that are used in the temporary name, which may have 255.
_NAME = 200


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; what the block writes there replaces the file when the block succeeds.

    If the block raises an exception or writes no file, the existing file is left alone.
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
    """Create the folders of files that the block writes, and remove the files if it raises an exception."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:  # Ctrl-C too: an incomplete file must not look complete
        for path in paths:
            path.unlink(missing_ok=True)
        raise
