"""The HTTP server of the offline world, over a socket."""

import socket
from urllib.parse import urlsplit

import pytest

from tools.emulator.core import Server

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def asked():
    """Return the bodies that the application was asked with."""
    return []


@pytest.fixture
def address(asked):
    """Return where a server listens whose application notes what it is asked with."""

    def application(environ, start_response):
        asked.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"done"]

    server = Server()
    server.start(application)
    yield ("127.0.0.1", urlsplit(server.endpoint).port)
    server.close()


def sent(address, *pieces):
    """Send pieces over one connection, close its sending side, and return all that is answered."""
    with socket.create_connection(address, timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_connection_goes_on(address, asked):
    """Two requests over one connection are both answered."""
    answers = sent(address, HEAD + b"0123456789", HEAD + b"abcdefghij")

    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert asked == [b"0123456789", b"abcdefghij"]


@pytest.mark.parametrize("arrived", [b"", b"012345678"])
def test_a_request_that_was_cut_off_was_never_made(address, asked, arrived, capfd):
    """A request cut off while it is sent does not reach the application, and no error is logged."""
    answers = sent(address, HEAD + arrived)

    assert (answers, asked) == (b"", [])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nabc",
    ],
)
def test_what_is_not_http_is_refused(address, asked, request_bytes, capfd):
    """A target or a length that HTTP does not know gets 400 and ends the connection; the application is not asked."""
    answer = sent(address, request_bytes + HEAD + b"0123456789")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (answer.count(b"HTTP/1.1"), asked) == (1, [])
    assert "Traceback" not in capfd.readouterr().err


def test_chunked_in_any_case(address, asked):
    """The name of the coding is case-insensitive (RFC 9112); what was read wrongly would be taken as the next request."""
    answers = sent(address, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n")

    assert (answers.count(b"HTTP/1.1 200 OK"), asked) == (1, [b"abc"])
