"""When the sweeper polls, gives up, sends again and takes counts for true: its rules, at their limits."""

from dataclasses import replace

import pytest

from handlers.adapters.mail import Subscribers
from handlers.adapters.table import Comparison, CurrentUpload, LaneWatch, MailWatch, Running, WatchState
from handlers.adapters.uploads import ListedObject
from handlers.domain import ObjectFacts, Record, State, Video, watch
from handlers.domain.record import Scan
from handlers.domain.watch import Watch
from handlers.flows.sweep import rules
from tests.handlers.doubles import BUCKET, SCAN

NOW = 1_800_000_000.0
DAY = 86_400.0


def running(*, age=0.0, asked=None, job_id="job", repeated=False):
    """Return an analysis by how many seconds ago it began, and was last polled."""
    asked_at = None if asked is None else NOW - asked
    return Running("video", SCAN, 0, since=NOW - age, job_id=job_id, asked_at=asked_at, repeated=repeated)


@pytest.mark.parametrize(
    ("age", "asked", "soon", "expected"),
    [
        (66.0, None, False, False),
        (67.0, None, False, True),
        (1_000.0, 159.0, False, False),
        (1_000.0, 160.0, False, True),
        (22.0, None, True, False),
        (23.0, None, True, True),
        (1_000.0, 119.0, True, False),
        (1_000.0, 120.0, True, True),
    ],
)
def test_overdue(age, asked, soon, expected):
    """An analysis is polled 60 s, or 20 s where its slot is needed, and a tenth of its age after it was polled or began."""
    assert expected is rules.overdue(running(age=age, asked=asked), NOW, soon=soon)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (running(repeated=True), True),
        (running(repeated=True, asked=1.0), False),
        (running(job_id=None), True),
        (running(), False),
    ],
)
def test_overdue_at_once(found, expected):
    """One whose notice may have come already, or whose job is unknown, is overdue at once, the former until it was polled."""
    assert expected is rules.overdue(found, NOW)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (running(age=6 * DAY - 1), None),
        (running(age=6 * DAY), "result-lost"),
        (running(job_id=None), "start-unknown"),
    ],
)
def test_given_up(found, code):
    """A result is given up after six days, or where no job is known to look for."""
    problem = rules.given_up(found, NOW)

    assert code == (problem and problem.code)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        (None, NOW - 10 * DAY),
        (NOW - 5.0, NOW - 5.0),
        (NOW, NOW),
        (NOW + 1.0, NOW - 10 * DAY),
        (NOW - 11 * DAY, NOW - 10 * DAY),
    ],
)
def test_sent_again_before(marked, expected):
    """What was queued ten days ago is sent again, or before the scan's mark, once its time has come."""
    assert expected == rules.sent_again_before(Scan(SCAN, BUCKET, resend_before=marked), NOW)


@pytest.mark.parametrize(
    ("noted", "before", "count", "expected"),
    [
        (3, None, 3, 3),
        (3, None, 4, 3),
        (3, 4, 4, 4),
        (3, 4, 5, 4),
        (3, 6, 3, 3),
        (3, None, 0, 3),
        (3, 0, 0, 0),
        (3, 0, 3, 3),
        (0, None, 1, 0),
        (0, 1, 1, 1),
    ],
)
def test_dead_letters_agreed(noted, before, count, expected):
    """A number of dead letters is true once two counts agree that it is at least, or at most, that."""
    assert expected == rules.dead_letters_agreed(LaneWatch(noted, before), count)


REACHED = MailWatch(reached=True)
GONE = MailWatch(reached=True, none_since=NOW - 60)


@pytest.mark.parametrize(
    ("seen", "confirmed", "unconfirmed", "expected"),
    [
        (MailWatch(), 0, 0, MailWatch()),
        (MailWatch(), 0, 1, MailWatch(none_since=NOW)),
        (MailWatch(), 1, 0, REACHED),
        (REACHED, 1, 1, REACHED),
        (REACHED, 0, 0, replace(REACHED, none_since=NOW)),
        (GONE, 0, 0, GONE),
        (GONE, 0, 1, GONE),
        (GONE, 1, 0, replace(GONE, none_until=NOW)),
        (replace(GONE, none_until=NOW - 30), 1, 0, replace(GONE, none_until=NOW - 30)),
        (replace(GONE, none_until=NOW - 30), 0, 0, replace(REACHED, none_since=NOW)),
    ],
)
def test_mail_watched(seen, confirmed, unconfirmed, expected):
    """No one is mailed from when the last subscription was gone, or one waits to be confirmed, until one is confirmed."""
    assert expected == rules.mail_watched(seen, Subscribers(confirmed, unconfirmed), NOW)


# --- comparing watched buckets ------------------------------------------------------------------------------------------

TODAY = watch.day_of(NOW)


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (WatchState(), True),
        (WatchState(compared_at=watch.begin_of(TODAY) - 1), True),
        (WatchState(compared_at=watch.begin_of(TODAY)), False),
        (WatchState(compared_at=NOW + DAY), False),
        (WatchState(compared_at=NOW, comparison=Comparison(NOW)), True),
    ],
)
def test_comparison_due(state, due):
    """A bucket is compared once a UTC day, and a comparison that is under way goes on."""
    assert due is rules.comparison_due(state, NOW)


def test_compared_from():
    """Comparisons begin half an hour after midnight, UTC."""
    assert watch.begin_of(TODAY) + 1_800 == rules.compared_from(TODAY)


@pytest.mark.parametrize(
    ("prefixes", "after_key", "expected"),
    [
        ((), "", [""]),
        ((), "z", [""]),
        (("in/", "a/"), "", ["a/", "in/"]),
        (("in/", "in/deep/", "in"), "", ["in"]),
        (("a/", "in/", "z/"), "a/1.mp4", ["a/", "in/", "z/"]),
        (("a/", "in/", "z/"), "b.mp4", ["in/", "z/"]),
        (("a/", "in/", "z/"), "in/1.mp4", ["in/", "z/"]),
        (("a/", "in/", "z/"), "in/", ["in/", "z/"]),
        (("a/", "in/", "z/"), "zz", []),
    ],
)
def test_prefixes_after(prefixes, after_key, expected):
    """A comparison goes on with the prefixes under which there may be keys after the last one, none of them twice."""
    assert expected == rules.prefixes_after(prefixes, after_key)


BEGAN = NOW
WATCHED = Watch(BUCKET, ("in/",))


@pytest.mark.parametrize(
    ("found", "state", "expected"),
    [
        ({}, {}, True),
        ({"size": 0}, {}, False),
        ({"size": 1}, {}, True),
        ({"key": "out/a.mp4"}, {}, False),
        ({"modified_at": BEGAN - 900}, {}, False),
        ({"modified_at": BEGAN - 901}, {}, True),
        ({"modified_at": BEGAN - 2_000}, {"since": BEGAN - 2_000 + 0.9}, True),
        ({"modified_at": BEGAN - 2_000}, {"since": BEGAN - 1_999}, False),
        ({"modified_at": 0}, {}, True),
        ({"modified_at": BEGAN - 8 * DAY}, {"compared_at": BEGAN - DAY}, False),
        ({"modified_at": BEGAN - 8 * DAY + 1}, {"compared_at": BEGAN - DAY}, True),
    ],
)
def test_is_compared(found, state, expected):
    """What the watch takes is looked at from its beginning on, up to a quarter of an hour ago, and a week back at most."""
    listed = replace(ListedObject("in/a.mp4", "abc", 3, BEGAN - 1_000), **found)

    assert expected is rules.is_compared(listed, WATCHED, WatchState(**state), BEGAN)


VIDEO = Video(BUCKET, "in/a.mp4", None, "abc")
FOUND = ListedObject("in/a.mp4", "abc", 3, NOW)
CURRENT = CurrentUpload(BUCKET, "in/a.mp4", VIDEO.id, SCAN, NOW)
RECORD = Record(VIDEO, SCAN, State.WAITING, facts=ObjectFacts("abc", 3, None))


@pytest.mark.parametrize(
    ("current", "record", "expected"),
    [
        (None, RECORD, True),
        (CURRENT, RECORD, False),
        (replace(CURRENT, modified_at=NOW - 1), RECORD, True),
        (replace(CURRENT, modified_at=NOW + 1), RECORD, False),
        (replace(CURRENT, scan_id=None), None, False),
        (replace(CURRENT, scan_id=None, etag="abc"), None, False),
        (replace(CURRENT, scan_id=None, etag="other"), None, True),
        (replace(CURRENT, scan_id=None, etag="other", modified_at=NOW + 1), None, False),
        (CURRENT, None, True),
        (CURRENT, replace(RECORD, scan_id="another"), True),
        (CURRENT, replace(RECORD, put_at=NOW), False),
        (CURRENT, replace(RECORD, put_at=NOW + 1), False),
        (CURRENT, replace(RECORD, put_at=NOW - 1), True),
        (CURRENT, replace(RECORD, facts=None), False),
        (replace(CURRENT, etag="other"), RECORD, False),
        (CURRENT, replace(RECORD, facts=ObjectFacts("other", 3, None)), True),
    ],
)
def test_is_missed(current, record, expected):
    """What is not noted as it is, or has no record of it as it was put last, is missed; what is not a video needs no record."""
    registered = {} if record is None else {(record.video.id, record.scan_id): record}

    assert expected is rules.is_missed(FOUND, current, registered)
