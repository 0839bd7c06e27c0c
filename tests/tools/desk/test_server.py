"""The desk's port and its program: who may connect, how it ends, and what starting it costs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.tools.desk.conftest import Browser
from tests.tools.review_doubles import SCAN, add_flagged, add_scan, review
from tools.lib.desk import peer, server
from tools.lib.desk.peer import may_connect
from tools.lib.errors import ToolError

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _scan(account):
    """A scan with one video."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4")


@pytest.fixture(name="interrupt")
def _interrupt(monkeypatch):
    """Press Ctrl-C once the desk is served."""
    run = server.uvicorn.Server.run

    def interrupted(self, sockets):
        def press():
            while not self.started:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press).start()
        run(self, sockets)

    monkeypatch.setattr(server.uvicorn.Server, "run", interrupted)


def test_ctrl_c(account, interrupt):
    """Ctrl-C closes the desk, which is how a session ends: exit code 0, and how many decisions were written."""
    result = review(account, "serve", "--no-browser")

    assert (0, f"The desk is closed: 0 decisions about {SCAN} written.\n") == (result.exit_code, result.stdout)
    assert "The desk is at http://127.0.0.1:" in result.stderr
    assert "Interrupted" not in result.stderr


def test_browser(account, monkeypatch):
    """The browser is opened by a file that only its user can read: the arguments of a program are no secret.

    The desk is served while the program runs that shows it, as browsers of a terminal do until they are left.
    """
    opened, answers = [], []

    def look_until_left(uri):
        path = Path(unquote(urlsplit(uri).path))
        page = path.read_text("utf-8")
        opened.append((uri, page, path.parent.stat().st_mode & 0o077, path))
        address = page.partition("url=")[2].partition('"')[0]
        answers.append(Browser(urlsplit(address).port).enter(address).status)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(webbrowser, "open", look_until_left)

    result = review(account, "serve")

    ((uri, page, others, path),) = opened
    address = result.stderr.partition("The desk is at ")[2].split()[0]
    assert (True, False) == (uri.startswith("file://"), "token" in uri)
    assert f"url={address}" in page
    assert (0, False) == (others, path.exists())
    assert ([303], 0) == (answers, result.exit_code)


def test_streams_are_cut(account, serving, put_film):
    """A film that is still being read when the desk is closed is cut off within a second or so."""
    add_scan(account, "b.mp4", scan_id="01K742SG00000G40R40M30E20B")
    add_flagged(account, "b.mp4", scan_id="01K742SG00000G40R40M30E20B", facts=put_film("b.mp4", bytes(20_000_000)))
    with serving("01K742SG00000G40R40M30E20B") as desk:
        browser = desk.browser()
        browser.enter(desk.address)
        (found,) = browser.page()["flagged"]
        playing = browser.connect()
        playing.request("GET", f"/media/01K742SG00000G40R40M30E20B/{found['id']}", headers={"Cookie": browser.cookie})
        playing.getresponse().read(1)
        began = time.monotonic()
        desk.server.stop()
        desk.until(lambda: desk.server._socket.fileno() == -1)

    playing.close()
    assert time.monotonic() - began < 5


def test_port(serving):
    """The desk listens on the port that is asked for, of 127.0.0.1 only."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with serving(port=port) as desk:
        assert ("127.0.0.1", port) == desk.server._socket.getsockname()


def test_port_in_use(serving):
    """A port that another program uses is refused with what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with (
            pytest.raises(ToolError, match=r"Port \d+ of 127\.0\.0\.1 cannot be used") as error,
            serving(port=other.getsockname()[1]),
        ):
            pass

    assert "--port" in error.value.cure


def test_port_of_a_desk_that_reads(account):
    """A desk has its port before it has read its review: another one is refused meanwhile, and does not fail later."""
    first = server._bound(0)
    with closing(first), pytest.raises(ToolError, match="cannot be used"):
        server._bound(first.getsockname()[1])


def test_unknown_scan(account):
    """An unknown scan is output to be so before anything is served."""
    result = review(account, "serve", "01K742SG00000G40R40M30E20Z", "--no-browser")

    assert (1, True) == (result.exit_code, "There is no scan 01K742SG00000G40R40M30E20Z" in result.stderr)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 500])
def test_slow_head(serving, monkeypatch, sent):
    """A connection that does not send the head of a request in time is closed."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    with serving() as desk, socket.create_connection(("127.0.0.1", desk.port), timeout=20) as slow:
        slow.sendall(sent)

        assert b"" == _rest(slow)


def test_slow_second_head(serving, monkeypatch):
    """So is one that sent a first request in time."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    with serving() as desk, socket.create_connection(("127.0.0.1", desk.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        slow.recv(100_000)
        slow.sendall(b"GET / HT")

        assert b"TP" not in _rest(slow)


def _rest(connection):
    """Return what a connection says until it is closed."""
    found = b""
    try:
        while data := connection.recv(100_000):
            found += data
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"x" * 100_000,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
)
def test_no_http(serving, sent):
    """What is not HTTP, or names two hosts, gets an error or nothing, and the desk goes on."""
    with serving() as desk:
        with socket.create_connection(("127.0.0.1", desk.port), timeout=20) as other:
            other.sendall(sent)
            assert b" 200 " not in other.recv(100)
        browser = desk.browser()
        assert 303 == browser.enter(desk.address).status


def test_many_connections(serving, monkeypatch):
    """Connections that someone leaves open do not keep the browser out for longer than they may wait."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(server, "may_connect", lambda *_: True)
    with serving() as desk:
        idle = [socket.create_connection(("127.0.0.1", desk.port)) for _ in range(server.MOST_CONNECTIONS + 20)]
        browser = desk.browser()
        desk.until(lambda: browser.enter(desk.address).status == 303)
        for each in idle:
            each.close()


@pytest.mark.slow
def test_lean_start():
    """Only `serve` imports the server: every other command starts as fast as before."""
    output = "import sys; import tools.review_report; print(sorted({'starlette', 'uvicorn', 'anyio', 'av'} & set(sys.modules)))"

    assert (
        "[]" == subprocess.run([sys.executable, "-c", output], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    )


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
CLIENT, SERVER = ("127.0.0.1", 0xABCD), ("127.0.0.1", 0x1F90)


def line(local, remote, state="01", user=1000):
    """Return a line of proc's table of sockets."""
    return (
        f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {user:5} 0 4711 1 0000000000000000 20 4 30 10 -1\n"
    )


LOOPBACK = "0100007F" if sys.byteorder == "little" else "7F000001"
MAPPED = ("0000000000000000FFFF0000" if sys.byteorder == "little" else "00000000000000000000FFFF") + LOOPBACK
ENDS = f"{LOOPBACK}:ABCD", f"{LOOPBACK}:1F90"


@pytest.mark.parametrize(
    ("lines", "may"),
    [
        ([line(*ENDS)], True),
        ([line(*ENDS, user=0)], True),
        ([line(*ENDS, user=1001)], False),
        ([line(*ENDS, "06", 0)], False),  # TIME_WAIT: the program has gone
        ([line(*reversed(ENDS))], False),  # our own end
        ([line(f"{LOOPBACK}:ABCE", ENDS[1])], False),
        ([line("0500000A:ABCD", ENDS[1]), line(*ENDS, user=1001)], False),
        ([line(f"{MAPPED}:ABCD", f"{MAPPED}:1F90")], True),
        ([line(f"{MAPPED}:ABCD", f"{MAPPED}:1F90", user=1001)], False),
    ],
)
def test_other_user(tmp_path, lines, may):
    """Where the kernel lists the owners of sockets, programs of other users get nothing, also by an IPv6 socket."""
    table = tmp_path / "tcp"
    table.write_text(HEAD + "".join(lines))

    assert may == may_connect(CLIENT, SERVER, (table, tmp_path / "none"), user=1000)


def test_no_table(tmp_path):
    """Where it does not, the token and the cookie decide."""
    assert may_connect(CLIENT, SERVER, (tmp_path / "none",))


def test_our_own(serving, monkeypatch):
    """Where the kernel has a table, a connection of this process is found in it as that of its user, who may be root."""
    monkeypatch.setattr(peer, "_ROOT", -1)
    with serving() as desk, socket.create_connection(("127.0.0.1", desk.port)) as ours:
        ends = ours.getsockname(), ours.getpeername()
        assert may_connect(*ends)
        assert may_connect(*ends, user=os.getuid() + 1) != Path("/proc/net/tcp").exists()


def test_refused_connection(serving, monkeypatch):
    """A connection of another user is closed before anything is read from it."""
    monkeypatch.setattr(server, "may_connect", lambda *_: False)
    with serving() as desk, socket.create_connection(("127.0.0.1", desk.port), timeout=20) as other:
        assert b"" == _rest(other)
