"""The objects that share one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.adapters.table.client import TableClient
from handlers.adapters.table.control import Control
from handlers.adapters.table.decisions import Decisions
from handlers.adapters.table.pace import Pace
from handlers.adapters.table.records import Records
from handlers.adapters.table.sampling import Samplings
from handlers.adapters.table.scans import Scans
from handlers.adapters.table.waiting import WaitingRecords
from handlers.adapters.table.watches import Watches
from handlers.runtime import Clock

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The parts of one table. Pass a function only those that it uses."""

    name: str
    records: Records
    waiting: WaitingRecords
    scans: Scans
    control: Control
    decisions: Decisions
    watches: Watches
    samplings: Samplings
    pace: Pace


def open_table(client: DynamoDBClient, name: str, clock: Clock) -> Table:
    """Return a table; makes no request."""
    table = TableClient(client, name, clock)
    return Table(
        name=name,
        records=Records(table, clock),
        waiting=WaitingRecords(table),
        scans=Scans(table, clock),
        control=Control(table, clock),
        decisions=Decisions(table),
        watches=Watches(table, clock),
        samplings=Samplings(table, clock),
        pace=Pace(table, clock),
    )
