"""Worlds in which functions are killed; each scenario with each index lag runs once for all tests."""

import functools

import pytest

from handlers.flows.sweep import close_scans, purge, rules
from tests.harness.fixtures import assembly, opened, session
from tests.harness.line import BUCKET
from tests.kill import scenarios
from tests.kill.final import final_of
from tests.kill.injecting import Injecting
from tests.kill.killing import Killing
from tests.kill.objects import ShortWayToObjects
from tests.kill.sites import HANDLERS
from tests.once import found_once

__all__ = ["assembly", "session"]

# Where a scenario wants another context or world than the others.
CONTEXT = {
    "consequences": {
        "source_buckets": [BUCKET, scenarios.VERSIONED],
        **dict.fromkeys(("publish_events", "tag_objects", "annotate_objects"), True),
    },
    "frames": {"frames": True},
    "frames_held": {"frames": True},
    "uploads": {"watch": [{"bucket": BUCKET, "max_minutes_per_day": 2}]},
}
SETTINGS = {"holds": {"account_jobs": 1, "analysis_base_seconds": 2.0}, "uploads": {"event_bridge_switch_seconds": 0.0}}
COUNTS = []


@pytest.fixture(scope="session")
def small_numbers():
    """Treat a lane of two messages as large, a batch job and a day as over after minutes: fewer sweeps, the same calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(purge, "PURGED_ABOVE", 1)
        patch.setattr(close_scans, "JOBS_OVER_SECONDS", 60.0)
        patch.setattr(close_scans, "DAY_OVER_SECONDS", 300.0)
        patch.setattr(rules, "COMPARED_FROM_SECONDS", 60.0)
        patch.setattr(rules, "EVENT_SECONDS", 60.0)
        yield


@pytest.fixture(scope="session")
def make_world(tmp_path_factory, assembly, session, small_numbers):
    """Return a context manager that gives a line and a folder for its forks."""

    def world(name=None, **settings):
        folder = tmp_path_factory.mktemp("kill")
        return _World(folder, assembly, session, CONTEXT.get(name), {**SETTINGS.get(name, {}), **settings})

    return world


class _World:
    """One deployment, as long as the block lasts."""

    def __init__(self, folder, assembly, session, context, settings):
        self._folder = folder
        self._context = context
        self._opened = opened(folder, assembly, session)
        self._settings = settings

    def __enter__(self):
        """Deploy."""
        line = self._opened.__enter__()(self._context, **self._settings)
        line.heard = scenarios.listen(line)
        line.skip_http("events", "s3control", "sns")
        line.flows.clients["s3"] = ShortWayToObjects(line)
        return line, self._folder

    def __exit__(self, *error):
        """Take it down."""
        return self._opened.__exit__(*error)


@pytest.fixture(scope="session")
def warm(make_world):
    """Run each scenario once, so that forks need not repeat what is made on first use."""
    for name in ("verdicts", "ends"):
        with make_world() as (line, _):
            getattr(scenarios, name)(line)
            final_of(line)


@pytest.fixture(scope="session")
def killed(make_world, warm, tmp_path_factory):
    """Return a function from a scenario's name to the outcome of killing at each of its calls, found once for all workers."""

    @functools.cache
    def kill(name, lag=0.0, handlers=HANDLERS, **settings):
        asked = "-".join(("killed", name, str(lag), *handlers, *map(str, sorted(settings.items()))))
        return found_once(tmp_path_factory, asked, lambda: run(name, lag, handlers, settings))

    def run(name, lag, handlers, settings):
        # Unknown on AWS: here a task is repeated whose function died; the other way has a test of its own.
        settings = {"batch_function_errors_redriven": True, "index_lag_seconds": lag, **settings}
        with make_world(name, **settings) as (line, folder):
            outcome = Killing(line, folder, handlers).run(getattr(scenarios, name))
        COUNTS.append((len(outcome.points), outcome.calls, len(outcome.ends)))
        return outcome

    return kill


@pytest.fixture(scope="session")
def injected(make_world, warm, tmp_path_factory):
    """Return a function from a scenario's name to the outcome of faults at each of its sites, found once for all workers."""

    @functools.cache
    def inject(name):
        return found_once(tmp_path_factory, f"injected-{name}", lambda: run(name))

    def run(name):
        with make_world(name, batch_function_errors_redriven=True) as (line, folder):
            return Injecting(line, folder).run(getattr(scenarios, name))

    return inject


def pytest_sessionfinish(session):
    """Hand the counts of a worker of pytest-xdist to the process that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kills"] = COUNTS


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take the counts of a worker."""
    COUNTS.extend(getattr(node, "workeroutput", {}).get("kills", ()))


def pytest_terminal_summary(terminalreporter):
    """Show how many kills there were."""
    if COUNTS:
        points, calls, worlds = map(sum, zip(*COUNTS, strict=True))
        summary = (
            f"{points:,} kill points, before and after each of {calls:,} AWS calls of functions, in {worlds:,} worlds that differ"
        )
        terminalreporter.write_line(f"kill tests: {summary}")
