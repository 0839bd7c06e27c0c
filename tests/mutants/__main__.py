"""`make mutants`: mutmut puts faults into `handlers/domain`, one at a time, and the tests of that folder must see them.

`python -m tests.mutants [MODULE ...] [--processes N]`, e.g. `notice`. Everything happens in a copy below `build/mutants`, each time
from nothing; the tally goes to `build/mutants.json` and stdout. 0 where at least 85 % are seen, 1 where not, 2 where mutmut failed.

A fault counts as seen where a test fails, or where the tests do not end any more (mutmut ends them). Not seen are the others, those
that no test ever runs included. mutmut changes the bodies of functions and methods; it leaves constants, properties and other
decorated functions alone, so those are not tested.

Faults that no test can see, by kind; they are counted all the same:

* sentences for people in other case or between XX: tests ask for what a sentence must name, not for its wording;
* `ensure_ascii=True` left out, "UTF-8" for "utf-8", `encoding=None`: Python's own defaults;
* bounds inside a shortcut, where the long way round has the same result (`_cut`: what just fits is not cut either way);
* a value that is never read, such as the None behind each job id in the dict used as an ordered set (`notice`).
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "mutants"
RESULT = ROOT / "build" / "mutants.json"
LEAST_PERCENT = 85.0
COPIED = ("handlers", "tests/events", "tests/handlers/domain", "tools/__init__.py", "tools/lib")
NOT_REACHED = {
    "taxonomy.x__ancestors": "runs when the module is imported, which is before mutmut can put the fault in",
}
"""Functions whose faults mutmut makes but cannot try, and why; they are left out of the share and counted apart."""

KILLED, TIMED_OUT, SURVIVED, UNTESTED = "killed", "timeout", "survived", "no tests"
STATES = {
    0: SURVIVED,
    1: KILLED,
    3: KILLED,  # pytest itself broke
    -9: KILLED,
    -11: KILLED,
    5: UNTESTED,
    33: UNTESTED,
    **dict.fromkeys((24, -24, 36, 152, 255), TIMED_OUT),
}
"""What mutmut's exit codes mean (mutmut/stats.py); any other is not a result."""

CONFIGURATION = """\
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
pythonpath = ["."]
[tool.mutmut]
source_paths = ["handlers"]
only_mutate = ["handlers/domain/*.py"]
also_copy = ["tools"]
pytest_add_cli_args_test_selection = ["tests/handlers/domain"]
timeout_multiplier = 5.0
timeout_constant = 2.0
"""
PROFILE = '''\
"""The same examples at each run and few of them: a fault is to be seen by what a test says, not by luck."""

from hypothesis import settings

settings.register_profile("mutants", deadline=None, max_examples=40, derandomize=True, database=None)
settings.load_profile("mutants")
'''


def copy():
    """Copy what is mutated and what tests it."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (WORK / "pyproject.toml").write_text(CONFIGURATION, "utf-8")
    (WORK / "tests" / "handlers" / "domain" / "conftest.py").write_text(PROFILE, "utf-8")


def run(modules, processes):
    """Run mutmut and return whether it came to its end; how far it is, it says on a terminal, and else in a file."""
    program = Path(sys.executable).with_name("mutmut")
    names = [f"handlers.domain.{module}.*" for module in modules]
    with (WORK / "mutmut.log").open("wb") as log:
        to = None if sys.stdout.isatty() else log
        done = subprocess.run([program, "run", "--max-children", str(processes), *names], cwd=WORK, stdout=to, check=False)
    return done.returncode == 0


def _end_of_log():
    return "\n".join((WORK / "mutmut.log").read_text("utf-8", errors="replace").splitlines()[-20:])


def tally(asked):
    """Return how many mutants of each module (all where none is asked for) came to what, and the names of the survivors."""
    modules, unseen = {}, []
    for path in sorted((WORK / "mutants" / "handlers" / "domain").glob("*.py.meta")):
        module = path.name.removesuffix(".py.meta")
        if asked and module not in asked:
            continue
        counts = Counter()
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
            function = name.removeprefix("handlers.domain.").partition("__mutmut_")[0]
            state = "not reached" if function in NOT_REACHED else STATES.get(code, "no result")
            counts[state] += 1
            if state not in {KILLED, TIMED_OUT, "not reached"}:
                unseen.append(name)
        if counts.total():
            modules[module] = dict(counts)
    return modules, unseen


def percent(counts):
    """Return how many of a hundred mutants were seen."""
    tried = sum(count for state, count in counts.items() if state != "not reached")
    return 100.0 * (counts.get(KILLED, 0) + counts.get(TIMED_OUT, 0)) / tried if tried else 100.0


def main():
    """Copy, run, tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Mutate handlers/domain.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of handlers/domain; all where none is named")
    parser.add_argument("--processes", type=int, default=1, help="at a time (default 1)")
    arguments = parser.parse_args()
    copy()
    if not run(arguments.modules, arguments.processes):
        sys.stderr.write(f"{_end_of_log()}\nmutmut did not come to its end; run it by hand in {WORK} to see more.\n")
        return 2
    modules, unseen = tally(arguments.modules)
    total = Counter()
    for counts in modules.values():
        total.update(counts)
    share = percent(total)
    RESULT.write_text(json.dumps({"percent": share, "total": total, "modules": modules, "unseen": unseen}, indent=1), "utf-8")
    for module, counts in [*modules.items(), ("all", total)]:
        summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        sys.stdout.write(f"{module:<14}{percent(counts):6.1f} %  {summary}\n")
    sys.stdout.write(f"Each survivor is named in {RESULT.relative_to(ROOT)}; `mutmut show NAME` in {WORK.relative_to(ROOT)}.\n")
    return 0 if share >= LEAST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
