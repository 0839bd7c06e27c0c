"""Answers ListObjectsV2 and ListObjectVersions over HTTP for a made-up bucket of millions of keys: S3's form, its own process.

Pages are cut from a block of 1,000 entries rendered beforehand, into which the number of the thousand is set: it costs a tenth of
what any client takes to read a page, and no memory. Any `start-after` is answered, any `max-keys`, tokens too. It takes its time
from the same cores as the client that is measured.
"""

import bisect
import time
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlsplit

from tests.bench.serving import served

BUCKET = "amzn-s3-demo-bucket"
BLOCK = 1000
ENDINGS = ("mp4", "mp4", "MP4", "jpg")
"""Of four keys three are videos."""

_VERSION = (
    "<Version><Key>{key}</Key><VersionId>{etag:032x}</VersionId><IsLatest>true</IsLatest>"
    "<LastModified>2024-05-{day:02}T12:00:{second:02}.000Z</LastModified><ETag>&quot;{etag:032x}&quot;</ETag>"
    "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
    "<Size>{size}</Size><StorageClass>STANDARD</StorageClass><Owner><ID>{etag:064x}</ID></Owner></Version>"
)
_MARK = b"@/recording-#####"
_ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2024-05-{day:02}T12:00:{second:02}.000Z</LastModified>"
    "<ETag>&quot;{etag:032x}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
    "<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


@dataclass(frozen=True)
class Bucket:
    """A number of keys, flat under one prefix or in ten of the same size; a multiple of 10,000, at most 10 million."""

    keys: int
    folders: int = 1
    versions: bool = False

    def key(self, number):
        """Return a key by its place in the listing: names of 8 digits below a folder, the whole key 32 characters."""
        folder, place = divmod(number, self.keys // self.folders)
        return f"library-{folder}/recording-{place:08}.{ENDINGS[number % 4]}"

    @staticmethod
    def version(number):
        """Return the version of a key by its place."""
        return f"{_etag(number % BLOCK):032x}"


class Pages:
    """The answers."""

    def __init__(self, bucket):
        self._bucket = bucket
        entries = [_entry(_VERSION if bucket.versions else _ENTRY, place) for place in range(BLOCK)]
        self._length = len(entries[0])
        assert {self._length} == {len(entry) for entry in entries}
        self._block = b"".join(entries)

    def answer(self, query):
        """Return the page that a query string asks for."""
        asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        prefix, numbers = asked.get("prefix", ""), range(self._bucket.keys)
        first = bisect.bisect_left(numbers, prefix, key=self._bucket.key)
        end = bisect.bisect_left(numbers, prefix + "\U0010ffff", key=self._bucket.key) if prefix else self._bucket.keys
        if "continuation-token" in asked:
            first = int(asked["continuation-token"])
        elif after := asked.get("start-after") or asked.get("key-marker"):
            first = max(first, bisect.bisect_right(numbers, after, key=self._bucket.key))
        stop = min(end, first + int(asked.get("max-keys", BLOCK)))
        token = self._token(stop) if stop < end else ""
        root = "ListVersionsResult" if self._bucket.versions else "ListBucketResult"
        head = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><KeyCount>{stop - first}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"{'<EncodingType>url</EncodingType>' if 'encoding-type' in asked else ''}"
            f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>{token}"
        )
        return b"".join([head.encode(), *self._entries(first, stop), f"</{root}>".encode()])

    def _token(self, stop):
        if not self._bucket.versions:
            return f"<NextContinuationToken>{stop}</NextContinuationToken>"
        return f"<NextKeyMarker>{self._bucket.key(stop - 1)}</NextKeyMarker><NextVersionIdMarker>{'0' * 32}</NextVersionIdMarker>"

    def _entries(self, first, stop):
        while first < stop:
            thousand, place = divmod(first, BLOCK)
            until = min(stop - first + place, BLOCK)
            folder, within = divmod(thousand * BLOCK, self._bucket.keys // self._bucket.folders)
            part = self._block[place * self._length : until * self._length]
            yield part.replace(_MARK, b"%d/recording-%05d" % (folder, within // BLOCK))
            first += until - place


def _entry(template, place):
    key = f"library-{_MARK.decode()}{place:03}.{ENDINGS[place % 4]}"
    entry = template.format(key=key, day=place % 28 + 1, second=place % 60, etag=_etag(place), size=10_000_000 + place * 1000)
    return entry.encode()


def _etag(place):
    return place**7 % 16**32


def running(bucket, seconds=0.0):
    """Serve a bucket while the block runs, every answer delayed by `seconds`; yields the endpoint."""
    return served(_prepared, bucket, seconds)


def _prepared(bucket, seconds):
    return partial(_talk, pages=Pages(bucket), seconds=seconds)


def _talk(connection, pages, seconds):
    stream = connection.makefile("rb")
    while line := stream.readline():
        while stream.readline() not in (b"\r\n", b""):
            pass
        time.sleep(seconds)
        body = pages.answer(urlsplit(line.split()[1].decode()).query)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.sendall(head + body)
