"""Answers BatchGetItem over HTTP from items rendered beforehand: DynamoDB's form, in a process of its own.

It does as little as it can, for it takes its time from the same two cores; moto takes some 100 times as long.
"""

import json
import re
from functools import partial

from handlers.domain.identity import Video
from tests.bench import scan_files
from tests.bench.serving import served
from tools.lib.review.join import ObjectStatus

ID = re.compile(rb"VIDEO#([0-9a-f]{32})")


def running(scan):
    """Serve the records of a scan while the block runs; yields the endpoint."""
    return served(_prepared, scan.scan.objects)


def _prepared(rows):
    states, whole = _rendered(rows)
    return partial(_talk, states=states, whole=whole)


def _rendered(rows):
    """Return the answers for each id: the projected item, and the whole one of what a review shows."""
    states, whole = {}, {}
    for number in range(rows):
        status = scan_files.status_of(number)
        if status in (ObjectStatus.SKIPPED, None):
            continue
        key = Video(scan_files.BUCKET, scan_files.key_of(number)).id.encode()
        states[key] = status.name.encode()
        if status is not ObjectStatus.CLEAN:
            whole[key] = json.dumps(scan_files.item_of(number, status)).encode()
    return states, whole


def _talk(connection, states, whole):
    stream = connection.makefile("rb")
    while stream.readline():
        length = 0
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = stream.read(length)
        names = ID.findall(body)
        if b"ProjectionExpression" in body:
            items = [b'{"scan_sk":{"S":"%b#%b"}}' % (states[name], name) for name in names if name in states]
        else:
            items = [whole[name] for name in names if name in whole]
        answer = b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (scan_files.TABLE.encode(), b",".join(items))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n" % len(answer)
        connection.sendall(head + answer)
