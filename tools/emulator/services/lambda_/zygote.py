"""The process from which every environment is forked: boto3 and its models are loaded in it, no code of the project is.

Started as `python -m tools.emulator.services.lambda_.zygote <file descriptor>`; it ends, with all that it forked, when the
other side of that socket is closed, however that came about.
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

from tools.emulator.services.lambda_ import wire, worker

WARMED_SERVICES = ("s3", "sqs", "sns", "dynamodb", "rekognition", "s3control", "lambda", "cloudwatch")
# How long a process may take to end after it has closed its socket.
GRACE_SECONDS = 1.0


def main() -> None:
    """Answer requests until the service is gone: `fork` (with a socket for the worker) and `reap`."""
    control = wire.adopt(int(sys.argv[1]))
    _warm()
    gc.collect()
    gc.freeze()  # what is shared with the forked processes must not be written to by their collectors
    children: set[int] = set()
    while (received := control.receive_with_descriptor()) is not None:
        request, descriptor = received
        if descriptor is not None:
            control.send({"pid": _fork(request, descriptor, control, children)})
        else:
            control.send({"status": _reap(request["pid"], children, kill=request["kill"])})
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _warm() -> None:
    """Let all sessions share one loader, and let it read the models that our functions use: 0.2 s less for a cold start."""
    loader = botocore.loaders.create_loader()
    vars(botocore.session)["create_loader"] = lambda _search_path=None: loader
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106  # no secret
    for service in WARMED_SERVICES:
        session.client(service)  # type: ignore[call-overload]  # the stubs know only literal names


def _fork(request: wire.Message, descriptor: int, control: wire.Channel, children: set[int]) -> int:
    pid = os.fork()
    if pid == 0:
        control.close()
        worker.main(request, wire.adopt(descriptor))
    os.close(descriptor)
    children.add(pid)
    return pid


def _reap(pid: int, children: set[int], *, kill: bool) -> int:
    """Wait for a process that is about to end, or kill it now; return its wait status."""
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
