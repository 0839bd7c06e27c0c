"""The decoder's process as seen from the function: started, supplied with bytes, and killed at the end or at a timeout."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, BinaryIO, cast

from handlers.adapters.media.ranges import Ranges
from handlers.decoder import READ, receive, send

# How long the decoder may compute for a step: to open a film, or to get from one frame to the next, without reading from S3.
STEP_SECONDS = 60.0
# The only variables that the decoder inherits: everything else, credentials above all, is kept from what decodes hostile files.
_ENVIRONMENT = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE")
COMMAND = (sys.executable, "-P", "-m", "handlers.decoder")
# FFmpeg reads 32 KiB at once, or a whole packet.
_LONGEST_READ = 2**23


class DecoderFailedError(Exception):
    """The decoder crashed, took too long, or sent an invalid message."""


class Decoder:
    """A running decoder; `close` ends it."""

    def __init__(self, ranges: Ranges, *, command: tuple[str, ...] = COMMAND, step_seconds: float = STEP_SECONDS) -> None:
        self._ranges = ranges
        self._step_seconds = step_seconds
        self._left = 0.0
        environment = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._answers, self._messages = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)

    def step(self, **asked: Any) -> tuple[dict[str, Any], bytes]:  # noqa: ANN401  # values of JSON
        """Let the decoder continue, answer its reads, and return its next message of another kind.

        `asked` is the command: that of the first step or, where the decoder waits for one, what it shall send next.

        Raises:
            DecoderFailedError: The decoder failed; no further step is possible.
            ReadTooMuchError: It read far more than the object has.
        """
        self._left = self._step_seconds
        answer, data = asked, b""
        while True:
            message, content = self._exchange(answer, data)
            if message.get("is") != READ:
                return message, content
            answer, data = {}, self._read(message)

    def kill(self) -> None:
        """Kill the process, whatever it is doing; for any thread: the `step` of another one fails."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, and wait for its end."""
        self.kill()
        self._process.wait()
        self._messages.close()
        with suppress(OSError):  # closing flushes what was not sent yet
            self._answers.close()

    def _exchange(self, answer: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            send(self._answers, answer, data)
            return receive(self._receive)
        except (EOFError, BrokenPipeError) as error:
            self._process.kill()
            raise DecoderFailedError(_ending(self._process.wait())) from error
        except ValueError as error:
            raise DecoderFailedError(f"FFmpeg's process sent {error}") from error

    def _receive(self, length: int) -> bytes:
        """Return the next `length` bytes that the decoder writes, fewer if it has ended.

        Raises:
            DecoderFailedError: The step's time is over.
        """
        parts = []
        while length:
            began = time.monotonic()
            ready, _, _ = select.select([self._messages], [], [], self._left)
            self._left -= time.monotonic() - began
            if not ready or self._left <= 0:
                raise DecoderFailedError(f"FFmpeg needs more than {self._step_seconds:g} seconds for a frame")
            part = os.read(self._messages.fileno(), length)
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _read(self, message: dict[str, Any]) -> bytes:
        offset, length, until = (message.get(name) for name in ("offset", "length", "until"))
        if not (isinstance(offset, int) and isinstance(length, int) and isinstance(until, int)):
            raise DecoderFailedError("FFmpeg's process sent a message without numbers")
        if not 0 <= offset < self._ranges.size or not 0 < length <= _LONGEST_READ:
            raise DecoderFailedError(
                f"FFmpeg's process requested the bytes from {offset} to {offset + length}, of {self._ranges.size}"
            )
        return self._ranges.read(offset, length, until)


def _ending(code: int) -> str:
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"FFmpeg's process ended ({how})"
