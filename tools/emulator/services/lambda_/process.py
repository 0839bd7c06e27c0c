"""One warm process of a function, and the zygote from which it was forked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tools.emulator.services.lambda_.model import Function, Invocation, Outcome, exited
from tools.emulator.worker import wire

_PROJECT = Path(__file__).resolve().parents[4]
# Seconds of real time for loading a handler. Lambda allows 10; a laptop that loads eight at once needs more.
INIT_LIMIT_SECONDS = 60.0
# Seconds of real time that the zygote has to end.
ZYGOTE_END_SECONDS = 5.0


class Zygote:
    """The process that forks the others; it takes about half a second to start."""

    def __init__(self, log_path: Path) -> None:
        self._channel, theirs = wire.pair()
        self._lock = threading.Lock()
        with log_path.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own module, run by our own interpreter
                [sys.executable, "-m", "tools.emulator.worker.zygote", str(theirs)],
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
        """Wait for a worker that is about to end, or kill it; return its wait status."""
        return int(self._ask({"pid": pid, "kill": kill})["status"])

    def close(self) -> None:
        """End the zygote, and with it every worker."""
        with self._lock:
            self._channel.close()
        try:
            self._process.wait(ZYGOTE_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, request: wire.Message, descriptor: int | None = None) -> wire.Message:
        with self._lock:
            self._channel.send(request)
            if descriptor is not None:
                self._channel.send_descriptor(descriptor)
            answer = self._channel.receive()
        if answer is None:
            raise ConnectionError("the zygote has ended, so no function can run; see logs/zygote.log")
        return answer


class Environment:
    """One warm process of one function."""

    def __init__(self, function: Function, zygote: Zygote, spec: wire.Message) -> None:
        self.function = function
        self._zygote = zygote
        self._channel, self.pid = zygote.fork(spec)
        self._started = False
        self._status: int | None = None
        self._ending = threading.Lock()
        self.usable = True

    def gone(self) -> bool:
        """Return whether the process has ended."""
        return self._channel.gone()

    def close(self) -> None:
        """Kill the process, if it has not ended yet."""
        self._reap(kill=True)

    def run(self, request: Callable[[], wire.Message], invocation: Invocation, seconds: float) -> Outcome | None:
        """Run one invocation within some seconds of real time, which do not include loading the handler.

        Returns None if the time ran out. Afterwards `usable` says whether the process can run another invocation.
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
        except OSError:  # it could not even be sent
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
                invocation.entry.calls.append(message["called"])
            elif "struck" in message:
                invocation.entry.faulted = True
            elif "error" in message:
                return Outcome(json.dumps(message["error"], ensure_ascii=False).encode(), failed=True)
            else:
                return Outcome(message["answer"].encode())
        return self._exited(invocation)

    def _exited(self, invocation: Invocation) -> Outcome:
        """Return how the process ended; because its socket is closed, it has ended or is about to."""
        self.usable = False
        return exited(invocation.request_id, _reason(self._reap(kill=False)))

    def _reap(self, *, kill: bool) -> int:
        """Wait for the process to end, and keep its status for a second caller."""
        with self._ending:
            if self._status is None:
                self._status = self._zygote.reap(self.pid, kill=kill)
            return self._status


def _reason(status: int) -> str:
    if os.WIFSIGNALED(status):
        name = signal.strsignal(os.WTERMSIG(status)) or str(os.WTERMSIG(status))
        return f"with error: signal: {name.lower()}"
    code = os.waitstatus_to_exitcode(status)
    return f"with error: exit status {code}" if code else "without providing a reason"
