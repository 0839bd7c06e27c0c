"""What performing a plan and waiting for its end both need."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters.table import Records, Scans
from handlers.runtime.clock import Clock
from tools.lib.aws.clients import Clients
from tools.lib.cli.output import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitContext:
    """AWS, the table, the person at the terminal, and the seconds between two polls."""

    clients: Clients
    scans: Scans
    records: Records
    clock: Clock
    terminal: Terminal
    poll_seconds: float
