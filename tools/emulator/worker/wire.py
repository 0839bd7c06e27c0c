"""Messages between the service, the zygote and the workers: JSON objects with their length in front, over a Unix socket.

Imports the standard library only: it is loaded in the processes of functions.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from typing import Any

Message = dict[str, Any]
_LENGTH = struct.Struct("!I")


class Channel:
    """One end of a conversation. Sending is safe from any thread; one thread receives."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._sending = threading.Lock()

    def send(self, message: Message, descriptor: int | None = None) -> None:
        """Send a message, and with it a file descriptor if there is one to hand over.

        Raises:
            OSError: The other end is gone.
        """
        body = json.dumps(message).encode()
        with self._sending:
            if descriptor is None:
                self._socket.sendall(_LENGTH.pack(len(body)) + body)
            else:
                socket.send_fds(self._socket, [_LENGTH.pack(len(body))], [descriptor])
                self._socket.sendall(body)

    def receive(self, timeout: float | None = None) -> Message | None:
        """Return the next message, or None when the other end is gone.

        Raises:
            TimeoutError: No whole message came in time; the channel can only be closed then.
        """
        received = self._receive(None if timeout is None else time.monotonic() + timeout, 0)
        return None if received is None else received[0]

    def receive_with_descriptor(self) -> tuple[Message, int | None] | None:
        """Return the next message and the file descriptor that came with it, or None when the other end is gone."""
        return self._receive(None, 1)

    def gone(self) -> bool:
        """Return whether the other end has closed, without waiting."""
        self._socket.settimeout(0)
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Close this process's copy of this end."""
        self._socket.close()

    def end(self) -> None:
        """End the conversation, also for a thread that is just receiving, and close this end."""
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _receive(self, deadline: float | None, descriptors: int) -> tuple[Message, int | None] | None:
        try:
            self._limit(deadline)
            head, received, _, _ = socket.recv_fds(self._socket, _LENGTH.size, descriptors)
            head += self._exactly(_LENGTH.size - len(head), deadline) if head else b""
            if not head:
                return None
            body = self._exactly(_LENGTH.unpack(head)[0], deadline)
        except TimeoutError:
            raise
        except (OSError, EOFError):  # the other end has closed, or another thread this one
            return None
        return json.loads(body), (received[0] if received else None)

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._limit(deadline)
            part = self._socket.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    def _limit(self, deadline: float | None) -> None:
        if deadline is None:
            self._socket.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def pair() -> tuple[Channel, int]:
    """Return one end of a new conversation, and the other's file descriptor, to be handed to another process and closed here."""
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs.detach()


def adopt(descriptor: int) -> Channel:
    """Return the channel behind a file descriptor that was handed over."""
    os.set_inheritable(descriptor, False)
    return Channel(socket.socket(fileno=descriptor))
