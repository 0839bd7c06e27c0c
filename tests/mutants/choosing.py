"""Which tests reach which statement: each test is traced once, and again when its file has changed."""

import hashlib
import json
import time
from collections import defaultdict
from pathlib import Path

from tests.mutants.reached import Reached, marked
from tests.mutants.running import ROOT, Forks

# So much longer a traced test may take than it does by itself; nothing is known of that yet.
MODULE_SECONDS = 1_800.0


def traces(session, texts, functions, folder, processes):
    """Return the seconds of processor time and the reached statements of each test, by its name.

    What was traced before and has not changed is taken from the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    modules = defaultdict(list)
    for item in session.items:
        modules[item.path].append(item)
    stored = {path: _stored(folder, path) for path in modules}
    missing = [path for path, items in modules.items() if not {item.nodeid for item in items} <= _read(stored[path]).keys()]
    with_marks = marked(texts) if missing else {}
    with Forks(session, folder, processes) as forks:
        for path in sorted(missing, key=lambda path: -len(modules[path])):
            body = _tracing(modules[path], with_marks, functions, stored[path])
            for _ in forks.start(stored[path].stem, body, MODULE_SECONDS):
                pass
        for _ in forks.rest():
            pass
    return {name: found for path in stored.values() for name, found in _read(path).items()}


def _read(path):
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _stored(folder, path):
    name = "-".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
    return folder / f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.json"


def _tracing(items, with_marks, functions, stored):
    def trace():
        reached, found = Reached(with_marks, functions), {}
        for item, after in zip(items, [*items[1:], None], strict=True):
            began, failed = time.process_time(), item.session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            places = reached.taken()
            # What fails without a fault, too, sees none.
            found[item.nodeid] = time.process_time() - began, places if item.session.testsfailed == failed else []
        unfinished = stored.with_suffix(".part")
        unfinished.write_text(json.dumps(found), "utf-8")
        unfinished.rename(stored)
        return 0

    return trace


class Chooser:
    """Chooses the tests for a fault: those that reach its statement, first those that are near it and reach little else."""

    def __init__(self, session, found, statements, most_seconds):
        self._items = {item.nodeid: item for item in session.items}
        self._seconds = {name: seconds for name, (seconds, _) in found.items()}
        self._reached = {name: len(places) for name, (_, places) in found.items()}
        self._statements = statements
        self._most_seconds = most_seconds
        self._tests = defaultdict(set)
        for name, (_, places) in found.items():
            for place in places:
                self._tests[place].add(name)
                self._tests[_function(place)].add(name)

    def choose(self, fault):
        """Return the tests for a fault, as many as there is time for, and the seconds that they take."""
        places = self._statements.of(fault)
        # A function that has changed since its tests were traced has its statements elsewhere.
        names = self._reaching(places) or self._reaching(map(_function, places))
        chosen, seconds = [], 0.0
        for name in sorted(names, key=lambda name: _distance(fault.path, name) * self._reached[name]):
            if seconds + self._seconds[name] <= self._most_seconds or not chosen:
                chosen.append(self._items[name])
                seconds += self._seconds[name]
        return chosen, seconds

    def _reaching(self, places):
        return {name for place in places for name in self._tests[place] if name in self._items}


def _function(place):
    return place.partition("+")[0]


def _distance(path, test):
    """Return how far a test is from a source: how many words in the names of its file and folders it does not share, and one."""
    return 1 + len(_words(path) - _words(test.partition("::")[0]))


def _words(path):
    return {word for part in Path(path).with_suffix("").parts for word in part.split("_")} - {"lib", "test"}
