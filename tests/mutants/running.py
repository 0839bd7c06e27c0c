"""Runs tests against faults in processes forked from one that has imported and collected everything.

A fault inside of a function is put into that function's code where it lies in memory, a number outside of functions into every
module that holds it; so nothing is imported or collected again. Programs that a test starts as processes of their own do not have
the fault in them, so what only such a test could see counts as not seen.
"""

import ast
import contextlib
import gc
import importlib.machinery
import math
import os
import resource
import shutil
import signal
import sys
import time
import traceback
import types
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = tuple(f"{ROOT / folder}/" for folder in ("handlers", "stacks", "tools"))
# On a busy machine the clock goes so much faster than processor time.
WALL = 20
SEEN, UNSEEN, UNREACHED, BROKEN = 1, 0, 7, 8


class Collected:
    """Collects tests, and then calls `work(session, at_import)` in place of running them. A plugin of pytest."""

    def __init__(self, work):
        self._work = work
        self._calls = {}

    def pytest_configure(self):
        """Use the same few examples at each run: a fault is to be seen by what a test says, not by luck."""
        from hypothesis import Phase, settings  # noqa: PLC0415 # pytest rewrites its assertions, and so must be first

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", deadline=None, max_examples=40, derandomize=True, database=None, phases=phases)
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Work in place of running tests."""
        if "jsii" in sys.modules:
            raise RuntimeError("collecting has started Node, whose pipe forked processes would share")
        self._work(session)
        return True


def collect(folders, ignored, marks, work):
    """Collect the tests of some folders and work with them."""
    # Without a time limit by the clock, which a test may exceed because the machine is busy: that would count as seen.
    options = ["-q", "-s", "-p", "no:cacheprovider", "-o", "timeout=0", "-m", marks, *(f"--ignore={path}" for path in ignored)]
    return pytest.main([*options, *map(str, folders)], plugins=[Collected(work)])


class Forks:
    """Processes of which a number run at a time, each with a time limit; none outlives the block."""

    def __init__(self, session, folder, most):
        self._session = session
        self._folder = folder
        self._most = most
        self._running = {}
        self._base = session.config._tmp_path_factory.getbasetemp()

    def start(self, name, body, seconds, *, own_folder=False):
        """Fork a process that exits with what `body()` returns, and yield (name, exit code) of those that ended meanwhile.

        The exit code is None for one that took longer than its seconds of processor time, or much longer by the clock. Assemblies
        are synthesised once for all processes, except for those with a folder of their own.
        """
        while len(self._running) >= self._most:
            yield from self._ended()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._live(name, body, seconds, own_folder=own_folder)
        self._running[pid] = (name, time.monotonic() + WALL * seconds)

    def __enter__(self):
        """Begin."""
        return self

    def __exit__(self, *_):
        """End what runs."""
        for pid in list(self._running):
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._over(pid)

    def rest(self):
        """Yield what is left to end."""
        while self._running:
            yield from self._ended()

    def _live(self, name, body, seconds, *, own_folder):
        code = BROKEN
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds),) * 2)
            with (self._folder / f"{name}.log").open("wb") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            factory = self._session.config._tmp_path_factory
            factory._basetemp = self._base / f"fork-{os.getpid()}"
            factory._basetemp.mkdir()
            if not own_folder:
                os.environ["PYTEST_XDIST_WORKER"] = "fork"
            code = body()
        except BaseException:  # noqa: BLE001 # nothing of a fork may come back into the loop of its parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _ended(self):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            time.sleep(0.02)
            for late in [each for each, (_, until) in self._running.items() if time.monotonic() > until]:
                os.killpg(late, signal.SIGKILL)
                os.waitpid(late, 0)
                yield self._over(late), None
        elif pid in self._running:
            code = os.waitstatus_to_exitcode(status)
            yield self._over(pid), None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code

    def _over(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what its tests have left running
        shutil.rmtree(self._base / f"fork-{pid}", ignore_errors=True)
        return self._running.pop(pid)[0]


def run_anew(tests):
    """Collect tests here and run them until one fails, or cannot be collected; return whether one did."""
    return pytest.main(["-q", "-s", "-x", "-p", "no:cacheprovider", *tests]) != pytest.ExitCode.OK


def run(session, items):
    """Run tests until one fails; return whether one did."""
    for item, after in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.testsfailed:
            return True
    return False


def name_of(code):
    """Return the path of a code object, and the outermost function that it belongs to."""
    return f"{Path(code.co_filename).relative_to(ROOT)} {code.co_qualname.partition('.<locals>')[0]}"


def functions_by_code():
    """Return all functions of ours that exist, by file, name and line."""
    found = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType) and each.__code__.co_filename.startswith(FOLDERS):
            found[_key(each.__code__)].append(each)
    return found


def _key(code):
    return code.co_filename, code.co_qualname, code.co_firstlineno


def put(fault, tree, functions):
    """Put a fault into what is in memory, and into what is imported from now on; return whether that could be done."""
    path = str(ROOT / fault.path)
    module = compile(tree, path, "exec")
    _import_as({path: module})
    if fault.name is not None:
        return _put_number(fault, tree, path)
    name = f"{fault.path} {fault.function}"
    return all(_exchange(code, functions) for code in _codes_in(module) if name_of(code) == name)


def put_all(modules, functions):
    """Put the functions of compiled modules, by path, into what is in memory and into what is imported from now on."""
    _import_as(modules)
    for module in modules.values():
        for code in _codes_in(module):
            _exchange(code, functions)


def _exchange(code, functions):
    """Exchange the code of the functions that have the same place; return whether they can have it."""
    for function in functions[_key(code)]:
        if len(code.co_freevars) != len(function.__code__.co_freevars):
            return False
        function.__code__ = code
    return True


def _codes_in(code):
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes_in(each)


def _put_number(fault, tree, path):
    (statement,) = (
        each
        for each in tree.body
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id == fault.name
    )
    modules = [each for each in sys.modules.values() if isinstance(each, types.ModuleType)]
    own = next((each for each in modules if getattr(each, "__file__", None) == path), None)
    if own is None:
        return True  # is imported by a test
    old = vars(own)[fault.name]
    new = eval(compile(ast.Expression(statement.value), path, "eval"), vars(own))
    for module in modules:
        if vars(module).get(fault.name) is old:
            vars(module)[fault.name] = new
    return True


def _import_as(modules):
    """Let the modules of these paths be imported as compiled here: those that start Node are imported by tests."""
    get_code = importlib.machinery.SourceFileLoader.get_code

    def compiled_here(loader, fullname):
        return modules.get(loader.path) or get_code(loader, fullname)

    importlib.machinery.SourceFileLoader.get_code = compiled_here
