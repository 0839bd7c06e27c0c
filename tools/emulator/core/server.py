"""An HTTP server for a WSGI application that keeps connections open.

moto's own server (werkzeug's) closes every connection and then waits 10 ms: 70 calls a second instead of several hundred
(measured).
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

HOST = "127.0.0.1"
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
_BODILESS = (204, 304)


class Server:
    """Serves an application on the loopback address from `start` until `close`; takes its port when it is made."""

    def __init__(self, port: int = 0) -> None:
        """Take a port; 0 for any free one.

        Raises:
            OSError: The port is in use.
        """
        self._application: Application = _unavailable
        # werkzeug, given a port that is in use, prints and ends the process.
        with socket.create_server((HOST, port)) as taken:
            self._server = _HttpServer(HOST, port, self._answer, handler=_Handler, fd=taken.fileno())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="server", daemon=True
        )

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def start(self, application: Application) -> None:
        self._application = application
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and end the open connections too."""
        self._application = _unavailable
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def _answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self._application(environ, start_response)


class _HttpServer(ThreadedWSGIServer):
    daemon_threads = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - werkzeug's
        super().__init__(*args, **kwargs)
        self._connections: WeakSet[socket.socket] = WeakSet()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        self._connections.add(request)
        super().process_request(request, client_address)

    def end_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client has closed it already


class _Handler(MotoRequestHandler):  # type: ignore[misc] # moto is untyped
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request: read its whole body, then write the whole answer, so that the connection can go on.

        A request cut short because its sender was killed counts as never made.
        """
        try:
            environ = self._environ()
        except ValueError:  # the target or the length is not valid HTTP
            self.send_error(HTTPStatus.BAD_REQUEST)
            self.close_connection = True
            return
        if environ is None:
            self.close_connection = True
            return
        started: list[Any] = []
        body = read_all(self.server.app(environ, lambda *given: started.append(given)))
        self._write(started[-1][0], started[-1][1], body)

    def _environ(self) -> dict[str, Any] | None:
        environ: dict[str, Any] = self.make_environ()
        environ["HTTP_HOST"] = self._host()
        chunked = environ.pop("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        length = _length(environ.get("CONTENT_LENGTH") or "0")
        body = environ["wsgi.input"].read() if chunked else self.rfile.read(length)
        if not chunked and len(body) < length:
            return None
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return environ

    def _host(self) -> str:
        """Return the host that the request names in its target or in Host; several are joined, so that they match no host."""
        named = self.headers.get_all("Host", [])
        target = urlsplit(self.path)
        if target.scheme and target.netloc and named != [target.netloc]:
            named.append(target.netloc)
        return ",".join(named)

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if int(code) not in _BODILESS and not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self._headers_buffer.append(b"\r\n")  # as end_headers does, except that headers and body go out in one write
        if self.command != "HEAD":
            self._headers_buffer.append(body)
        self.flush_headers()

    def log_request(self, *_: object) -> None:
        """Log nothing: the ledger has every request."""


def read_all(answer: Iterable[bytes]) -> bytes:
    """Return the body of a WSGI answer, and close it as WSGI demands."""
    try:
        return b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _unavailable(_: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []
