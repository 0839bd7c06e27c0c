"""The HTTP server of the offline world, over a socket."""

import socket
from urllib.parse import urlsplit

import pytest

from tools.emulator.server import Server

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
    """Send pieces over one connection, end it on this side, and return all that comes back."""
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
def test_a_request_that_was_broken_off_was_never_made(address, asked, arrived, capfd):
    """Who is killed while sending has asked nothing: the application hears of nothing, and nothing is complained of."""
    answers = sent(address, HEAD + arrived)

    assert (answers, asked) == (b"", [])
    assert capfd.readouterr().err == ""
