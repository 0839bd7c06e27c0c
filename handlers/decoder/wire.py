"""Messages between the decoder and the process that started it: each is a JSON object (the head) followed by bytes (the data).

The decoder waits for an answer to each message except the last, `END` or `PROBLEM`. The answer to `READ` has the bytes as its data;
that to `OPENED` or `FRAME` is empty and lets the decoder continue.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")
# The decoder's own messages are far shorter; whatever exceeds this is not one of them.
_LONGEST_HEAD, _LONGEST_DATA = 2**16, 2**23

# What the key "is" of the decoder's messages says, with their further keys.
READ = "read"  # offset, length: the bytes needed now; until: where what is needed soon ends
OPENED = "opened"  # kind, duration_ms
FRAME = "frame"  # at_ms, complete: whether no hole was found up to it; and a JPEG
END = "end"  # decoded_ms, complete
PROBLEM = "problem"  # code, message


def send(stream: BinaryIO, head: dict[str, Any], data: bytes = b"") -> None:
    """Write a message and flush the stream."""
    encoded = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(encoded), len(data)) + encoded)
    stream.write(data)
    stream.flush()


def receive(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """Return the next message's head and data.

    Args:
        read: Returns as many bytes as requested, fewer at the end of the stream.

    Raises:
        EOFError: The stream ended before or within a message.
        ValueError: The bytes are not a message, or one longer than allowed.
    """
    lengths = read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        raise EOFError("the other process has ended")
    of_head, of_data = _LENGTHS.unpack(lengths)
    if of_head > _LONGEST_HEAD or of_data > _LONGEST_DATA:
        raise ValueError(f"a message of {of_head} and {of_data} bytes")
    head, data = read(of_head), read(of_data)
    if len(head) + len(data) < of_head + of_data:
        raise EOFError("the other process has ended")
    decoded = json.loads(head)
    if not isinstance(decoded, dict):
        raise ValueError("a message without keys")  # noqa: TRY004  # the other side's mistake, not the caller's
    return decoded, data
