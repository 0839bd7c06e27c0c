"""Handlers that the tests run in processes of their own: read as text, packed into a zip, never imported here."""

import logging
import os
import sys
import time

import boto3
from botocore.config import Config

log = logging.getLogger("app")
made = []


def warm(event, context):
    """Say which process this is, and how often it has been here."""
    made.append(event)
    return {"pid": os.getpid(), "count": len(made)}


def environment(event, context):
    """Return all environment variables."""
    return dict(os.environ)


def modules(event, context):
    """Say which modules can be imported."""
    found = {}
    for name in event:
        try:
            __import__(name)
            found[name] = True
        except ImportError:
            found[name] = False
    return found


def describe(event, context):
    """Return the context's attributes."""
    return {name: getattr(context, name) for name in dir(context) if not name.startswith(("_", "get_"))}


def bad(event, context):
    """Raise."""
    raise KeyError("nothing here")


def unserialisable(event, context):
    """Return what is not JSON."""
    return {1, 2}


def leave(event, context):
    """End the process."""
    os._exit(event)


def leave_politely(event, context):
    """End the process by an exception."""
    sys.exit(event)


def hold(event, context):
    """Take some seconds."""
    sys.stdout.write("holding\n")
    time.sleep(event)


def timed(event, context):
    """Sleep, and return how long by several clocks."""
    at, machine, left = time.time(), time.monotonic(), context.get_remaining_time_in_millis()
    time.sleep(event)
    return {
        "passed": time.time() - at,
        "machine": time.monotonic() - machine,
        "left": left - context.get_remaining_time_in_millis(),
        "now": at,
    }


def logs(event, context):
    """Log in every way."""
    sys.stdout.write("plain\n")
    log.info("with fields", extra={"scan_id": "01J", "count": 2})
    log.debug("hidden")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("caught")
    return context.aws_request_id


def aws(event, context):
    """Make three AWS calls and return what they raised."""
    client = boto3.client("sqs", config=Config(retries={"total_max_attempts": 1}, connect_timeout=1))
    raised = []
    for _ in range(3):
        try:
            client.list_queues()
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is the answer
            raised.append(type(fault).__name__)
    return raised
