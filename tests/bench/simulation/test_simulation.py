"""The simulation is honest: it is reproducible, its arithmetic is right, and the engines lose nothing themselves."""

import json
from array import array
from dataclasses import replace
from math import isnan

import pytest

from tests.bench.simulation import bench, events
from tests.bench.simulation.clock import START
from tests.bench.simulation.designs import DESIGNS, figures, simulate
from tests.bench.simulation.measure import measure, slot_use
from tests.bench.simulation.ours import Ours
from tests.bench.simulation.timeline import new_timeline
from tests.bench.simulation.uploads import Uploads, lag_figures
from tests.bench.simulation.world import Setting, World

SMALL = Setting(videos=150, length=60.0, slots=5)
# Videos come slower than they are analysed, and starters die so often that some die between Start and record, whatever the seed.
SHORT_LANE = {"starter_crash_share": 0.4, "tasks_per_second": 1 / 90, "length": 1_500.0}


@pytest.fixture(scope="module")
def ours():
    """Return our design in a small world."""
    design, _ = simulate(SMALL, Ours)
    return design


def timeline_of(videos, *jobs):
    """Return a timeline: (video, registered, opened, closed, released, read) each; every time in seconds."""
    timeline = new_timeline(videos)
    for number, registered, opened, closed, released, read in jobs:
        timeline.note_registered(number, registered)
        job = timeline.note_opened(number, opened)
        timeline.note_closed(job, closed, released)
        if read is not None:
            timeline.note_read(job, read)
    return timeline


@pytest.mark.parametrize(("function", "days"), [("start_analysis", 7), ("completion", 5)])
def test_nothing_is_lost_while_a_function_is_down(function, days):
    """After a week without starters, or five days without completion, a scan continues where it was."""
    # Over days a sweep an hour and a try of the starters in 800 s show it as well, in a thousandth of the calls.
    rarely = {"sweeps": "rate(1 hour)", "wait": (800.0, 800.0)}
    setting = replace(SMALL, videos=20, **rarely, down=(function, 120.0, 120.0 + days * 86_400.0))

    found, _ = simulate(setting)

    columns = figures(found, priced=False)
    assert (20, 0, 0) == (columns["finished"], columns["lost"], columns["paid_twice"])
    assert found.lab.runtime.bills[function].crashes > 10
    assert found.lab.timeline.touched - START > days * 86_400.0


def test_slot_use_by_hand():
    """Two slots and three videos: open jobs count while two wait, until the quota releases them."""
    timeline = timeline_of(4, (0, 0.0, 2.0, 9.0, 10.0, 11.0), (1, 0.0, 4.0, 5.0, 6.0, 7.0), (2, 0.0, 20.0, 21.0, 22.0, 23.0))
    timeline.note_registered(3, 0.0)

    # From 0 to 20 two or more are unstarted (2 and 3 to the end of that): job 0 is open for 8 s of them, job 1 for 2 s.
    assert pytest.approx((8 + 2) / (2 * 20)) == slot_use(timeline, 2)


def test_slot_use_needs_waiting_videos():
    """Slot use is undefined if there are never as many waiting videos as slots."""
    timeline = timeline_of(1, (0, 0.0, 2.0, 9.0, 10.0, 11.0))

    assert slot_use(timeline, 2) is None


def test_lost_and_paid_twice_by_hand():
    """A video is lost if its result was never read or it had no job, and paid twice if it had two jobs."""
    timeline = timeline_of(3, (0, 0.0, 1.0, 2.0, 2.0, 3.0), (0, 0.0, 1.5, 2.0, 2.0, 3.0), (1, 0.0, 4.0, 5.0, 5.0, None))

    result = measure(timeline, 3, 2)

    assert (1, 2, 1, 3) == (result.finished, result.lost, result.paid_twice, result.jobs)


def test_makespan_by_hand():
    """Two jobs of 10 s one after the other, on two slots, take twice as long as they must."""
    timeline = timeline_of(2, (0, 0.0, 0.0, 10.0, 10.0, 10.0), (1, 0.0, 10.0, 20.0, 20.0, 20.0))

    result = measure(timeline, 2, 2)

    assert (20.0, 10.0, 2.0) == (result.makespan, result.ideal, result.makespan_ratio)


def same_timelines(one, other):
    """Tell whether two timelines are the same to the last bit."""
    return all(
        bytes(getattr(one, column)) == bytes(getattr(other, column))
        for column in ("registered", "video", "opened", "closed", "released", "read")
    )


def test_same_seed_same_ledger(ours):
    """The same seed makes the same timeline to the last bit and as many AWS calls; another seed makes another."""
    again, _ = simulate(SMALL)
    other, _ = simulate(replace(SMALL, seed=8))

    assert same_timelines(ours.lab.timeline, again.lab.timeline)
    assert ours.lab.runtime.calls == again.lab.runtime.calls
    assert not same_timelines(ours.lab.timeline, other.lab.timeline)


def test_ours_loses_nothing(ours):
    """Despite lost and repeated notices, crashes and lags, every video is finished and none is paid twice."""
    row = figures(ours)

    assert (150, 0, 0, 150) == tuple(row[name] for name in ("finished", "lost", "paid_twice", "analysed_by_own_table"))


def test_jobs_are_conserved(ours):
    """Every opened job is closed and released in order, and never more are open than there are slots."""
    timeline = ours.lab.timeline
    changes = sorted([(at, 1) for at in timeline.opened] + [(at, -1) for at in timeline.released])
    running, most = 0, 0
    for _, change in changes:
        running += change
        most = max(most, running)

    assert all(
        opened < closed <= released
        for opened, closed, released in zip(timeline.opened, timeline.closed, timeline.released, strict=True)
    )
    assert len(timeline.video) == len(ours.lab.rekognition.ledger.jobs)
    assert (0, 5) == (running, most)


def test_the_world_is_one():
    """The world depends on its seed alone: lengths of median 4 minutes and one in a hundred above an hour, lags below 5 s."""
    world, same = World(Setting(videos=20_000)), World(Setting(videos=20_000, factor=0.5, slots=3))

    assert world.lengths_ms == same.lengths_ms
    assert pytest.approx(240, rel=0.05) == sorted(world.lengths_ms)[10_000] / 1000
    assert pytest.approx(200, rel=0.25) == sum(length > 3_600_000 for length in world.lengths_ms)
    assert max(world.quota_lags) < 5.0


def test_what_goes_wrong_does(ours):
    """Functions crash, and notices are lost and repeated, so that the design has something to survive."""
    world = World(Setting(videos=10_000))
    crashes = sum(bill.crashes for bill in ours.lab.runtime.bills.values())

    assert [pytest.approx(100, rel=0.4)] * 2 == [world.notices.count(copies) for copies in (1, 2)]
    assert crashes > 0


@pytest.mark.parametrize(
    ("spoilt", "changes", "seen"),
    [
        ({"without": "token"}, SHORT_LANE, lambda _, mutant: mutant["paid_twice"] > 0),
        ({"without": "sweeper"}, {"length": 240.0, "seed": 13}, lambda _, mutant: mutant["lost"] > 0),
        ({"wait": (30.0, 30.0)}, {"length": 240.0}, lambda sound, mutant: mutant["slot_use"] < 0.98 < sound["slot_use"]),
    ],
)
def test_mutants_are_seen(spoilt, changes, seen):
    """Without its token our design pays twice, without its sweeper it loses, and slow tries leave slots empty."""
    sound, mutant = (figures(simulate(Setting(videos=60, **changes, **fault))[0], priced=False) for fault in ({}, spoilt))

    assert (0, 0) == (sound["lost"], sound["paid_twice"])
    assert seen(sound, mutant)


# Figures of all mutants as they must be.
SEEN = {
    label: {"lost": 0, "paid_twice": 0, "slot_use": 0.995} | spoilt
    for label, spoilt in zip(
        bench.MUTANTS, ({}, {"lost": 9}, {"slot_use": 0.97}, {"slot_use": None}, {"paid_twice": 9}), strict=True
    )
}


@pytest.mark.parametrize(
    ("label", "figure", "fault"),
    [
        ("nothing left out", {"lost": 1}, "not sound: nothing left out"),
        ("nothing left out", {"slot_use": 0.98}, "not sound: nothing left out"),
        ("no sweeper", {"lost": 0}, "not seen: no sweeper"),
        ("30 s between tries", {"slot_use": 0.99}, "not seen: 30 s between tries"),
        ("short lane, 20 % of starters crash", {"paid_twice": 1}, "not sound: short lane"),
        ("the same, no token", {"paid_twice": 0}, "not seen: the same, no token"),
    ],
)
def test_mutants_that_are_not_seen(label, figure, fault):
    """The benchmark reports a mutant whose figures show no fault, and a control whose figures do."""
    assert not bench.not_seen(SEEN)

    (found,) = bench.not_seen(SEEN | {label: SEEN[label] | figure})

    assert fault in found


@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "ours"])
def test_the_others_run(name):
    """Each of the other designs finishes some videos, and its jobs are conserved."""
    design, _ = simulate(Setting(videos=60, length=30.0, slots=5), DESIGNS[name])
    row, timeline = figures(design), design.lab.timeline

    assert 0 < row["finished"] <= 60
    assert 60 == row["finished"] + row["lost"]
    assert len([at for at in timeline.registered if not isnan(at)]) == 60
    assert row["dollars"] > 0


def test_crashed_tasks_are_retried_by_hand():
    """If S3 Batch does not repeat a crashed task, one retry of the report's failed rows leaves none behind."""
    setting = Setting(videos=150, length=60.0, slots=5, crash_share=0.05, redriven=False)

    design, _ = simulate(setting)

    assert design.retried > 0
    assert (150, 0) == (figures(design, priced=False)["finished"], figures(design, priced=False)["paid_twice"])


def test_events_give_the_same_figures(tmp_path, ours):
    """The file of events gives the same measurements."""
    path = tmp_path / "events.jsonl.gz"

    events.write(path, {"ours": ours.lab.timeline}, 5)
    ((design, timeline, slots),) = events.read(path)

    expected, seen = measure(timeline, 150, slots), measure(ours.lab.timeline, 150, 5)
    assert "ours" == design
    assert (seen.finished, seen.paid_twice) == (expected.finished, expected.paid_twice)
    assert pytest.approx((seen.makespan, seen.slot_use), rel=1e-6) == (expected.makespan, expected.slot_use)


def test_billing_by_hand(ours):
    """Every GB-second is on the bill of its function, and the dollars are the sum of the parts."""
    row = figures(ours)
    total = sum(bill.gb_seconds for bill in ours.lab.runtime.bills.values())

    assert pytest.approx(total / 150, abs=0.001) == row["gb_seconds"]
    assert 0.25 / 150 < row["dollars"] < 0.01


def test_uploads():
    """Of uploads whose events are lost for a while, repeated or late all have one verdict: the comparison finds the lost ones."""
    setting = Setting(videos=100, uploads=60, period=3_600.0, silence=(0.0, 1_800.0), length=20.0, crash_share=0.05)

    design, _ = simulate(setting, Uploads)

    row = figures(design, priced=False) | lag_figures(design)
    silent = sum(at < 1_800.0 for at in design.world.uploads)
    assert (100, 0, 0) == (row["finished"], row["lost"], row["paid_twice"])
    assert silent <= row["missed"] == sum(not events for events in design.world.events)
    assert 20.0 < row["median_seconds"] <= row["p95_seconds"]
    assert row["uploads_mailed"] == sum(design.world.flagged[40:])
    assert row["slowest_mail_seconds"] < 300.0


def test_designs_report(tmp_path, monkeypatch, capsys):
    """The benchmark returns the figures of every design as JSON, and prints a table."""
    from argparse import Namespace  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)

    part = bench.designs(Namespace(videos=40, rows=0))

    assert set(DESIGNS) == set(json.loads(json.dumps(part))["designs"])
    assert "paid twice" in capsys.readouterr().out
    assert (tmp_path / bench.EVENTS).exists()


def test_columns_are_arrays():
    """The timeline holds a million jobs in a few bytes each."""
    assert isinstance(new_timeline(3).opened, array)
