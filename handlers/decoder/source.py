"""The object as a file for FFmpeg, whose bytes come from the process that started this one."""

from __future__ import annotations

import os
from typing import BinaryIO

from handlers.decoder.wire import READ, receive, send

# How much FFmpeg reads at once, so that it may read this much beyond what it needs.
BUFFER = 32 * 1024


class RemoteFile:
    """A file object for `av.open` of `size` bytes; each read is a READ message and its answer."""

    def __init__(self, answers: BinaryIO, messages: BinaryIO, size: int) -> None:
        self.size = size
        self._answers, self._messages = answers, messages
        self._at = 0
        self._until = 0

    def expect(self, until: int) -> None:
        """Announce that everything up to an offset will be read, so that it can be fetched at once."""
        self._until = until + BUFFER

    def seekable(self) -> bool:
        """Tell FFmpeg that it may jump."""
        return True

    def read(self, length: int) -> bytes:
        """Return up to `length` bytes from the current position, none at the end of the object."""
        length = min(length, self.size - self._at)
        if length <= 0:
            return b""
        send(self._messages, {"is": READ, "offset": self._at, "length": length, "until": self._until})
        _, data = receive(self._answers.read)
        self._at += len(data)
        return data

    def peek(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from an offset, and leave the current position as it is."""
        at, self._at = self._at, offset
        parts = []
        while length and (part := self.read(length)):
            parts.append(part)
            length -= len(part)
        self._at = at
        return b"".join(parts)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position as `io.IOBase.seek` does, without reading."""
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        """Return the current position in bytes."""
        return self._at
