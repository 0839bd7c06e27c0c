"""The designs by name, and one simulation from its beginning to its figures."""

import gc
import logging
import time
from contextlib import contextmanager

from handlers.flows import start
from tests.bench.simulation import peers, prices
from tests.bench.simulation.measure import measure
from tests.bench.simulation.ours import Ours
from tests.bench.simulation.world import World

_COLLECTED_RARELY = (100_000, 10, 10)

# `blog_limited` has as many functions at a time as there are jobs; `scheduler` is fixed so that it stops at the limit.
DESIGNS = {
    "ours": Ours,
    "blog": peers.Blog,
    "blog_limited": lambda world: peers.Blog(world, reserved=world.setting.slots),
    "seed": peers.Seed,
    "scheduler": peers.Scheduler,
    "scheduler_as_written": lambda world: peers.Scheduler(world, as_written=True),
}


def simulate(setting, make=Ours, watch=None):
    """Return a simulation that has come to its end, and the seconds of the wall that it took."""
    began = time.perf_counter()
    with _undisturbed(), _wait(setting.wait):
        design = make(World(setting))
        design.lab.watch = watch
        design.run()
    return design, time.perf_counter() - began


def figures(design, *, priced=True):
    """Return the columns of one simulation: from the timeline, and for GB-seconds and dollars from the bill."""
    lab, setting = design.lab, design.world.setting
    result = measure(lab.timeline, setting.videos, setting.slots)
    columns = {
        "videos": setting.videos,
        "finished": result.finished,
        "lost": result.lost,
        "paid_twice": result.paid_twice,
        "makespan_ratio": _rounded(result.makespan_ratio, 4),
        "slot_use": _rounded(result.slot_use, 5),
        "rekognition_calls": round(lab.timeline.calls / setting.videos, 2),
        "gb_seconds": round(sum(bill.gb_seconds for bill in lab.runtime.bills.values()) / setting.videos, 3),
    }
    if priced:
        cost = prices.dollars(lab, processor=design.PROCESSOR)
        columns["dollars"] = float(f"{cost / setting.videos:.3g}")
    return columns | design.own_count()


@contextmanager
def _undisturbed():
    """Run without logs, and with a collector of cycles that a million videos do not keep busy for nothing."""
    loggers = [logging.getLogger(name) for name in ("video-moderation", "tools.emulator")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    gc.collect()
    thresholds = gc.get_threshold()
    gc.set_threshold(*_COLLECTED_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _wait(seconds):
    """Let starters wait for so long between two tries."""
    before, start.WAIT_SECONDS = start.WAIT_SECONDS, seconds
    try:
        yield
    finally:
        start.WAIT_SECONDS = before


def _rounded(value, digits):
    return None if value is None else round(value, digits)
