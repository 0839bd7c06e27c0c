"""What the operations share: the tables, the clock, and the transactions of the last ten minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.emulator.core.clock import Clock
from tools.emulator.services.dynamodb.table import Table


@dataclass(slots=True)
class State:
    """What the operations work on."""

    find_table: Callable[[str], Table]  # finds a table by name or ARN, or raises `DynamoDbError`
    clock: Clock
    # Client request tokens of transactions that were carried out: until when each counts, and the digest of its content.
    tokens: dict[str, tuple[float, bytes]] = field(default_factory=dict)
