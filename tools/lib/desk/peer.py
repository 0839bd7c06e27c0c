"""Whose program is at the other end of a connection on this machine, where the kernel tells.

The token and the cookie can leak to other users of a machine: the command line that opens a browser is no secret, and a browser
sends the cookies of 127.0.0.1 to every port. Linux lists the owner of each socket.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

# proc(5): the columns of a line, and the state of an open connection. A socket that no program holds any more belongs to user 0.
_LOCAL, _REMOTE, _STATE, _UID = 1, 2, 3, 7
_ESTABLISHED = "01"
_ROOT = 0

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def may_connect(
    client: tuple[str, int], server: tuple[str, int], tables: tuple[Path, ...] = _TABLES, user: int | None = None
) -> bool:
    """Tell whether the program that connected from an address is our user's, or root's; where nothing tells, it may be."""
    lines = [line.split() for table in tables if (text := _read(table)) is not None for line in text.splitlines()[1:]]
    if not lines:
        return True
    ends = {(_written(client, form), _written(server, form)) for form in ("{}", "0000000000000000{1}{0}")}
    owners = [int(line[_UID]) for line in lines if (line[_LOCAL], line[_REMOTE]) in ends and line[_STATE] == _ESTABLISHED]
    return any(owner in {_ROOT, os.getuid() if user is None else user} for owner in owners)


def _read(table: Path) -> str | None:
    try:
        return table.read_text("ascii")
    except OSError:  # another system, or one that hides it
        return None


def _written(address: tuple[str, int], form: str) -> str:
    """Return an address as the kernel writes it: words of the machine's byte order, also of an IPv4 address in an IPv6 socket."""
    host, mapped = (f"{int.from_bytes(octets, sys.byteorder):08X}" for octets in (socket.inet_aton(address[0]), b"\0\0\xff\xff"))
    return f"{form.format(host, mapped)}:{address[1]:04X}"
