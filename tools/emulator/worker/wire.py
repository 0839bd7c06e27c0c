"""Messages between the emulator, the zygote and the processes of functions: JSON objects over Unix sockets."""

from __future__ import annotations

import json
import os
import socket
import threading
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

Message = dict[str, Any]


class Channel:
    """One end of a conversation; any thread may send, one at a time may receive.

    It is closed with the last reference to it, so that no thread closes it while another receives.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._connection = Connection(descriptor)
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Write a message as JSON; several threads may send at the same time.

        Raises:
            OSError: The other end is closed.
        """
        with self._sending:
            self._connection.send_bytes(json.dumps(message).encode())

    def receive(self, timeout: float | None = None) -> Message | None:
        """Return the next message, or None if the other end is closed.

        Raises:
            TimeoutError: No message came in time.
        """
        try:
            arrived = self._connection.poll(timeout)
            message: Message | None = json.loads(self._connection.recv_bytes()) if arrived else None
        except (EOFError, OSError):
            return None
        if not arrived:
            raise TimeoutError
        return message

    def send_descriptor(self, descriptor: int) -> None:
        """Hand a file descriptor over to the process at the other end."""
        reduction.send_handle(self._connection, descriptor, None)

    def receive_descriptor(self) -> int:
        """Take over a file descriptor that the other end hands over after its last message."""
        return reduction.recv_handle(self._connection)

    def gone(self) -> bool:
        """Return whether the other end, which has nothing to send, is closed."""
        return self._connection.poll()

    def close(self) -> None:
        """Close this end at once."""
        self._connection.close()


def pair() -> tuple[Channel, int]:
    """Return one end of a new conversation, and the file descriptor of the other, to be handed over and then closed here."""
    ours, theirs = socket.socketpair()
    return Channel(ours.detach()), theirs.detach()
