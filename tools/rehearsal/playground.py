"""The playground: a deployed offline world that stays open for the user's own commands."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

from tools.emulator.shell import exports
from tools.lib.cli import Terminal
from tools.lib.errors import ToolError
from tools.lib.text import printable
from tools.rehearsal.assembly import BUCKET
from tools.rehearsal.output import OutputFolder

if TYPE_CHECKING:
    from tools.emulator.world import World

LOOK_SECONDS = 0.5  # how often new mails and faults are shown
STATE = "playground.state"
EXPORTS = "world/environment.sh"
_PRIVATE = 0o600  # the exports hold the world's keys


def serve(world: World, terminal: Terminal, output: OutputFolder, extra: Mapping[str, str]) -> None:
    """Write the `export` lines that connect a shell to a world, then show what happens in it until a signal ends it.

    Args:
        world: The world, with everything in it.
        terminal: Where to show what happens; the lines go to stdout.
        output: The folder of the world; it must remain.
        extra: Variables for the shell in addition to the world's own.
    """
    with _signals() as stop:
        lines = "\n".join(exports({**world.environment(), **extra}, config=world.directory / "aws-config"))
        path = output.path / EXPORTS
        path.touch(mode=_PRIVATE)
        path.write_text(f"{lines}\n", encoding="utf-8")
        sys.stdout.write(f"{lines}\n")
        sys.stdout.flush()
        terminal.info(_welcome(world, path))
        shown = _Shown(world, terminal)
        while not stop.wait(LOOK_SECONDS):
            output.check()
            shown.show_new()


def require_keeping(output: Path, *, keep: bool) -> None:
    """Refuse to start over where an earlier playground kept its state.

    Raises:
        ToolError: The output has a state, and `keep` is false.
    """
    path = output / STATE
    if path.exists() and not keep:
        raise ToolError(
            f"{output} has the state of an earlier playground.",
            cure="To continue with it, pass --keep; to leave it, choose another --output; to start anew: "
            f"rm {shlex.quote(str(path))}",
        )


def mail_line(path: Path) -> str:
    """Return the subject of a mail and the name of its file."""
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    return f"{printable(str(mail['Subject']))}  ({path.name})"


class _Shown:
    """Shows each mail and each fault of a world once."""

    def __init__(self, world: World, terminal: Terminal) -> None:
        self._world = world
        self._terminal = terminal
        self._mails: set[Path] = set()
        self._faults = set(world.breakage())

    def show_new(self) -> None:
        for path in sorted(self._world.outbox.glob("*.eml")):
            if path not in self._mails:
                self._mails.add(path)
                self._terminal.info(f"Mail: {mail_line(path)}")
        for fault in self._world.breakage():
            if fault not in self._faults:
                self._faults.add(fault)
                self._terminal.info(f"Broken: {printable(fault)}. Logs are in {self._world.directory}.")


def _welcome(world: World, path: Path) -> str:
    speed = world.settings.speed
    passing = "1 second passes" if speed == 1 else f"{speed:g} seconds pass"
    return f"""
The playground is at {world.endpoint}, and {passing} in it for each real one.
In another shell, type the lines above, or

  . {path}

and in that shell, for example:

  python tools/submit_job.py --bucket {BUCKET} --wait
  python tools/control_scan.py status
  python tools/review_report.py
  aws s3 ls s3://{BUCKET} --recursive

Mails are shown here. Press Ctrl-C to end the playground; close the other shell then."""


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Turn the signals that ask a program to end into an event while the block runs."""
    stop = threading.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
