"""Which tests see which function: each test is traced once, and again when its file has changed."""

import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.running import ROOT, Forks, Traced

# So much longer a traced test may take than it does by itself; nothing is known of that yet.
MODULE_SECONDS = 1_800.0


@dataclass(frozen=True)
class Trace:
    """The functions that a test calls, and the seconds of processor time that it takes."""

    seconds: float
    functions: frozenset[str]


def traces(session, folder, processes):
    """Return the trace of each test, by its name; what was traced before and has not changed is taken from the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = defaultdict(list)
    for item in session.items:
        modules[item.path].append(item)
    stored = {path: _stored(folder, path) for path in modules}
    missing = [path for path in modules if not stored[path].exists()]
    with Forks(session, folder, processes) as forks:
        for path in sorted(missing, key=lambda path: -len(modules[path])):
            for _ in forks.start(stored[path].stem, _tracing(modules[path], stored[path]), MODULE_SECONDS):
                pass
        for _ in forks.rest():
            pass
    found = [json.loads(path.read_text("utf-8")) for path in stored.values()]
    return {name: Trace(seconds, frozenset(names)) for each in found for name, (seconds, names) in each.items()}


def _stored(folder, path):
    name = "-".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
    return folder / f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.json"


def _tracing(items, stored):
    def trace():
        found = {}
        for item, after in zip(items, [*items[1:], None], strict=True):
            began = time.process_time()
            with Traced() as traced:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            found[item.nodeid] = time.process_time() - began, sorted(traced.functions())
        unfinished = stored.with_suffix(".part")
        unfinished.write_text(json.dumps(found), "utf-8")
        unfinished.rename(stored)
        return 0

    return trace


class Chooser:
    """Chooses the tests for a fault: those that call its function, those of the mirroring file first, then the short ones."""

    def __init__(self, session, found, readers, most_seconds):
        self._items = {item.nodeid: item for item in session.items}
        self._found = found
        self._readers = readers
        self._most_seconds = most_seconds
        self._tests = defaultdict(list)
        for name, trace in found.items():
            for function in trace.functions:
                self._tests[function].append(name)

    def choose(self, fault):
        """Return the tests for a fault, as many as there is time for, and the seconds that they take."""
        functions = [f"{fault.path} {fault.function}"] if fault.function else self._readers(fault)
        names = {name for function in functions for name in self._tests[function] if name in self._items}
        chosen, seconds = [], 0.0
        for name in sorted(names, key=lambda name: (*_distance(fault.path, name), self._found[name].seconds)):
            if seconds + self._found[name].seconds <= self._most_seconds or not chosen:
                chosen.append(self._items[name])
                seconds += self._found[name].seconds
        return chosen, seconds


def _distance(path, test):
    """Return how far a test is from a source: how many of the names of its file and folders it does not share."""
    parts = {part for part in Path(path).with_suffix("").parts if part != "lib"}
    own = {part.removeprefix("test_") for part in Path(test.partition("::")[0]).with_suffix("").parts}
    return Path(path).stem not in own, len(parts - own)
