"""The runtime: warm processes, each of which runs one invocation at a time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tools.emulator.core import AccessKeys, Clock
from tools.emulator.services.lambda_.environment import CodeStore, variables
from tools.emulator.services.lambda_.model import Function, Invocation, Outcome, timed_out
from tools.emulator.services.lambda_.process import Environment, Zygote
from tools.emulator.settings import EmulatorSettings
from tools.emulator.worker import wire

log = logging.getLogger(__name__)


class ProcessRuntime:
    """Keeps warm processes for each function; the service's concurrency limits bound their number.

    Logs go to `<directory>/logs/<function>.log`, unpacked code to `<directory>/code`.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        settings: EmulatorSettings,
        endpoint: Callable[[], Mapping[str, str]],
        keys: AccessKeys,
        directory: Path,
        zygote: Zygote | None = None,
    ) -> None:
        """Start a zygote, unless there is one to share.

        Args:
            clock: The world's clock.
            settings: The speed of time, account, Region.
            endpoint: Returns the environment variables that lead boto3 to the offline world; called for each new process.
            keys: Give each function the credentials of its role.
            directory: The world's folder.
            zygote: One to share, which saves the second that it takes to start; it is not closed with the runtime.
        """
        self._clock = clock
        self._settings = settings
        self._endpoint = endpoint
        self._keys = keys
        self._logs = directory / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._code = CodeStore(directory / "code")
        self._owns_zygote = zygote is None
        self._zygote = zygote or Zygote(self._logs / "zygote.log")
        self._idle: defaultdict[str, list[Environment]] = defaultdict(list)
        self._all: set[Environment] = set()
        self._lock = threading.Lock()
        self._open = True

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Run the function in a warm process, or a new one; `done` is called from a thread of the runtime's."""
        threading.Thread(target=self._serve, args=(function, invocation, done), name=function.name, daemon=True).start()

    def retire(self, function_name: str) -> None:
        """End the function's idle processes; a busy one is not used again, because it differs from the function."""
        with self._lock:
            idle = self._idle.pop(function_name, [])
        for environment in idle:
            self._end(environment)

    def close(self) -> None:
        """End all processes; running invocations end in Runtime.ExitError."""
        with self._lock:
            self._open = False
            self._idle.clear()
            environments = list(self._all)
        with contextlib.suppress(OSError):  # the zygote has already ended, and all processes with it
            for environment in environments:
                self._end(environment)
        if self._owns_zygote:
            self._zygote.close()

    def pids(self, function_name: str) -> list[int]:
        """Return the ids of the function's idle processes, oldest first."""
        with self._lock:
            return [environment.pid for environment in self._idle[function_name]]

    def _serve(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        began = time.monotonic()
        try:
            outcome = self._once(function, invocation)
        except Exception as fault:  # what goes wrong in the emulator is an error of Lambda itself
            if self._open:
                log.exception("running %s failed", function.name)
            outcome = Outcome(json.dumps({"errorType": "ServiceException", "errorMessage": str(fault)}).encode(), system=True)
        try:
            self._report(function, invocation, outcome, time.monotonic() - began)
        except OSError:  # the caller must get its answer even if the world's folder was deleted
            log.exception("the log of %s cannot be written", function.name)
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
        given = variables(
            function,
            root=root,
            settings=self._settings,
            endpoint=self._endpoint(),
            credentials=self._keys.session(function.role, function.name),
            now=now,
        )
        spec = {"root": str(root), "variables": given, "log_path": str(self._logs / f"{function.name}.log")}
        if self._settings.snap_start:
            spec["snapshot"] = _snapshot(root, function)
        environment = Environment(function, self._zygote, spec)
        with self._lock:
            self._all.add(environment)
            is_open = self._open
        if not is_open:
            self._end(environment)
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
        """Append Lambda's platform.report line to the function's log, with the duration in real time."""
        status = "success" if not outcome.failed else "timeout" if b"Sandbox.Timedout" in outcome.payload else "error"
        record = {"requestId": invocation.request_id, "status": status, "metrics": {"durationMs": round(seconds * 1000, 3)}}
        if outcome.failed:
            record["error"] = json.loads(outcome.payload)
        at = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": at, "type": "platform.report", "record": record}, ensure_ascii=False)
        with (self._logs / f"{function.name}.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _snapshot(root: Path, function: Function) -> str:
    """Return a name of what a function's code is loaded from, and with."""
    loaded = (str(root), function.name, function.handler, sorted(function.environment.items()))
    return hashlib.sha256(json.dumps(loaded).encode()).hexdigest()


def _wall_seconds(timeout: float, settings: EmulatorSettings) -> float:
    """Return the seconds of real time that a timeout allows: at least as many as a laptop needs to do anything in a fast world."""
    return max(timeout / settings.speed, min(timeout, settings.function_wall_seconds))
