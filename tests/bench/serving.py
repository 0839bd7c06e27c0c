"""A local server for a benchmark, in a process of its own: what is measured must not wait for Python's lock in here."""

import multiprocessing
import socket
import threading
from contextlib import contextmanager

_CONTEXT = multiprocessing.get_context("spawn")
_BACKLOG = 128


@contextmanager
def served(prepare, *arguments):
    """Serve while the block runs; yield the endpoint.

    `prepare(*arguments)` is called in the other process and returns what talks over a connection until it is at its end.
    """
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_serve, args=(prepare, arguments, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(prepare, arguments, answer):
    talk = prepare(*arguments)
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    answer.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=talk, args=(connection,), daemon=True).start()
