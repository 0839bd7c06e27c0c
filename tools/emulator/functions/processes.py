"""The runtime that runs functions in warm processes, one invocation at a time in each."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tools.emulator.clock import Clock
from tools.emulator.functions import wire
from tools.emulator.functions.environment import CodeStore, variables
from tools.emulator.functions.model import Function, Invocation, Outcome, exited, timed_out
from tools.emulator.settings import EmulatorSettings

_PROJECT = Path(__file__).resolve().parents[3]
# Seconds of the wall for loading a handler. Lambda allows 10 for the phase; a laptop with eight at once needs more.
INIT_LIMIT_SECONDS = 60.0
# Seconds of the wall in which the zygote must end when told so.
ZYGOTE_END_SECONDS = 5.0

log = logging.getLogger(__name__)


class Zygote:
    """The process that forks environments; started at once, ready half a second later."""

    def __init__(self, log_path: Path) -> None:
        self._channel, theirs = wire.pair()
        self._lock = threading.Lock()
        with log_path.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own module, run by our own interpreter
                [sys.executable, "-m", "tools.emulator.functions.zygote", str(theirs)],
                pass_fds=[theirs],
                env={"PYTHONPATH": str(_PROJECT), "PATH": os.defpath, "AWS_CONFIG_FILE": os.devnull},
                cwd=_PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal ends the program, which then ends the zygote
            )
        os.close(theirs)

    def fork(self, spec: wire.Message) -> tuple[wire.Channel, int]:
        """Fork a worker; return the channel to it and its process id."""
        channel, theirs = wire.pair()
        try:
            return channel, int(self._ask(spec, theirs)["pid"])
        finally:
            os.close(theirs)

    def reap(self, pid: int, *, kill: bool) -> int:
        """Wait for a worker that ends, or kill it; return its wait status."""
        return int(self._ask({"pid": pid, "kill": kill})["status"])

    def close(self) -> None:
        """End the zygote, and with it every worker."""
        self._channel.end()
        try:
            self._process.wait(ZYGOTE_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, request: wire.Message, descriptor: int | None = None) -> wire.Message:
        with self._lock:
            self._channel.send(request, descriptor)
            answer = self._channel.receive()
        if answer is None:
            raise ConnectionError("the zygote of the functions' processes has ended; see zygote.log")
        return answer


class Environment:
    """One warm process of one function."""

    def __init__(self, function: Function, zygote: Zygote, spec: wire.Message) -> None:
        self.function = function
        self._zygote = zygote
        self._channel, self.pid = zygote.fork(spec)
        self._started = False
        self._reaped = False
        self.usable = True

    def gone(self) -> bool:
        """Return whether the process has ended while nobody looked."""
        return self._channel.gone()

    def close(self) -> None:
        """Kill the process, if it has not ended yet."""
        if not self._reaped:
            self._reap(kill=True)

    def abandon(self) -> None:
        """Let the process end by itself: it does so with its socket."""
        self._channel.end()

    def run(self, request: Callable[[], wire.Message], invocation: Invocation, seconds: float) -> Outcome | None:
        """Run one invocation within so many seconds of the wall, not counting the loading of the handler.

        Returns None where the time ran out. `usable` says afterwards whether the environment can take another.
        """
        if not self._started and (failed := self._start(invocation)) is not None:
            return failed
        deadline = time.monotonic() + seconds
        try:
            self._channel.send(request())
            return self._answer(invocation, deadline)
        except TimeoutError:
            self.usable = False
            return None
        except ConnectionError:
            return self._exited(invocation)

    def _start(self, invocation: Invocation) -> Outcome | None:
        try:
            first = self._channel.receive(INIT_LIMIT_SECONDS)
        except TimeoutError:
            self.usable = False
            return exited(invocation.request_id, f"after {INIT_LIMIT_SECONDS:.0f} s of loading the handler")
        if first is None:
            return self._exited(invocation)
        if "init_error" in first:
            self.usable = False
            return Outcome(json.dumps(first["init_error"]).encode(), failed=True)
        self._started = True
        return None

    def _answer(self, invocation: Invocation, deadline: float) -> Outcome:
        while (message := self._channel.receive(max(0.0, deadline - time.monotonic()))) is not None:
            if "called" in message:
                invocation.watch.called(message["called"])
            elif "struck" in message:
                invocation.watch.struck()
            elif "error" in message:
                return Outcome(json.dumps(message["error"], ensure_ascii=False).encode(), failed=True)
            else:
                return Outcome(message["answer"].encode())
        return self._exited(invocation)

    def _exited(self, invocation: Invocation) -> Outcome:
        """Say how the process ended: its socket is closed, so it has, or is about to."""
        self.usable = False
        return exited(invocation.request_id, _reason(self._reap(kill=False)))

    def _reap(self, *, kill: bool) -> int:
        self._reaped = True
        self._channel.end()
        return self._zygote.reap(self.pid, kill=kill)


def _reason(status: int) -> str:
    if os.WIFSIGNALED(status):
        name = signal.strsignal(os.WTERMSIG(status)) or str(os.WTERMSIG(status))
        return f"with error: signal: {name.lower()}"
    code = os.waitstatus_to_exitcode(status)
    return f"with error: exit status {code}" if code else "without providing a reason"


class ProcessRuntime:
    """Keeps warm processes by function; the service's concurrency limits say how many there are at most.

    Logs go to `<directory>/logs/<function>.log`, unpacked code to `<directory>/code`.
    """

    def __init__(
        self, *, clock: Clock, settings: EmulatorSettings, endpoint: Callable[[], Mapping[str, str]], directory: Path
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._endpoint = endpoint
        self._logs = directory / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._code = CodeStore(directory / "code")
        self._zygote = Zygote(self._logs / "zygote.log")
        self._idle: defaultdict[str, list[Environment]] = defaultdict(list)
        self._all: set[Environment] = set()
        self._lock = threading.Lock()
        self._open = True

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Run the function in a process, warm if there is one; `done` is called from a thread of the runtime's."""
        threading.Thread(target=self._serve, args=(function, invocation, done), name=function.name, daemon=True).start()

    def retire(self, function_name: str) -> None:
        """End the function's idle processes; a busy one is not used again, because it no longer fits the function."""
        with self._lock:
            idle = self._idle.pop(function_name, [])
        for environment in idle:
            self._end(environment)

    def close(self) -> None:
        """End all processes; invocations under way end as system errors or as exited."""
        with self._lock:
            self._open = False
            self._idle.clear()
            environments = list(self._all)
        for environment in environments:
            environment.abandon()
        self._zygote.close()

    def pids(self, function_name: str) -> list[int]:
        """Return the process ids of the function's idle environments, oldest first."""
        with self._lock:
            return [environment.pid for environment in self._idle[function_name]]

    def _serve(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        began = time.monotonic()
        try:
            outcome = self._once(function, invocation)
        except Exception as fault:  # a fault of the emulator's own is Lambda's own: a system error, seen in the log
            if self._open:
                log.exception("running %s failed", function.name)
            outcome = Outcome(json.dumps({"errorType": "ServiceException", "errorMessage": str(fault)}).encode(), system=True)
        self._report(function, invocation, outcome, time.monotonic() - began)
        done(outcome)

    def _once(self, function: Function, invocation: Invocation) -> Outcome:
        environment = self._take(function) or self._new(function)
        outcome = environment.run(
            lambda: self._request(function, invocation), invocation, _wall_seconds(function.timeout, self._settings)
        )
        if environment.usable:
            self._park(environment)
        else:
            self._end(environment)
        return timed_out(function, invocation.request_id) if outcome is None else outcome

    def _park(self, environment: Environment) -> None:
        with self._lock:
            self._idle[environment.function.name].append(environment)

    def _take(self, function: Function) -> Environment | None:
        while True:
            with self._lock:
                idle = self._idle[function.name]
                environment = idle.pop() if idle else None
            if environment is None:
                return None
            if environment.function.runs_as(function) and not environment.gone():
                return environment
            self._end(environment)

    def _end(self, environment: Environment) -> None:
        environment.close()
        with self._lock:
            self._all.discard(environment)

    def _new(self, function: Function) -> Environment:
        root = self._code.root(function.code)
        now = self._clock.now()
        given = variables(function, root=root, settings=self._settings, endpoint=self._endpoint(), now=now)
        spec = {"root": str(root), "variables": given, "log_path": str(self._logs / f"{function.name}.log")}
        environment = Environment(function, self._zygote, spec)
        with self._lock:
            self._all.add(environment)
        return environment

    def _request(self, function: Function, invocation: Invocation) -> wire.Message:
        now = self._clock.now()
        return {
            "request_id": invocation.request_id,
            "payload": invocation.payload.decode(),
            "trace": invocation.trace,
            "arn": function.arn,
            "now": now,
            "monotonic": time.monotonic(),
            "speed": self._settings.speed,
            "deadline": now + function.timeout,
            "fault": None if invocation.fault is None else asdict(invocation.fault),
        }

    def _report(self, function: Function, invocation: Invocation, outcome: Outcome, seconds: float) -> None:
        """Append Lambda's platform.report line to the function's log; its duration is the wall's."""
        status = "success" if not outcome.failed else "timeout" if b"Sandbox.Timedout" in outcome.payload else "error"
        record = {"requestId": invocation.request_id, "status": status, "metrics": {"durationMs": round(seconds * 1000, 3)}}
        if outcome.failed:
            record["error"] = json.loads(outcome.payload)
        at = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": at, "type": "platform.report", "record": record}, ensure_ascii=False)
        with (self._logs / f"{function.name}.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _wall_seconds(timeout: float, settings: EmulatorSettings) -> float:
    """Return after how many seconds of the wall a timeout ends a process: the world's, but a laptop needs some to do anything."""
    return max(timeout / settings.speed, min(timeout, settings.function_wall_seconds))
