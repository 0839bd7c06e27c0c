"""Answers Query and BatchGetItem over HTTP in DynamoDB's form, in a process of its own, from what was rendered beforehand.

A page of the index ends as DynamoDB's does: with the item at which 1 MB was looked at, of whole index items, whatever is projected.
The server does as little as it can, for it takes its time from the same two cores; moto takes some 100 times as long.
"""

import json
import re
from collections import Counter
from functools import partial
from math import ceil
from threading import Lock
from urllib.request import urlopen

from handlers.adapters.table import expressions, items, scan_items
from handlers.domain.identity import Video, shard
from handlers.domain.states import State
from tests.bench import scan_files
from tests.bench.serving import served
from tools.lib.review.join import ObjectStatus

ID = re.compile(rb"VIDEO#([0-9a-f]{32})")
SHARD = re.compile(rb'":v0": ?{"S": ?"%b#([0-9]+)"}' % scan_files.SCAN_ID.encode())
START = re.compile(rb'"ExclusiveStartKey": ?{.*"CLEAN#([0-9a-f]{32})"')
PAGE_BYTES = 1024 * 1024  # DynamoDB API reference, Query
UNIT_BYTES = 4096  # of a consistent read; an eventually consistent one takes half a unit (developer guide, capacity)
ID_BYTES = 16


def running(scan):
    """Serve the records of a scan while the block runs; yields the endpoint."""
    return served(_prepared, scan.scan.objects)


def spent(endpoint):
    """Return the requests that were answered, and the read units that DynamoDB would have charged, since this was last asked."""
    with urlopen(f"{endpoint}/spent") as answer:
        return json.load(answer)


def _prepared(rows):
    return partial(_talk, table=Table(rows))


class Table:
    """The records of a scan, rendered: of clean ones the ids in the order of the index, of the others the whole items."""

    def __init__(self, rows):
        clean = [[] for _ in range(items.INDEX_SHARDS)]
        self._others = {}
        totals = [Counter() for _ in range(items.TOTALS_SHARDS)]
        for number in range(rows):
            status = scan_files.status_of(number)
            if status in (ObjectStatus.SKIPPED, None):
                continue
            video_id = Video(scan_files.BUCKET, scan_files.key_of(number)).id
            totals[shard(video_id, items.TOTALS_SHARDS)][status] += 1
            if status is ObjectStatus.CLEAN:
                clean[shard(video_id, items.INDEX_SHARDS)].append(bytes.fromhex(video_id))
            else:
                self._others[video_id.encode()] = _item(number, status)
        self._clean = [b"".join(sorted(ids)) for ids in clean]
        self._totals = _totals(totals)
        self._spent = Counter()
        self._lock = Lock()

    def batch(self, body):
        """Answer BatchGetItem. What is clean is left out: a review that asked for it here would not add up."""
        names = ID.findall(body)
        found = b",".join([self._others[name] for name in names if name in self._others])
        self._spend(len(names))
        return b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (scan_files.TABLE.encode(), found)

    def totals(self):
        """Answer the consistent Query of the totals."""
        self._spend(ceil(len(self._totals) / UNIT_BYTES))
        return self._totals

    def page(self, body):
        """Answer the Query of a page of the index."""
        number = int(SHARD.search(body)[1])
        ids, size = self._clean[number], _index_item_bytes(number)
        begin = self._after(ids, body)
        end = begin + ceil(PAGE_BYTES / size) * ID_BYTES
        page = [ids[at : at + ID_BYTES].hex().encode() for at in range(begin, min(end, len(ids)), ID_BYTES)]
        self._spend(ceil(len(page) * size / UNIT_BYTES) / 2)
        shown = b",".join([b'{"scan_sk":{"S":"CLEAN#%b"}}' % video_id for video_id in page])
        # As DynamoDB, the page does not look whether there is one more item.
        following = b',"LastEvaluatedKey":%b' % _index_key(page[-1].decode(), number) if end <= len(ids) else b""
        return b'{"Items":[%b],"Count":%d,"ScannedCount":%d%b}' % (shown, len(page), len(page), following)

    def spent(self):
        """Return what was spent, and begin anew."""
        with self._lock:
            counted, self._spent = self._spent, Counter()
        return json.dumps(counted).encode()

    def _after(self, ids, body):
        start = START.search(body)
        if start is None:
            return 0
        at, key = -1, bytes.fromhex(start[1].decode())
        while at % ID_BYTES:
            at = ids.index(key, at + 1)
        return at + ID_BYTES

    def _spend(self, units):
        with self._lock:
            self._spent.update(requests=1, read_units=units)


def _item(number, status):
    rendered = json.dumps(scan_files.item_of(number, status)).encode()
    assert len(rendered) <= UNIT_BYTES, "it might cost more than a unit"
    return rendered


def _totals(shards):
    keys = [{"pk": f"SCAN#{scan_files.SCAN_ID}", "sk": f"TOTALS#{number}"} for number in range(len(shards))]
    counts = [{scan_items.videos_attribute(State(status.name)): count for status, count in counted.items()} for counted in shards]
    found = [expressions.serialized_item(key | count) for key, count in zip(keys, counts, strict=True) if count]
    return json.dumps({"Items": found, "Count": len(found), "ScannedCount": len(found)}).encode()


def _index_item(video_id, number):
    key = items.record_key(video_id, scan_files.SCAN_ID)
    sort_key = items.scan_state_prefix(State.CLEAN) + video_id
    return {**key, "scan_pk": items.scan_shard_pk(scan_files.SCAN_ID, number), "scan_sk": sort_key}


def _index_key(video_id, number):
    return json.dumps(expressions.serialized_item(_index_item(video_id, number))).encode()


def _index_item_bytes(number):
    """Return what an item of the index counts for: the bytes of its attributes' names and texts, which are all ASCII."""
    return sum(len(name) + len(text) for name, text in _index_item("0" * 32, number).items())


def _talk(connection, table):
    stream = connection.makefile("rb")
    while request := stream.readline():
        length, operation = 0, b""
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            if name.lower() == b"x-amz-target":
                operation = value.strip().rpartition(b".")[2]
        answer = _answer(table, request, operation, stream.read(length))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n" % len(answer)
        connection.sendall(head + answer)


def _answer(table, request, operation, body):
    if request.startswith(b"GET "):
        return table.spent()
    if operation == b"BatchGetItem":
        return table.batch(body)
    return table.page(body) if b'"IndexName"' in body else table.totals()
