"""The desk's port: HTTP on 127.0.0.1, for programs of the user who started it, until Ctrl-C."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from handlers.domain import Scan
from handlers.domain.languages import ENGLISH, LANGUAGES
from tools.lib.cli import Invocation, as_tool_error
from tools.lib.desk.admission import Admission
from tools.lib.desk.application import Desk
from tools.lib.desk.frames import MOST_DECODERS, Frames
from tools.lib.desk.media import MOST_REQUESTS, S3Reader, Streams
from tools.lib.desk.peer import may_connect
from tools.lib.desk.reviews import Reviews
from tools.lib.errors import ToolError
from tools.lib.review import SampleChoice

HOST = "127.0.0.1"
# Seconds in which a connection must have sent the head of its request.
HEAD_SECONDS = 10.0
# Connections at the same time. A browser opens 6.
MOST_CONNECTIONS = 256
# Seconds that requests have to end after Ctrl-C; films that stream are cut then.
_LAST_SECONDS = 1


class DeskServer:
    """A desk that listens on a port as long as it exists.

    Attributes:
        address: The first address, which has the token.
    """

    def __init__(self, run: Invocation, scans: Sequence[Scan], sample: SampleChoice, *, decided_by: str, port: int) -> None:
        self._socket = _bound(port)
        port = self._socket.getsockname()[1]
        reviews = Reviews(run, scans, sample)
        first = reviews.get()  # what is wrong with the scan is said before a browser opens
        s3 = run.clients.reader(MOST_REQUESTS + MOST_DECODERS)
        frames = Frames(s3, run.clock)
        language = LANGUAGES.get(run.deployment.language, ENGLISH)
        streams = Streams(S3Reader(s3, run.clock), language)
        self._desk = Desk(reviews, streams, frames, language, decided_by, lambda error: run.terminal.error(as_tool_error(error)))
        self._desk.page_of(first)  # so that the browser need not wait for it
        admission = Admission(self._desk.application(), port, language)
        self.address = f"http://{HOST}:{port}/?token={admission.token}"
        self._server = _Server(
            uvicorn.Config(
                admission,
                http=_Connection,
                loop="asyncio",
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                log_level="critical",  # the desk itself says what went wrong
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=_LAST_SECONDS,
            ),
            frames,
        )

    def run(self) -> None:
        """Serve until Ctrl-C, or until `stop`."""
        try:
            self._server.run([self._socket])
        except KeyboardInterrupt:
            pass  # uvicorn passes it on once everything is closed
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Have `run` end; for another thread."""
        self._server.should_exit = True

    @property
    def decisions(self) -> int:
        """Return how many decisions were written."""
        return self._desk.written


class _Server(uvicorn.Server):
    """Cuts, in the end, what still has something to send: a player that is paused would never take it.

    Decoders are killed first: a request is not over while a thread waits for one.
    """

    def __init__(self, config: uvicorn.Config, frames: Frames) -> None:
        super().__init__(config)
        self._frames = frames

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._frames.close()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)  # in which they are closed


class _Connection(H11Protocol):
    """A connection that is closed if it is another user's, or if the head of a request takes too long."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        if self.client is None or self.server is None or not may_connect(self.client, (self.server[0], self.server[1] or 0)):
            transport.abort()
            return
        self._overdue = self.loop.call_later(HEAD_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            self._in_time()
        elif self._overdue is None:
            self._overdue = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def _bound(port: int) -> socket.socket:
    """Return a socket that listens on a port of this machine, 0: on a free one.

    It listens at once: until then Linux lets a second program have the port as well.

    Raises:
        ToolError: Another program uses the port.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise ToolError(f"Port {port} of {HOST} cannot be used: {error.strerror}.", cure="Pass another --port, or none.") from error
    return bound
