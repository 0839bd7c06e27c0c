"""Lambda: functions that really run, each in warm processes of its own, with Lambda's limits and retries."""

from tools.emulator.services.lambda_.backend import IDLE_POLL_SECONDS, FunctionService
from tools.emulator.services.lambda_.ledger import Entry, InvocationLedger
from tools.emulator.services.lambda_.mapping import Mapping
from tools.emulator.services.lambda_.model import Function, Outcome, Runtime, exited, failure, timed_out
from tools.emulator.services.lambda_.processes import ProcessRuntime
from tools.emulator.services.lambda_.responses import hooks

__all__ = [
    "IDLE_POLL_SECONDS",
    "Entry",
    "Function",
    "FunctionService",
    "InvocationLedger",
    "Mapping",
    "Outcome",
    "ProcessRuntime",
    "Runtime",
    "exited",
    "failure",
    "hooks",
    "timed_out",
]
