"""A table of the emulator's engine, without a server, whose calls are kept and can be made to fail."""

from tests.handlers.doubles import TABLE, Through
from tests.harness.direct import DirectClient, as_boto3_raises
from tools.emulator.services.dynamodb import Engine, Index, KeySchema, Table


def dynamodb(clock):
    """Return a client of DynamoDB that has the table of a deployment."""
    key, work, by_scan = (_key(f"{kind}pk", f"{kind}sk") for kind in ("", "work_", "scan_"))
    carried = frozenset({"bucket", "key", "version_id", "attempt", "lane"})
    indexes = {"work": Index("work", work, key, carried), "by_scan": Index("by_scan", by_scan, key, frozenset())}
    engine = Engine(lambda _: table, clock)
    table = Table(TABLE, key, indexes, clock=clock, lag_seconds=0.0)
    return Through(DirectClient("dynamodb", as_boto3_raises(engine.call), lambda _name, _parameters, carry_out: carry_out()))


def _key(*names):
    return KeySchema(*names, dict.fromkeys(names, "S"))
