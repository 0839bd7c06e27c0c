"""Waiting for what the offline world is to bring about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from tools.emulator.world import World

LOOK_SECONDS = 0.2  # how often to check whether it is there

# A wait is measured in invocations, because a slow machine is slow at everything: fewer than this end before what is waited for.
MOST_INVOCATIONS = 100

# Longer than any function runs: if none has ended for that long, none will.
STILL_SECONDS = 300.0


def wait_until(world: World, holds: Callable[[], bool], *, otherwise: str) -> None:
    """Wait until something holds in a world.

    Raises:
        ToolError: It does not come to hold; the message is `otherwise`.
    """
    first = ended = _ended(world)
    until = time.monotonic() + STILL_SECONDS
    while not holds():
        if ended - first > MOST_INVOCATIONS or time.monotonic() > until:
            raise ToolError(otherwise, cure=f"Look at the logs in {world.directory}, then run `make clean demo`.")
        time.sleep(LOOK_SECONDS)
        before, ended = ended, _ended(world)
        if ended > before:
            until = time.monotonic() + STILL_SECONDS


def _ended(world: World) -> int:
    return sum(entry.ended is not None for entry in world.functions.ledger.entries())
