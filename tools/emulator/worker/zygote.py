"""The process from which all processes of functions are forked: it has loaded boto3 and its models, but no function's code.

Started as `python -m tools.emulator.worker.zygote <file descriptor>`; it ends, together with all that it forked, when the other
end of that socket is closed for whatever reason.

With SnapStart a function has a process between: forked from this one, it has loaded the function's code, and forks what runs it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
from typing import NoReturn

import boto3
import botocore.loaders
import botocore.session

from tools.emulator.worker import process, wire

WARMED_SERVICES = ("s3", "sqs", "sns", "dynamodb", "rekognition", "s3control", "lambda", "cloudwatch")
# How long a process may take to end once its socket is closed.
GRACE_SECONDS = 1.0
# How long loading a function's code may take before each of its processes loads it by itself, which shows what is wrong.
SNAPSHOT_SECONDS = 30.0


def main() -> None:
    """Answer requests until the emulator is gone."""
    control = wire.Channel(int(sys.argv[1]))
    _warm()
    Parent(control).serve()


class Parent:
    """Forks processes of functions, and reaps them: all of them, or with `loaded` those of the function that was loaded.

    A request to fork is the function's specification, after which comes the socket of the new process; one to reap has its id.
    """

    def __init__(self, control: wire.Channel, loaded: process.Loaded | None = None) -> None:
        self._control = control
        self._loaded = loaded
        self._children: set[int] = set()
        self._snapshots: dict[str, Snapshot | None] = {}

    def serve(self) -> None:
        """Answer requests until the other end is gone; then end all that was forked."""
        gc.collect()
        gc.freeze()  # or the collectors of the forked processes would write to shared memory
        try:
            while (request := self._control.receive()) is not None:
                if "pid" in request:
                    self._control.send({"status": self._reap(request)})
                else:
                    self._control.send({"pid": self._fork(request, self._control.receive_descriptor())})
        finally:
            self._end()

    def _end(self) -> None:
        """End all that was forked, and wait for it; a process that has loaded a function's code ends what it forked first."""
        snapshots = [snapshot for snapshot in self._snapshots.values() if snapshot is not None]
        for snapshot in snapshots:
            snapshot.channel.close()
        for pid in self._children - {snapshot.pid for snapshot in snapshots}:
            os.kill(pid, signal.SIGKILL)
        for pid in tuple(self._children):
            self._reap({"pid": pid, "kill": False})

    def _fork(self, spec: wire.Message, descriptor: int) -> int:
        snapshot = self._snapshot(spec, descriptor)
        pid = os.fork() if snapshot is None else snapshot.fork(spec, descriptor)
        if pid == 0:
            self._leave()
            process.main(spec, descriptor, self._loaded)
        os.close(descriptor)
        if snapshot is None:
            self._children.add(pid)
        return pid

    def _reap(self, request: wire.Message) -> int:
        """Wait for a process that is about to end, or kill it; return its wait status."""
        pid = request["pid"]
        for snapshot in filter(None, self._snapshots.values()):
            if pid in snapshot.pids:
                return snapshot.reap(request)
        if request["kill"]:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + GRACE_SECONDS
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.0005)
        self._children.discard(pid)
        return ended[1]

    def _snapshot(self, spec: wire.Message, descriptor: int) -> Snapshot | None:
        """Return the process that has loaded the function's code; None without SnapStart, and if loading fails."""
        name = None if self._loaded else spec.get("snapshot")
        if name is None:
            return None
        if name not in self._snapshots:
            self._snapshots[name] = self._load(spec, descriptor)
        return self._snapshots[name]

    def _load(self, spec: wire.Message, descriptor: int) -> Snapshot | None:
        """Fork a process that loads the code. If it kept the socket of the process to come, that one's end would go unseen."""
        channel, theirs = wire.pair()
        pid = os.fork()
        if pid == 0:
            self._leave()
            os.close(descriptor)
            channel.close()
            _serve_snapshot(spec, theirs)
        os.close(theirs)
        self._children.add(pid)
        with contextlib.suppress(TimeoutError):
            if channel.receive(SNAPSHOT_SECONDS) is not None:
                return Snapshot(pid, channel)
        self._reap({"pid": pid, "kill": True})
        return None

    def _leave(self) -> None:
        """Close, in a process that was just forked, the parent's sockets: if they stayed open, its end would go unseen."""
        self._control.close()
        for snapshot in filter(None, self._snapshots.values()):
            snapshot.channel.close()


class Snapshot:
    """The process that has loaded a function's code, seen from the zygote."""

    def __init__(self, pid: int, channel: wire.Channel) -> None:
        self.pid = pid
        self.channel = channel
        self.pids: set[int] = set()

    def fork(self, spec: wire.Message, descriptor: int) -> int:
        """Have a process of the function forked, and return its id."""
        self.channel.send(spec)
        self.channel.send_descriptor(descriptor)
        pid = int(self._answer()["pid"])
        self.pids.add(pid)
        return pid

    def reap(self, request: wire.Message) -> int:
        """Have a process of the function reaped, and return its wait status."""
        self.channel.send(request)
        self.pids.discard(request["pid"])
        return int(self._answer()["status"])

    def _answer(self) -> wire.Message:
        answer = self.channel.receive()
        if answer is None:
            raise ConnectionError("the process that has loaded a function's code has ended")
        return answer


def _serve_snapshot(spec: wire.Message, descriptor: int) -> NoReturn:
    """Load a function's code, say so, and fork processes of the function until the zygote is gone."""
    try:
        channel = wire.Channel(descriptor)
        loaded = process.loaded(spec)
        channel.send({"ready": True})
        Parent(channel, loaded).serve()
    finally:
        os._exit(1)


def _warm() -> None:
    """Share one loader between all sessions and load the models that our functions use: a cold start takes 0.2 s less."""
    loader = botocore.loaders.create_loader()
    vars(botocore.session)["create_loader"] = lambda _search_path=None: loader
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106  # no secret
    for service in WARMED_SERVICES:
        session.client(service)  # type: ignore[call-overload]  # the stubs know only literal names


if __name__ == "__main__":
    main()
