"""The decoder's program: sends the frames of one object; commands, the object's bytes and frames pass through stdin and stdout."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from handlers.decoder.film import Film
from handlers.decoder.packets import DecodeError
from handlers.decoder.picture import Jpegs, widest_of
from handlers.decoder.source import RemoteFile
from handlers.decoder.wire import END, FRAME, OPENED, PROBLEM, receive, send
from handlers.domain import reasons

# Bytes of writable memory, which is mostly FFmpeg's buffers. Beyond it an allocation fails here, instead of killing the function.
_MOST_MEMORY = 768 * 1024**2


def main() -> None:
    """Send one object's frames, then END, or PROBLEM if it cannot be decoded.

    Raises:
        EOFError: The other process has ended.
    """
    limit_memory()
    answers, messages = sys.stdin.buffer, sys.stdout.buffer
    asked, _ = receive(answers.read)
    with problem_sent(messages):
        film = Film(RemoteFile(answers, messages, asked["size"]), asked["interval_ms"], asked["after_ms"])
        send(messages, {"is": OPENED, "kind": film.kind, "duration_ms": film.duration_ms})
        receive(answers.read)
        jpegs = Jpegs(widest_of(film.kind))
        for at_ms, frame in film.samples():
            send(messages, {"is": FRAME, "at_ms": round(at_ms), "complete": film.complete}, jpegs.encode(frame, film.pixel_aspect))
            receive(answers.read)
        send(messages, {"is": END, "decoded_ms": film.decoded_ms, "complete": film.complete})


@contextmanager
def problem_sent(messages: BinaryIO) -> Iterator[None]:
    """Send PROBLEM if the object cannot be decoded."""
    try:
        yield
    except DecodeError as error:
        send(messages, {"is": PROBLEM, "code": error.code, "message": str(error)})
    except MemoryError:
        send(
            messages, {"is": PROBLEM, "code": reasons.TOO_MANY_PIXELS, "message": "decoding needs more memory than is allowed here"}
        )


def limit_memory() -> None:
    """Make allocations beyond the limit fail; only Linux enforces it."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    main()
