"""The objects that share one table, opened together by whoever needs several of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.adapters.table.client import TableClient
from handlers.adapters.table.control import Control
from handlers.adapters.table.decisions import Decisions
from handlers.adapters.table.records import Records
from handlers.adapters.table.scans import Scans
from handlers.adapters.table.waiting import WaitingRecords
from handlers.runtime.clock import Clock

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of one table. Pass on only the objects that a function uses."""

    name: str
    records: Records
    waiting: WaitingRecords
    scans: Scans
    control: Control
    decisions: Decisions


def open_table(client: DynamoDBClient, name: str, clock: Clock) -> Table:
    """Return the objects of a table; makes no call."""
    table = TableClient(client, name, clock)
    return Table(
        name=name,
        records=Records(table, clock),
        waiting=WaitingRecords(table),
        scans=Scans(table, clock),
        control=Control(table, clock),
        decisions=Decisions(table),
    )
