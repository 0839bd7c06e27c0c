"""The decoder's program: sends the frames on screen at the times that it is given; it needs PyAV, the tools that start it do not.

Media are hostile, so they are decoded in a process without credentials and with little memory, as `handlers.decoder` says; so are
the messages: after OPENED each answer holds a time and a width, and the next message is that FRAME.
"""

from __future__ import annotations

import sys

from handlers.decoder import FRAME, OPENED, receive, send
from handlers.decoder.__main__ import limit_memory, problem_sent
from handlers.decoder.film import Film
from handlers.decoder.picture import Jpegs
from handlers.decoder.source import RemoteFile

# As FFmpeg counts: half the bytes of the best, and nothing that the eye misses at this size.
_QUALITIES = (7, 12, 20)
# What `Film` wants for `samples`, which are not taken here.
_INTERVAL_MS = 1_000
# A time of a finding is cut to whole milliseconds, so its frame may begin within the millisecond.
_CUT_MS = 0.5


def main() -> None:
    """Send frames until the other process ends this one, or PROBLEM where no frame can be decoded.

    Raises:
        EOFError: The other process has ended.
    """
    limit_memory()
    answers, messages = sys.stdin.buffer, sys.stdout.buffer
    asked, _ = receive(answers.read)
    with problem_sent(messages):
        film = Film(RemoteFile(answers, messages, asked["size"]), _INTERVAL_MS, None)
        send(messages, {"is": OPENED, "kind": film.kind, "duration_ms": film.duration_ms})
        while True:
            asked, _ = receive(answers.read)
            frame = film.shown_at(asked["at_ms"] + _CUT_MS)
            jpeg = Jpegs(asked["width"], _QUALITIES).encode(frame, film.pixel_aspect)
            send(messages, {"is": FRAME, "at_ms": asked["at_ms"]}, jpeg)


if __name__ == "__main__":
    main()
