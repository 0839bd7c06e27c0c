"""The world knows what broke in it."""

import logging

import pytest

from tools.emulator.breakage import OwnFaults, breakage
from tools.emulator.core import ApiCall, ApiLedger
from tools.emulator.services.lambda_ import Entry, InvocationLedger


@pytest.fixture(name="own")
def _own():
    """Return what keeps the emulator's own faults, listening."""
    own = OwnFaults()
    with own.listening():
        yield own


def found(own, results=(), statuses=()):
    """Return what broke, given results of invocations and statuses of calls."""
    invocations, calls = InvocationLedger(), ApiLedger()
    for result in results:
        invocations.note(Entry("1", "starter", "SQS", 0.0, result=result))
    for status in statuses:
        calls.note(ApiCall(0.0, "tool", "s3", "PutObject", status))
    return breakage(own, invocations, calls)


@pytest.mark.parametrize(
    "module",
    ["tools.emulator.core.clock", "tools.emulator.services.rekognition.backend", "tools.emulator.services.lambda_.processes"],
)
def test_an_engines_exception_is_breakage(own, module):
    """An exception that an engine can only log is kept with its reason."""
    try:
        raise TypeError("unexpected keyword argument")  # noqa: TRY301
    except TypeError:
        logging.getLogger(module).exception("job %s could not be analysed", "1")

    assert ["job 1 could not be analysed: TypeError: unexpected keyword argument"] == found(own)


@pytest.mark.parametrize(
    "result", ["Runtime.ImportModuleError", "Runtime.ExitError", "KeyError", "Unhandled", "Runtime.HandlerNotFound"]
)
def test_a_function_that_ended_in_an_error_is_breakage(own, result):
    """Import errors, crashes and exceptions of a handler are reported, once each."""
    assert [f"function starter ended in {result}"] == found(own, [result, "success", result])


@pytest.mark.parametrize("result", [None, "success", "throttled", "Sandbox.Timedout"])
def test_what_a_slow_machine_causes_is_no_breakage(own, result):
    """A function that is running, succeeded, was throttled or timed out does not count."""
    assert [] == found(own, [result])


def test_a_call_that_the_server_failed_is_breakage(own):
    """A 5xx is a crash of a service; a 4xx is an answer."""
    assert ["s3.PutObject was answered 500"] == found(own, statuses=[200, 404, 409, 500])


def test_warnings_and_other_loggers_do_not_count(own):
    """Only errors of the emulator itself count."""
    logging.getLogger("tools.emulator.sns").warning("a notice has no topic")
    logging.getLogger("tools.lib").error("another's")

    assert [] == found(own)
