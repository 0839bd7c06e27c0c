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
    found, forks = {}, Forks(session, folder, processes)
    missing = {path: items for path, items in modules.items() if not _stored(folder, path).exists()}
    for path, items in sorted(missing.items(), key=lambda one: -len(one[1])):
        body = _tracing(items, _stored(folder, path))
        for _ in forks.start(_stored(folder, path).stem, body, MODULE_SECONDS):
            pass
    for _ in forks.rest():
        pass
    for path in modules:
        stored = _stored(folder, path)
        told = json.loads(stored.read_text("utf-8")) if stored.exists() else {}
        found |= {name: Trace(seconds, frozenset(functions)) for name, (seconds, functions) in told.items()}
    return found


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
        """Return the tests for a fault and the seconds that they take; of those with long ones only as many as there is time for."""
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
