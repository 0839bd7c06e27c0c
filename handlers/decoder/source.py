"""The object as a file that FFmpeg reads; the process that started this one has the bytes."""

from __future__ import annotations

import os
from typing import BinaryIO

from handlers.decoder.wire import READ, receive, send

# FFmpeg reads that much at once, so up to as much beyond what it needs.
BUFFER = 32 * 1024


class RemoteFile:
    """An object of `size` bytes."""

    def __init__(self, answers: BinaryIO, messages: BinaryIO, size: int) -> None:
        self.size = size
        self._answers, self._messages = answers, messages
        self._at = 0
        self._until = 0

    def expect(self, until: int) -> None:
        """Let the next reads fetch everything up to an offset at once."""
        self._until = until + BUFFER

    def seekable(self) -> bool:
        """Tell FFmpeg that it may jump."""
        return True

    def read(self, length: int) -> bytes:
        """Return bytes from where it is, none at the end."""
        length = min(length, self.size - self._at)
        if length <= 0:
            return b""
        send(self._messages, {"is": READ, "offset": self._at, "length": length, "until": self._until})
        _, data = receive(self._answers.read)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere."""
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        """Return where it is."""
        return self._at
