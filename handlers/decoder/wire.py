"""Messages between the decoder and the process that started it: a JSON object, and bytes.

The decoder waits for an answer to each message that it sends: to `READ` it is the bytes at an offset, to the others the permission
to go on.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")
# Nothing that the decoder has to say is longer.
_LONGEST_HEAD, _LONGEST_DATA = 2**16, 2**23

# What the decoder says, by the key "is".
READ = "read"  # offset, length, until: bytes that are needed now, and where what is needed soon ends
OPENED = "opened"  # kind, duration_ms
FRAME = "frame"  # at_ms, and a JPEG
END = "end"  # decoded_ms, complete
PROBLEM = "problem"  # code, message


def send(stream: BinaryIO, head: dict[str, Any], data: bytes = b"") -> None:
    """Write a message."""
    encoded = json.dumps(head).encode()
    stream.write(_LENGTHS.pack(len(encoded), len(data)) + encoded)
    stream.write(data)
    stream.flush()


def receive(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """Return the next message.

    Args:
        read: Returns as many bytes as asked for, or fewer at the end.

    Raises:
        EOFError: There is none.
        ValueError: It is not a message of the other side's.
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
