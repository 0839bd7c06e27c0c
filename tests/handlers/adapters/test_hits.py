"""Hits as they are kept: every one, whatever the video is called, in bytes that depend on nothing else, and with bounded memory."""

import gzip
import json
import random
import re
import subprocess
import sys
import tracemalloc
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.hits import SPOOL_BYTES, HitFile, HitStore, hits_key
from handlers.domain.analysis import Hit
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from tests.handlers.doubles import BUCKET, SCAN, WORK_BUCKET, client_error, waiting

ROOT = Path(__file__).parents[3]
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
HITS = st.builds(Hit, st.integers(0, 2**40), TEXTS, TEXTS, st.integers(0, 3), st.floats(0, 100))
KEYS = TEXTS.filter(bool) | st.sampled_from(["a\nb\r\n\u2028.mp4", 'quote".mp4', "😀" * 256, '"},{"label":"Alcohol', "k" * 1_024])
WEAPON = Hit(2_000, "Weapons", "Violence", 2, 99.5)


@pytest.fixture(name="store")
def _store(work):
    return HitStore(work, WORK_BUCKET)


@pytest.fixture(name="kept")
def _kept(store, work):
    """Return a function that keeps hits and returns the object's bytes."""

    def keep(record, hits):
        with store.file(record) as file:
            list(file.take(hits))
            store.keep(file)
        return work.get_object(Bucket=WORK_BUCKET, Key=hits_key(record))["Body"].read()

    return keep


def lines(body):
    """Return the hits of an object."""
    return [json.loads(line) for line in gzip.decompress(body).decode("ascii").split("\n")[:-1]]


@given(KEYS, st.none() | TEXTS.filter(bool), st.lists(HITS, max_size=5))
def test_round_trip(tmp_path_factory, key, version, hits):
    """Every hit is one line with its video, whatever the key holds."""
    record = Record(Video(BUCKET, key, version), SCAN, State.RUNNING)
    path = tmp_path_factory.mktemp("hits") / "spool"
    with path.open("w+b") as spool:
        file = HitFile(record, spool)

        passed = list(file.take(hits))

        found = lines(file.finished().read())
    assert (
        hits
        == passed
        == [Hit(*(line[name] for name in ("timestamp_ms", "label", "parent", "level", "confidence"))) for line in found]
    )
    assert {(BUCKET, key, version, record.video.id, 0)} >= {
        (line["bucket"], line["key"], line.get("version_id"), line["video_id"], line["attempt"]) for line in found
    }
    assert len(hits) == file.count


def test_same_bytes(kept, clock):
    """The same hits make the same bytes, at any time."""
    first = kept(waiting(), [WEAPON])
    clock.sleep(86_400)

    assert first == kept(waiting(finished_at=5.0), [WEAPON])


def test_key():
    """Each attempt has an object of its own, in a partition of its scan."""
    video_id = waiting().video.id

    assert [f"hits/scan={SCAN}/{video_id}-00.json.gz", f"hits/scan={SCAN}/{video_id}-12.json.gz"] == [
        hits_key(waiting(attempt=attempt)) for attempt in (0, 12)
    ]


def test_encrypted(kept, work):
    """The object is encrypted by S3 itself, and is not marked so that a client would unpack it unasked."""
    kept(waiting(), [WEAPON])

    head = work.head_object(Bucket=WORK_BUCKET, Key=hits_key(waiting()))
    assert ("AES256", "application/gzip", None) == (
        head["ServerSideEncryption"],
        head["ContentType"],
        head.get("ContentEncoding") or None,
    )


@pytest.mark.slow
def test_beyond_the_spool(kept):
    """What does not fit into memory is kept just the same."""
    hits = [Hit(number, f"{number * 2654435761 % 2**32:08x}" * 4, "Violence", 2, number / 7 % 100) for number in range(120_000)]

    body = kept(waiting(), hits)

    assert len(body) > SPOOL_BYTES
    assert 120_000 == len(lines(body))


@pytest.mark.slow
def test_memory(store):
    """Writing hits down that stay four times as large as the spool takes no more memory than the spool and a little."""
    record = waiting()
    incompressible = random.Random(5)
    hits = (Hit(number, incompressible.randbytes(64).hex(), "Violence", 2, 99.5) for number in range(60_000))
    tracemalloc.start()

    with store.file(record) as file:
        count = sum(1 for _ in file.take(hits))
        written = file._spool.tell()

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 60_000 == count == file.count
    assert written > 4 * SPOOL_BYTES
    assert peak < SPOOL_BYTES + 2 * 1024 * 1024


def test_refused(store, work):
    """An error of S3 is raised, and never taken for success."""
    work.fail("put_object", client_error("AccessDenied", 403))

    with store.file(waiting()) as file, pytest.raises(Exception, match="AccessDenied"):
        store.keep(file)


def test_documented_columns(kept):
    """The table of docs/hits.md has the fields of a line, and a type that takes each; one of the video API has no `engine`."""
    text = (ROOT / "docs" / "hits.md").read_text(encoding="utf-8")
    columns = dict(re.findall(r"^  `(\w+)` (string|int|bigint|double),?$", text, re.MULTILINE))
    record = Record(Video(BUCKET, "a.mp4", "v1"), SCAN, State.RUNNING)

    (line,) = lines(kept(replace(record, engine=Engine.FRAMES), [WEAPON]))
    (of_video,) = lines(kept(record, [WEAPON]))

    assert sorted(columns) == sorted(line) == sorted([*of_video, "engine"])
    assert all(isinstance(value, {"string": str, "double": float}.get(columns[name], int)) for name, value in line.items())
    assert all(f"`{name}`" in text.partition("## Athena")[0] for name in line)
    assert {field.name for field in fields(Hit)} - {"name"} <= set(columns)


def test_documented_place(kept):
    """Athena finds a scan's hits where they are kept."""
    text = (ROOT / "docs" / "hits.md").read_text(encoding="utf-8")
    (template,) = re.findall(r"'storage\.location\.template' = 's3://WORK-BUCKET/(.*)'", text)

    assert hits_key(waiting()).startswith(template.replace("${scan}", SCAN))


INTERRUPTED = """
from handlers.adapters.hits import HitStore
from handlers.domain.analysis import Hit
from tests.handlers.doubles import waiting
try:
    with HitStore(None, "bucket").file(waiting()) as file:
        list(file.take(Hit(1 // number, "Weapons", "Violence", 2, 99.0) for number in (1, 0)))
except ZeroDivisionError:
    del file
"""


@pytest.mark.slow
def test_interrupted():
    """Hits that are discarded, as after a stale page token, leave no traceback in the log when they are collected.

    Python 3.13 writes what finalizers raise, those before it only in their development mode.
    """
    done = subprocess.run([sys.executable, "-X", "dev", "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr
