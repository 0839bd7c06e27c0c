"""Records as items and back: the same, whatever is in them."""

from dataclasses import replace

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.table import codec, expressions, items, outbox_items, scan_items, watches
from handlers.adapters.table.decisions import decision_key
from handlers.adapters.table.pace import PACE_KEY
from handlers.domain.engine import Engine
from handlers.domain.identity import Analysis, Video
from handlers.domain.outbox import Due
from handlers.domain.record import LabelSummary, ObjectFacts, Peak, Problem, Record, Scan, Segment, StartParameters
from handlers.domain.states import Lane, State
from tests.handlers.doubles import SCAN

# What DynamoDB takes as a string: anything that UTF-8 can write. Hostile keys are among it.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
KEYS = TEXTS.filter(bool) | st.sampled_from(["a,b\"c'd\n%2B+<script>.mp4", "😀" * 256, "ü/../#", "k" * 1_024])
TIMES = st.floats(min_value=0, max_value=4e9, allow_nan=False).filter(lambda at: at == 0 or at > 1e-6)
PERCENTS = st.floats(min_value=0, max_value=100, allow_subnormal=False).filter(lambda value: value == 0 or value > 1e-6)
COUNTS = st.integers(0, 2**53)
MAYBE = st.none()
PEAKS = st.lists(st.builds(Peak, COUNTS, PERCENTS), max_size=3).map(tuple)
LABELS = st.builds(LabelSummary, TEXTS, TEXTS, st.integers(1, 3), PERCENTS, COUNTS, COUNTS, PEAKS, MAYBE | PERCENTS)

RECORDS = st.builds(
    Record,
    video=st.builds(Video, st.just("amzn-s3-demo-bucket"), KEYS, MAYBE | TEXTS.filter(bool)),
    scan_id=st.just(SCAN),
    state=st.sampled_from(State),
    attempt=st.integers(0, 99),
    lane=st.sampled_from(Lane),
    facts=MAYBE | st.builds(ObjectFacts, TEXTS, COUNTS, MAYBE | TEXTS),
    batch_job_id=MAYBE | TEXTS,
    rekognition_job_id=MAYBE | TEXTS,
    queued_at=MAYBE | TIMES,
    start_tried_at=MAYBE | TIMES,
    start=MAYBE | st.builds(StartParameters, MAYBE | TEXTS, PERCENTS, TEXTS, TEXTS),
    started_at=MAYBE | TIMES,
    finished_at=MAYBE | TIMES,
    problem=MAYBE | st.builds(Problem, TEXTS, TEXTS),
    model_version=MAYBE | TEXTS,
    policy_hash=MAYBE | TEXTS,
    duration_ms=MAYBE | COUNTS,
    labels=st.lists(LABELS, max_size=3).map(tuple),
    gap_ms=MAYBE | COUNTS,
    counted=st.lists(TEXTS, max_size=3).map(tuple),
    mail_due=st.booleans(),
    changed_during_scan=st.booleans(),
    refusals=st.integers(0, 100),
    refused_since=MAYBE | TIMES,
    hits_key=MAYBE | TEXTS,
    hits_count=MAYBE | COUNTS,
    judged_at=MAYBE | TIMES,
    uploaded_at=MAYBE | TIMES,
    missed=st.booleans(),
    put_at=MAYBE | TIMES,
    superseded_at=MAYBE | TIMES,
    engine=st.sampled_from(Engine),
    interval_ms=MAYBE | COUNTS,
    images=COUNTS,
    position_ms=MAYBE | COUNTS,
    decoded_ms=MAYBE | COUNTS,
    expected_ms=MAYBE | COUNTS,
    reserved_ms=MAYBE | COUNTS,
)


def through_dynamodb(item):
    """Return an item as it comes back from DynamoDB."""
    return expressions.deserialized_item(expressions.serialized_item(item))


@pytest.mark.slow
@given(RECORDS)
def test_record(record):
    """A record comes back from its item as it was, whatever its fields are."""
    assert record == items.record_from(through_dynamodb(items.record_item(record)))


@pytest.mark.parametrize(
    ("lacking", "values"),
    [
        ([], {"engine": Engine.FRAMES, "interval_ms": 2_000, "images": 3, "refusals": 4}),
        (["engine", "interval_ms", "images"], {"engine": Engine.VIDEO, "interval_ms": None, "images": 0}),
        (["refusals", "attempt", "lane"], {"refusals": 0, "attempt": 0, "lane": Lane.NORMAL}),
        (["error_message"], {"problem": Problem("empty", "")}),
        (["error_code", "error_message"], {"problem": None}),
        (["etag", "size", "object_version_id"], {"facts": None}),
    ],
)
def test_older_items(lacking, values):
    """An item of an earlier version that lacks attributes has the values that they stand for now."""
    record = Record(
        Video("b", "k"),
        SCAN,
        State.FAILED,
        attempt=1,
        lane=Lane.EXPRESS,
        facts=ObjectFacts("abc", 3, "v1"),
        problem=Problem("empty", "It has 0 bytes."),
        refusals=4,
        engine=Engine.FRAMES,
        interval_ms=2_000,
        images=3,
    )
    item = {name: value for name, value in items.record_item(record).items() if name not in lacking}

    found = items.record_from(through_dynamodb(item))

    assert replace(record, **values) == found
    assert (found.engine, found.interval_ms) == items.engine_of(through_dynamodb(item))


ANALYSIS = Analysis(SCAN, "ab" * 16, 7)


@pytest.mark.parametrize(
    ("key", "pk", "sk"),
    [
        (items.record_key("ab", SCAN), "VIDEO#ab", f"SCAN#{SCAN}"),
        (items.running_key(ANALYSIS), "RUNNING", f"{'ab' * 16}#{SCAN}#7"),
        (items.starting_key(ANALYSIS), "STARTING", f"{'ab' * 16}#{SCAN}#7"),
        (items.sampling_key(ANALYSIS), "SAMPLING", f"{'ab' * 16}#{SCAN}#7"),
        (items.hits_item(ANALYSIS, 5_000, ()), f"VIDEO#{'ab' * 16}", f"SCAN#{SCAN}#HITS#07#000005000"),
        (scan_items.scan_key(SCAN), "SCANS", SCAN),
        (scan_items.active_key(SCAN), "ACTIVE", SCAN),
        (scan_items.submitted_key(SCAN), "SUBMITTED", SCAN),
        (scan_items.lane_key(Lane.EXPRESS), "LANE", "express"),
        (scan_items.SETTINGS_KEY, "SETTINGS", "SETTINGS"),
        (scan_items.MAIL_WATCH_KEY, "SUBSCRIPTIONS", "ALERTS"),
        (scan_items.SWEEPER_LEASE_KEY, "LEASE", "SWEEPER"),
        (PACE_KEY, "PACE", "IMAGES"),
        (decision_key("ab", "e-1"), "VIDEO#ab", "DECISION#e-1"),
        (outbox_items.key(Due("", SCAN, "t")), "OUTBOX#0", f"#{SCAN}"),
        (outbox_items.key(Due("abcdef01" * 4, SCAN, "t")), "OUTBOX#1", f"{'abcdef01' * 4}#{SCAN}"),
        (watches._watch_key("b"), "WATCH", "b"),
        (watches._day_key("b", "2026-11-29"), "UPLOADS#b", "DAY#2026-11-29"),
        (watches._current_key("b", "k"), "UPLOAD#d1b8ee17b9a8bcb8725da4ed6764fde3", "CURRENT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_items_are(key, pk, sk):
    """Every item stays where earlier versions have put it: a table outlives the code."""
    assert (pk, sk) == (key["pk"], key["sk"])


@pytest.mark.slow
@given(RECORDS)
def test_keys(record):
    """Keys are short and plain, whatever the object's key is; the record's names can be read from them."""
    item = items.record_item(record)

    names = [item[name] for name in ("pk", "sk", "scan_pk", "scan_sk", "work_pk", "work_sk") if name in item]
    assert all(name.isascii() and 0 < len(name) < 100 for name in names)
    assert (record.video.id, record.scan_id) == items.names_of_record(item)


@given(RECORDS)
def test_index(record):
    """A record is in the work index only while it waits or while its mail is due."""
    item = items.record_item(record)

    waits = record.state is State.WAITING
    assert (waits or record.mail_due) == ("work_pk" in item) == ("work_sk" in item)
    assert waits == item.get("work_pk", "").startswith(f"WAITING#{SCAN}#")


@given(RECORDS, st.builds(Segment, TEXTS, TEXTS, st.integers(1, 3), COUNTS, COUNTS, PERCENTS, COUNTS))
def test_segment(record, segment):
    """A segment comes back from its item as it was."""
    (item,) = items.segment_items(record, [segment])

    assert segment == codec.read(Segment, through_dynamodb(item))
    assert item["sk"].startswith(items.segments_prefix(record.analysis))


@pytest.mark.parametrize(
    "video",
    [Video("b", "k"), Video("b", "k", "v1"), Video("b", "k", None, "etag#with#marks")],
    ids=["no version", "version", "upload"],
)
def test_waiting(video):
    """What the index of waiting records has of a record is all that its message needs."""
    record = Record(
        video, SCAN, State.WAITING, attempt=7, lane=Lane.EXPRESS, queued_at=1_700_000_000.25, facts=ObjectFacts("a", 1, None)
    )
    shown = ("pk", "sk", "work_pk", "work_sk", "bucket", "key", "version_id", "attempt", "lane")
    item = {name: value for name, value in items.record_item(record).items() if name in shown}

    found = items.waiting_from(through_dynamodb(item))

    assert replace(record, facts=None) == found


@pytest.mark.parametrize(("at", "earlier"), [(1_700_000_000.25, False), (1_700_000_000.251, True), (0.0, False), (-1.0, False)])
def test_before(at, earlier):
    """What was queued before a time lies below that time's key, to the millisecond."""
    record = Record(Video("b", "k"), SCAN, State.WAITING, queued_at=1_700_000_000.25)

    assert earlier is (items.record_item(record)["work_sk"] < items.sort_time(at))
    assert 13 == len(items.sort_time(at))


def test_order_of_the_work_index():
    """Waiting records are in the order of their queueing, mails in that of the end of their analysis, those without one first."""
    waits = [
        Record(Video("b", "k"), SCAN, State.WAITING, queued_at=at, finished_at=9.0) for at in (None, 0.001, 5.0, 999_999_999.0)
    ]
    due = [Record(Video("b", "k"), SCAN, State.FLAGGED, queued_at=9.0, finished_at=at, mail_due=True) for at in (None, 5.0, 6.0)]

    for records in (waits, due):
        keys = [items.record_item(record)["work_sk"] for record in records]
        assert sorted(set(keys)) == keys
    assert {items.MAIL_PK} == {items.record_item(record)["work_pk"] for record in due}


def test_numbers_are_numbers():
    """Nothing that is a number is stored as text."""
    record = Record(Video("b", "k"), SCAN, State.CLEAN, queued_at=1.5, duration_ms=0)

    item = expressions.serialized_item(items.record_item(record))

    assert ({"N": "0"}, {"N": "1.5"}, {"N": "0"}) == (item["attempt"], item["queued_at"], item["duration_ms"])
    assert 0 == TypeDeserializer().deserialize(item["duration_ms"])


@pytest.mark.parametrize("counts", [None, {}, {".mkv": 2, "none": 1, "others": 10**9}])
def test_other_suffixes(counts):
    """A scan comes back with what was counted beside it; that nothing was counted is not the same as that there is nothing."""
    scan = Scan(SCAN, "amzn-s3-demo-bucket", not_selected=counts)

    assert scan == scan_items.scan_from(through_dynamodb(scan_items.scan_item(scan, 1)))
