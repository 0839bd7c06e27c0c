"""`make mutants`: puts faults into the sources, one at a time and drawn at random; the tests must see them.

`python -m tests.mutants [PATH ...] [--faults N] [--seed N] [--processes N] [--minutes N]`, e.g. `handlers/flows`. The tally goes
to stdout and `build/mutants.json`. 0 where at least 92 % are seen, 1 where not. Which faults there are: faults.py; how tests are
chosen for each: choosing.py. docs/mutants.md lists those that no test sees, and why.

A fault counts as seen where a test fails, or where the tests do not end any more. Not seen are the others, those included whose
function no test calls.
"""

import argparse
import gc
import json
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.mutants.choosing import Chooser, traces
from tests.mutants.faults import faults_of, with_fault
from tests.mutants.reached import Statements
from tests.mutants.running import ROOT, SEEN, UNREACHED, UNSEEN, Forks, collect, functions_by_code, put, run, run_anew

BUILD = ROOT / "build"
RESULT = BUILD / "mutants.json"
LEAST_PERCENT = 92.0
PACKAGES = ("submit", "review", "retry", "rejudge", "manifest", "listing", "estimate", "doctor", "scans", "watch")
PATHS = ("handlers/domain", "handlers/flows", "handlers/adapters", *(f"tools/lib/{each}" for each in PACKAGES), "stacks")
TESTS = (
    "tests/handlers",
    "tests/tools",
    "tests/seed_defects",
    "tests/bad_input",
    "tests/pins",
    "tests/test_any_key.py",
    "tests/docs/test_tables.py",
)
# These start Node, which forked processes cannot share: each fault in the stacks has them collected in its own process. The one
# that compares whole templates comes first.
NODE_TESTS = ("tests/pins/test_template.py", "tests/bad_input/test_context.py", "tests/tools/rehearsal/test_assembly.py")
STACK_TESTS = (
    NODE_TESTS[0],
    *(f"tests/stacks/test_{name}.py" for name in ("settings", "resources", "permissions", "asset", "template_and_code_agree")),
    NODE_TESTS[1],
)
MARKS = "not long"
# The tests of one fault take at most this long by themselves, and at most this factor longer with the fault, on a busy machine.
MOST_SECONDS, TIMES_AS_LONG, START_SECONDS = 20.0, 3.0, 10.0
STACK_SECONDS = 60.0
STATES = {SEEN: "seen", UNSEEN: "not seen", UNREACHED: "not reached", None: "seen (no end)"}


def sources(paths):
    """Return the sources of files and folders, by path."""
    files = (path for name in paths for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py")))
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in sorted(files)}


def drawn(arguments, texts, statements):
    """Return the faults to try, and how many there are."""
    faults = [fault for path in sources(arguments.paths) for fault in faults_of(path, texts[path])]
    faults = [fault for fault in faults if fault.function or statements.of(fault)]
    if arguments.again:
        unseen = set(map(_shorn, json.loads(RESULT.read_text("utf-8"))["unseen"]))
        return [fault for fault in faults if _without_line(fault) in unseen], len(faults)
    return random.Random(arguments.seed).sample(faults, min(arguments.faults, len(faults))), len(faults)


def _without_line(fault):
    return _shorn(str(fault))


def _shorn(text):
    where, _, what = text.partition(" ")
    return f"{where.partition(':')[0]} {what}"


class Trial:
    """Tries the faults, when the tests are collected."""

    def __init__(self, arguments):
        self._arguments = arguments
        # As they are now: whoever goes on working changes them while the faults are tried.
        self._texts = sources(["handlers", "stacks", "tools/lib"])
        self._statements = Statements(self._texts)
        self._faults, self.possible = drawn(arguments, self._texts, self._statements)
        self.states = {}

    def work(self, session):
        """Trace the tests, and run those that are chosen for each fault."""
        arguments, ends_at = self._arguments, time.monotonic() + 60 * self._arguments.minutes
        functions = functions_by_code()
        gc.freeze()  # or each fork would copy what is collected here
        found = {}
        if not all(map(_in_stacks, self._faults)):
            found = traces(session, self._texts, functions, BUILD / "mutants", arguments.processes)
        chooser = Chooser(session, found, self._statements, arguments.seconds)
        logs = BUILD / "mutants-logs"
        logs.mkdir(exist_ok=True)
        with Forks(session, logs, arguments.processes) as forks:
            for number, fault in enumerate(self._faults):
                if time.monotonic() > ends_at:
                    break
                for ended in self._tried(forks, number, fault, session, chooser, functions):
                    self._note(*ended)
            for ended in forks.rest():
                self._note(*ended)

    def _tried(self, forks, number, fault, session, chooser, functions):
        """Begin to try a fault, and yield what came of others meanwhile."""
        items, seconds = ([], STACK_SECONDS) if _in_stacks(fault) else chooser.choose(fault)
        if items or _in_stacks(fault):
            body = _try(session, with_fault(fault, self._texts[fault.path]), fault, items, functions)
            yield from forks.start(number, body, START_SECONDS + TIMES_AS_LONG * seconds, own_folder=_in_stacks(fault))
        else:
            yield number, "no test"

    def _note(self, number, code):
        fault, state = self._faults[number], STATES.get(code, code if code == "no test" else "broken")
        self.states[fault] = state
        sys.stdout.write(f"{len(self.states):4} {state:<14} {fault}\n")
        sys.stdout.flush()


def _in_stacks(fault):
    return fault.path.startswith("stacks/")


def _try(session, tree, fault, items, functions):
    def body():
        if not put(fault, tree, functions):
            return UNREACHED
        seen = run(session, items) if items else run_anew([str(ROOT / name) for name in STACK_TESTS])
        return SEEN if seen else UNSEEN

    return body


def percent(counts):
    """Return how many of a hundred faults were seen."""
    tried = sum(count for state, count in counts.items() if state != STATES[UNREACHED])
    return 100.0 * sum(count for state, count in counts.items() if state.startswith("seen")) / tried if tried else 100.0


def report(trial, seed):
    """Write the tally and return the share that was seen."""
    packages = defaultdict(Counter)
    for fault, state in trial.states.items():
        packages[str(Path(fault.path).parent)][state] += 1
    total = sum(packages.values(), Counter())
    share = percent(total)
    unseen = [str(fault) for fault, state in trial.states.items() if not state.startswith("seen")]
    kept = {"percent": share, "seed": seed, "possible": trial.possible, "total": total, "packages": packages, "unseen": unseen}
    RESULT.write_text(json.dumps(kept, indent=1), "utf-8")
    for package, counts in [*sorted(packages.items()), (f"of {trial.possible:,}, seed {seed}", total)]:
        summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        sys.stdout.write(f"{package:<32}{percent(counts):6.1f} %  {summary}\n")
    return share


def main():
    """Draw, try, tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Put faults into the sources.")
    parser.add_argument("paths", nargs="*", default=PATHS, metavar="PATH", help="files and folders (default: all that are tried)")
    parser.add_argument("--faults", type=int, default=150, help="how many are drawn (default 150)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="draws the same faults again (default: others each time)"
    )
    parser.add_argument("--processes", type=int, default=1, help="at a time (default 1)")
    parser.add_argument("--minutes", type=float, default=60.0, help="after so long none is begun any more (default 60)")
    parser.add_argument(
        "--seconds", type=float, default=MOST_SECONDS, help=f"the tests of one fault take at most (default {MOST_SECONDS:.0f})"
    )
    parser.add_argument(
        "--tests", nargs="+", default=TESTS, metavar="PATH", help="files and folders (default: all that may see a fault)"
    )
    parser.add_argument("--again", action="store_true", help="those that no test saw the last time")
    arguments = parser.parse_args()
    BUILD.mkdir(exist_ok=True)
    trial = Trial(arguments)
    collect([ROOT / name for name in arguments.tests], [ROOT / name for name in NODE_TESTS], MARKS, trial.work)
    return 0 if trial.states and report(trial, arguments.seed) >= LEAST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
