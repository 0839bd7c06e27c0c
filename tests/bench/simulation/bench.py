"""The parts of `make bench-simulation`: designs, mutants, lengths, ever more videos. Each returns its part of simulation.json."""

from pathlib import Path

from tests.bench.simulation import events, report
from tests.bench.simulation.designs import DESIGNS, figures, simulate
from tests.bench.simulation.ours import Ours
from tests.bench.simulation.uploads import Uploads, lag_figures, month_figures
from tests.bench.simulation.world import Setting
from tests.harness.product import DAY, HOUR

EVENTS = Path("build/bench/simulation-events.jsonl.gz")
SHORT_SECONDS = 20.0
MONTH_DAYS = 30
LENGTHS = {
    "analysis 0.5 x length": {"factor": 0.5},
    "analysis 0.25 x length": {"factor": 0.25},
    "240 s each": {"length": 240.0},
    "120 s each": {"length": 120.0},
    "20 s each": {"length": SHORT_SECONDS},
}
_SHORT_LANE = {"tasks_per_second": 1 / 30, "starter_crash_share": 0.2}
# Without the token a video is paid twice only if its starter died between Start and record, and its message is back while its
# analysis still runs. Behind a full lane it never is: what comes back waits for all that was sent before it, some 66 hours at
# 10,000 videos. So the token is shown, with its control, where videos come a little slower than they are analysed (20 jobs of 8
# min on average take one in 24 s) and the lane is short; and where starters die often, because of 0.5 % that do only 3 in 10,000
# videos are paid twice.
MUTANTS = {
    "nothing left out": {},
    "no sweeper": {"without": "sweeper"},
    "30 s between tries": {"wait": (30.0, 30.0)},
    "short lane, 20 % of starters crash": _SHORT_LANE,
    "the same, no token": _SHORT_LANE | {"without": "token"},
}
SOUND = {"nothing left out", "short lane, 20 % of starters crash"}
FULL_USE = 0.99


def designs(options):
    """Simulate our design and the others; write the events."""
    setting = Setting(videos=options.videos)
    rows, timelines = {}, {}
    for name, make in DESIGNS.items():
        design = _run(name, setting, make)
        rows[name], timelines[name] = figures(design), design.lab.timeline
    events.write(EVENTS, timelines, setting.slots)
    report.show(f"{setting.videos:,} videos, {setting.slots} slots", rows)
    return {
        "designs": rows,
        "ours_crashed_tasks_not_repeated": _not_redriven(options),
    }


def _not_redriven(options):
    """Where S3 Batch does not repeat a task whose function died, a person submits the failed rows of the report again."""
    design = _run("crashed tasks not repeated", Setting(videos=options.videos, redriven=False), Ours)
    row = figures(design, priced=False) | {"retried_by_hand": design.retried}
    report.show("S3 Batch does not repeat what crashed; its failed rows are retried once", {"ours": row})
    return row


def mutants(options):
    """Simulate our design with a part taken out; what is not seen of it is `faults`, which the command ends with."""
    rows = _variants("Mutants", options.videos, MUTANTS)
    return {"mutants": rows, "faults": not_seen(rows)}


def lengths(options):
    """Simulate our design with other lengths and speeds of analysis."""
    return {"lengths": _variants("Other lengths", options.videos, LENGTHS)}


def not_seen(rows):
    """Return a sentence for each mutant in whose figures what it lacks is not seen, and for each sound design that is at fault."""
    seen = {
        "no sweeper": rows["no sweeper"]["lost"] > 0,
        "30 s between tries": rows["30 s between tries"]["slot_use"] < FULL_USE,
        "the same, no token": rows["the same, no token"]["paid_twice"] > 0,
    }
    sound = {label: rows[label]["lost"] == rows[label]["paid_twice"] == 0 for label in SOUND}
    sound["nothing left out"] &= rows["nothing left out"]["slot_use"] >= FULL_USE
    sentences = [f"the mutant is not seen: {label}" for label, is_seen in seen.items() if not is_seen]
    return sentences + [f"the control is not sound: {label}" for label, is_sound in sorted(sound.items()) if not is_sound]


def _variants(title, videos, variants):
    """Simulate our design in settings that differ in something; return the figures of each."""
    rows = {
        label: figures(_run(label, Setting(videos=videos, **changes), Ours), priced=False) for label, changes in variants.items()
    }
    report.show(title, rows)
    return rows


def million(options):
    """Simulate our design with more and more short videos and take the time: the line through them leads to a million."""
    rows = {}
    for videos in (options.short_videos // 100, options.short_videos // 10, options.short_videos):
        progress = report.Progress(f"{videos:,} videos")
        design, seconds = simulate(Setting(videos=videos, length=SHORT_SECONDS), Ours, progress)
        progress.end()
        rows[f"{videos:,}"] = figures(design, priced=False) | {
            "seconds": round(seconds, 1),
            "milliseconds_per_video": round(1000 * seconds / videos, 3),
        }
    report.show(f"Videos of {SHORT_SECONDS:g} s", rows)
    return {"million": rows}


def uploads(options):
    """Simulate a watched bucket: uploads beside a scan, an hour of lost events, and a day of more and more uploads."""
    concurrent = {
        label: _uploads(label, Setting(videos=500 + backlog, uploads=500, period=HOUR, length=SHORT_SECONDS), Uploads)
        for label, backlog in (("500 uploads in an hour", 0), ("the same beside a scan of 2,000", 2_000))
    }
    silence = Setting(videos=500, uploads=500, period=6 * HOUR, silence=(2 * HOUR, 3 * HOUR), length=SHORT_SECONDS)
    lost = {"500 in six hours, no event in the third": _uploads("lost events", silence, Uploads)}
    day = {
        f"{count:,} uploads in a day": _uploads(f"{count:,}", Setting(videos=count, uploads=count, length=SHORT_SECONDS), Uploads)
        for count in (options.uploads // 4, options.uploads // 2, options.uploads)
    }
    report.show(f"Uploads of {SHORT_SECONDS:g} s to a watched bucket", concurrent | lost | day)
    return {"uploads": concurrent | lost | day}


def months(_options):
    """Simulate a month of a watched bucket, with ten uploads a day and with none."""
    rows = {}
    for label, count in (("10 uploads a day", 300), ("no uploads", 0)):
        progress = report.Progress(label)
        design, _ = simulate(Setting(videos=count, uploads=count, period=MONTH_DAYS * DAY, length=SHORT_SECONDS), Uploads, progress)
        progress.end()
        rows[label] = month_figures(design, MONTH_DAYS)
    report.show("A month of a watched bucket", rows)
    return {"month": rows}


def _uploads(label, setting, make):
    progress = report.Progress(label)
    design, seconds = simulate(setting, make, progress)
    progress.end()
    row = figures(design, priced=False) | lag_figures(design)
    return row | {"seconds": round(seconds, 1), "milliseconds_per_video": round(1000 * seconds / setting.videos, 3)}


def _run(label, setting, make):
    progress = report.Progress(label)
    design, _ = simulate(setting, make, progress)
    progress.end()
    return design
