"""The process from which all processes of functions are forked: it has loaded boto3 and its models, but no function's code.

Started as `python -m tools.emulator.worker.zygote <file descriptor>`; it ends, together with all that it forked, when the other
end of that socket is closed for whatever reason.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time

import boto3
import botocore.loaders
import botocore.session

from tools.emulator.worker import process, wire

WARMED_SERVICES = ("s3", "sqs", "sns", "dynamodb", "rekognition", "s3control", "lambda", "cloudwatch")
# How long a process may take to end once its socket is closed.
GRACE_SECONDS = 1.0


def main() -> None:
    """Answer requests until the emulator is gone: to fork a worker (its socket comes with the request), and to reap one."""
    control = wire.Channel(int(sys.argv[1]))
    _warm()
    gc.collect()
    gc.freeze()  # or the collectors of the forked processes would write to shared memory
    children: set[int] = set()
    try:
        while (request := control.receive()) is not None:
            if "pid" in request:
                control.send({"status": _reap(request["pid"], children, kill=request["kill"])})
            else:
                control.send({"pid": _fork(request, control.receive_descriptor(), control, children)})
    finally:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _warm() -> None:
    """Share one loader between all sessions and load the models that our functions use: a cold start takes 0.2 s less."""
    loader = botocore.loaders.create_loader()
    vars(botocore.session)["create_loader"] = lambda _search_path=None: loader
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106  # no secret
    for service in WARMED_SERVICES:
        session.client(service)  # type: ignore[call-overload]  # the stubs know only literal names


def _fork(request: wire.Message, descriptor: int, control: wire.Channel, children: set[int]) -> int:
    pid = os.fork()
    if pid == 0:
        control.close()
        process.main(request, descriptor)
    os.close(descriptor)
    children.add(pid)
    return pid


def _reap(pid: int, children: set[int], *, kill: bool) -> int:
    """Wait for a process that is about to end, or kill it; return its wait status."""
    if kill:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + GRACE_SECONDS
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.0005)
    children.discard(pid)
    return ended[1]


if __name__ == "__main__":
    main()
