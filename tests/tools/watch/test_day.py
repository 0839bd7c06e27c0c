"""What `watch status` shows of today: minutes, what no event brought, what waits, and how long verdicts take."""

import json

import pytest
from click.testing import CliRunner

from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record, Scan
from handlers.domain.states import State
from handlers.domain.watch import Watch
from tests.tools.watch.conftest import BUCKET, OTHER
from tools.control_scan import main
from tools.lib.cli import ProgramContext
from tools.lib.watch.status import Lag


def look(person, *arguments, code=0):
    """Return what `watch status --json` prints."""
    result = person("status", *arguments, "--json")
    assert result.exit_code == code, (result.stdout, result.stderr)
    return json.loads(result.stdout)


@pytest.fixture
def watching(account):
    """Return an account in which nothing happens by itself, with a stack that watches both buckets."""
    account.clock.time = watch.begin_of("2026-11-29") + 3_600.0
    account.deploy_watching(Watch(BUCKET, max_minutes_per_day=2), Watch(OTHER))
    return account


@pytest.fixture
def person(watching):
    """Return who runs `control_scan.py watch`."""

    def run(*arguments):
        context = ProgramContext(connect=lambda *_: watching.clients, clock=watching.clock, interactive=False)
        return CliRunner().invoke(main, ["watch", *arguments, "--stack", "Watching"], obj=context)

    return run


def an_upload(watching, key, *, lag, bucket=BUCKET, missed=False, state=State.CLEAN, duration_ms=30_000):
    """Have an upload of today judged after some seconds, or let it wait."""
    now = watching.clock.now()
    scan_id = watch.scan_id(bucket, watch.day_of(now))
    if watching.table.scans.scan(scan_id) is None:
        watching.table.scans.put_scan(Scan(scan_id, bucket, created_at=now, day=watch.day_of(now)))
    facts = ObjectFacts("abc", 3, None)
    waiting = Record(Video(bucket, key), scan_id, State.WAITING, facts=facts, queued_at=now, uploaded_at=now, missed=missed)
    watching.table.records.register(waiting, None)
    if lag is not None:
        running = Record(
            waiting.video,
            scan_id,
            state,
            facts=facts,
            uploaded_at=now,
            start_tried_at=now,
            reserved_ms=0,
            finished_at=now + lag,
            duration_ms=duration_ms,
            missed=missed,
        )
        watching.table.records.finish(running)


@pytest.mark.slow
def test_lag(watching, person):
    """Median and 95th percentile are those of today's verdicts; what waits or failed has none."""
    for number in range(1, 21):
        an_upload(watching, f"{number}.mp4", lag=float(number), state=State.FLAGGED if number % 2 else State.CLEAN, duration_ms=1)
    an_upload(watching, "failed.mp4", lag=1_000.0, state=State.FAILED, duration_ms=None)
    an_upload(watching, "waiting.mp4", lag=None)
    an_upload(watching, "other.mp4", lag=5_000.0, bucket=OTHER)

    (status,) = look(person, BUCKET)["watches"]

    assert (status["lag_median_seconds"], status["lag_95_percent_seconds"], status["verdicts"]) == (10.5, 19.0, 20)
    assert (status["waiting"], status["analyses"]) == (1, 20)
    assert "median 0:00:10, 95 % within 0:00:19 (20 verdicts today)" in person("status", BUCKET).stdout


def test_missed(watching, person):
    """What no event brought is counted for today and for yesterday."""
    an_upload(watching, "yesterday.mp4", lag=1.0, missed=True)
    another_day(watching)
    an_upload(watching, "a.mp4", lag=1.0, missed=True)
    an_upload(watching, "b.mp4", lag=1.0, missed=True)
    an_upload(watching, "event.mp4", lag=1.0)

    (status,) = look(person, BUCKET)["watches"]

    assert (status["missed_today"], status["missed_yesterday"]) == (2, 1)
    assert "2 today, 1 yesterday" in person("status", BUCKET).stdout


def another_day(watching):
    """Let a day pass."""
    watching.clock.time += 86_400.0


@pytest.mark.parametrize(("milliseconds", "reached"), [(119_999, False), (120_000, True), (500_000, True)])
def test_limit(watching, person, milliseconds, reached):
    """From its last minute on a limit is reached: that is named with what lifts it."""
    an_upload(watching, "long.mp4", lag=1.0, duration_ms=milliseconds)

    status = look(person, BUCKET, code=3 if reached else 0)

    (watched,) = status["watches"]
    assert (watched["limit_reached"], watched["max_minutes_per_day"]) == (reached, 2)
    assert watched["minutes"] == watched["minutes_begun"] == pytest.approx(milliseconds / 60_000)
    assert [f"watch release {BUCKET}" in warning for warning in status["warnings"]] == [True] * reached


def test_released(watching, person):
    """A limit that was lifted today holds nothing; tomorrow it holds again."""
    an_upload(watching, "long.mp4", lag=1.0, duration_ms=120_000)
    person("release", BUCKET)
    lifted = look(person, BUCKET)["watches"][0]
    another_day(watching)
    an_upload(watching, "longer.mp4", lag=1.0, duration_ms=120_000)

    assert (lifted["released"], lifted["limit_reached"]) == (True, False)
    assert look(person, BUCKET, code=3)["watches"][0]["limit_reached"]


def test_waiting_for_days(watching, person):
    """What waits is counted, of whichever day it is: a limit can hold it for more than one."""
    for key in ("first.mp4", "second.mp4", "third.mp4", "today.mp4"):
        another_day(watching)
        an_upload(watching, key, lag=None)
    an_upload(watching, "other.mp4", lag=None, bucket=OTHER)

    assert look(person, BUCKET)["watches"][0]["waiting"] == 4


def test_verdict_on_an_earlier_upload(watching, person):
    """Today's lag has the verdicts of today, also on uploads of earlier days; yesterday's verdicts are not among them."""
    an_upload(watching, "yesterday.mp4", lag=1.0)
    an_upload(watching, "of-two-days.mp4", lag=2 * 86_400.0)
    another_day(watching)
    an_upload(watching, "of-yesterday.mp4", lag=86_400.0)
    another_day(watching)
    an_upload(watching, "today.mp4", lag=10.0)

    (status,) = look(person, BUCKET)["watches"]

    assert (status["verdicts"], status["lag_median_seconds"], status["lag_95_percent_seconds"]) == (3, 86_400.0, 2 * 86_400.0)


def test_earlier_day_paused_by_a_person(watching, person):
    """A person's pause of an earlier day's scan holds its uploads, too: it is named with the command that ends it."""
    an_upload(watching, "a.mp4", lag=None)
    scan_id = watch.scan_id(BUCKET, watch.day_of(watching.clock.now()))
    watching.table.scans.pause_scan(scan_id, "by alice")
    another_day(watching)

    (warning,) = look(person, BUCKET, code=3)["warnings"]

    assert f"Uploads of 2026-11-29 to {BUCKET} wait: their scan {scan_id} was paused." in warning
    assert f"control_scan.py resume {scan_id}" in warning


def test_last_upload(watching, person):
    """The last upload that an event brought is shown with its time."""
    watching.table.watches.note_upload(BUCKET, watching.clock.now())

    (status,) = look(person, BUCKET)["watches"]

    assert status["last_upload_at"] == watching.clock.now()
    assert "the last one was put 20" in person("status", BUCKET).stdout


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00:00"), (59.6, "0:01:00"), (90_061.0, "1 day, 1:01:01")])
def test_durations(seconds, shown):
    """Seconds are shown as a person reads them."""
    assert f"median {shown}, 95 % within {shown} (1 verdict today)" == Lag(1, seconds, seconds).sentence()
