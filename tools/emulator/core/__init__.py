"""What every emulated service needs: time, HTTP, access, errors, faults on order, ledgers, and every change of moto."""

from tools.emulator.core import model, moto_hooks
from tools.emulator.core.access import USER, Access, AccessKeys, Credentials, caller
from tools.emulator.core.admission import Admission
from tools.emulator.core.application import Gateway
from tools.emulator.core.calls import Call, identify
from tools.emulator.core.clock import Clock, ManualClock, WallClock
from tools.emulator.core.faults import ApiFaults
from tools.emulator.core.ledger import ApiCall, ApiLedger, Ledger
from tools.emulator.core.ports import (
    Events,
    Functions,
    InvocationResult,
    ListedVersion,
    NoSuchObjectError,
    ObjectArchivedError,
    ObjectForbiddenError,
    Objects,
    Queues,
    ReceivedMessage,
    ReceivingQueues,
    StoredObject,
    Topics,
)
from tools.emulator.core.refusal import Answer, AwsError, UnsupportedError, only, refuse, xml_answer
from tools.emulator.core.server import Server

__all__ = [
    "USER",
    "Access",
    "AccessKeys",
    "Admission",
    "Answer",
    "ApiCall",
    "ApiFaults",
    "ApiLedger",
    "AwsError",
    "Call",
    "Clock",
    "Credentials",
    "Events",
    "Functions",
    "Gateway",
    "InvocationResult",
    "Ledger",
    "ListedVersion",
    "ManualClock",
    "NoSuchObjectError",
    "ObjectArchivedError",
    "ObjectForbiddenError",
    "Objects",
    "Queues",
    "ReceivedMessage",
    "ReceivingQueues",
    "Server",
    "StoredObject",
    "Topics",
    "UnsupportedError",
    "WallClock",
    "caller",
    "identify",
    "model",
    "moto_hooks",
    "only",
    "refuse",
    "xml_answer",
]
