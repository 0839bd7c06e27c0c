import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path


def alive(pid):
    """Whether there is such a process; one that only waits to be reaped, its threads gone and its sockets closed, is not."""
    process = Path(f"/proc/{pid}")
    try:
        zombie = (process / "stat").read_text().split(")")[1].split()[0] == "Z"
        return not zombie or len(list((process / "task").iterdir())) > 1
    except FileNotFoundError:
        return False


def eventually(condition, seconds=20.0):
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_a_process_stays_warm(bench, app):
    """The next invocation uses the process and the module of the one before."""
    bench.service.put(app("warm"))

    first, second = bench.call("warm"), bench.call("warm")

    assert (second["pid"], second["count"]) == (first["pid"], 2)


def test_functions_share_no_process(bench, app):
    """Each function has environments of its own, even with the same code."""
    bench.service.put(app("warm"))
    bench.service.put(app("other", handler="app.warm"))

    first, second = bench.call("warm"), bench.call("other")

    assert first["pid"] != second["pid"]
    assert second["count"] == 1


def test_new_code_replaces_the_processes(bench, function, package):
    """After an update the next invocation runs the new code."""
    bench.service.put(function("work", code=package(app="def work(event, context): return 1")))
    before = bench.call("work")
    bench.service.put(function("work", code=package(app="def work(event, context): return 2")))

    assert (before, bench.call("work")) == (1, 2)


def test_a_busy_process_is_not_used_after_an_update(bench, app):
    """A process that was busy while its function changed ends instead of serving again."""
    bench.service.put(app("hold"))
    results = []
    bench.service.invoke("hold", b"1", results.append)
    assert eventually(lambda: "holding" in bench.log("hold"))
    bench.service.put(app("hold", environment={"NEW": "1"}))
    assert eventually(lambda: results)
    assert eventually(lambda: bench.runtime.pids("hold"))
    old = bench.runtime.pids("hold")

    bench.call("hold", 0)

    assert bench.runtime.pids("hold") != old
    assert eventually(lambda: not alive(old[0]))


def test_logs_are_lambdas_json(bench, app):
    """Records become JSON lines with the fields given through `extra`; DEBUG is not shown; print stays as it is."""
    bench.service.put(app("logs"))

    request_id = bench.call("logs")
    eventually(lambda: "platform.report" in bench.log("logs"))
    plain, first, caught, report = bench.log("logs").splitlines()
    record = json.loads(first)

    assert plain == "plain"
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "level": "INFO",
        "message": "with fields",
        "logger": "app",
        "requestId": request_id,
        "scan_id": "01J",
        "count": 2,
    }
    assert json.loads(caught)["errorType"] == "ZeroDivisionError"
    assert json.loads(report)["record"]["status"] == "success"


def test_a_killed_idle_process_is_replaced(bench, app):
    """An environment that died while idle costs no invocation."""
    bench.service.put(app("warm"))
    pid = bench.call("warm")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not alive(pid))

    assert bench.call("warm")["count"] == 1


def test_invocations_run_concurrently(bench, app):
    """Two invocations at a time have two processes."""
    bench.service.put(app("hold"))
    results = []
    for _ in range(2):
        bench.service.invoke("hold", b"0.5", results.append)

    assert eventually(lambda: len(results) == 2)
    assert eventually(lambda: len(set(bench.runtime.pids("hold"))) == 2)


def test_closing_ends_every_process(bench, app):
    """Idle and busy processes end with the service, and a busy one's caller gets its result."""
    bench.service.put(app("warm"))
    bench.service.put(app("hold"))
    idle = bench.call("warm")["pid"]
    results = []
    bench.service.invoke("hold", b"60", results.append)
    assert eventually(lambda: "holding" in bench.log("hold"))

    began = time.monotonic()
    bench.service.close()
    took = time.monotonic() - began

    assert took < 10
    assert eventually(lambda: not alive(idle))
    assert eventually(lambda: results)
    assert b"Runtime.ExitError" in results[0].payload


ORPHANS = """
import os, sys, threading
from pathlib import Path
from tools.emulator.core.access import AccessKeys
from tools.emulator.core.clock import WallClock
from tools.emulator.services.lambda_ import Function, FunctionService, ProcessRuntime
from tools.emulator.settings import EmulatorSettings
settings, clock, directory = EmulatorSettings(snap_start=sys.argv[2] == "True"), WallClock(), Path(sys.argv[1])
runtime = ProcessRuntime(clock=clock, settings=settings, endpoint=dict, keys=AccessKeys(settings), directory=directory)
service = FunctionService(clock=clock, settings=settings, queues=None, receiving=None, runtime=runtime)
code = (directory / "code.zip").read_bytes()
service.put(Function(name="busy", arn="arn:busy", handler="app.busy", role="r", code=code, timeout=900.0))
service.invoke("busy", b"{}", print)
threading.Event().wait()
"""


def test_a_killed_program_leaves_no_orphans(tmp_path, package, snap_start):
    """If the program is killed, busy workers and what they were forked from end too."""
    source = (
        "import os, time\n"
        "def busy(event, context):\n"
        f"    open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\n"
        "    time.sleep(900)\n"
    )
    (tmp_path / "code.zip").write_bytes(package(app=source))
    pids = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", ORPHANS, str(tmp_path), str(snap_start)]) as program:
        try:
            assert eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2, seconds=60.0)
        finally:
            program.kill()

    assert eventually(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))


def test_a_warm_invocation_takes_milliseconds(bench, app, record_property):
    """The median of warm invocations, from call to result (typically 1 to 2 ms)."""
    bench.service.put(app("warm"))
    bench.call("warm")
    took = []
    for _ in range(100):
        began = time.perf_counter()
        bench.call("warm")
        took.append(time.perf_counter() - began)

    median = statistics.median(took)
    record_property("median_ms", round(median * 1000, 2))

    assert median < 0.05
