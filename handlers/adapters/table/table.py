"""The objects that share one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.adapters.table.client import TableClient
from handlers.adapters.table.control import Control
from handlers.adapters.table.decisions import Decisions
from handlers.adapters.table.outbox import Outbox
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
    outbox: Outbox


def open_table(client: DynamoDBClient, name: str, clock: Clock, *, has_outbox: bool = False) -> Table:
    """Return a table; makes no request. `has_outbox`: whether the deployment carries out consequences, so that they are noted."""
    table = TableClient(client, name, clock)
    return Table(
        name=name,
        records=Records(table, clock, has_outbox=has_outbox),
        waiting=WaitingRecords(table),
        scans=Scans(table, clock, has_outbox=has_outbox),
        control=Control(table, clock),
        decisions=Decisions(table, clock, has_outbox=has_outbox),
        watches=Watches(table, clock),
        samplings=Samplings(table, clock),
        pace=Pace(table, clock),
        outbox=Outbox(table, clock),
    )
