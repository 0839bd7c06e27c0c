import json
import os

import pytest

from tools.emulator.services.lambda_.backend import FunctionService
from tools.emulator.services.lambda_.in_process import InProcessRuntime
from tools.emulator.settings import EmulatorSettings


@pytest.fixture
def inline(clock, queue, make_caller):
    """A caller of a service that runs handlers in this process."""
    service = FunctionService(
        clock=clock,
        settings=EmulatorSettings(),
        queues=queue,
        receiving=queue,
        runtime=InProcessRuntime(clock),
        idle_poll_seconds=None,
    )
    return make_caller(service)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of handlers that can be imported."""
    source = (
        "import os\n"
        "def handler(event, context):\n"
        "    return {'event': event, 'table': os.environ['TABLE_NAME'], 'left': context.get_remaining_time_in_millis()}\n"
        "def bad(event, context):\n"
        "    raise ValueError('no')\n"
    )
    (tmp_path / "in_process_app.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return "in_process_app"


def test_a_handler_is_called(inline, function, module):
    """The handler gets event, context and its variables, which are gone afterwards."""
    inline.service.put(function(handler=f"{module}.handler", environment={"TABLE_NAME": "table"}, timeout=7.0))

    result = inline("work", b'{"n": 1}')

    assert json.loads(result.payload) == {"event": {"n": 1}, "table": "table", "left": 7000}
    assert "TABLE_NAME" not in os.environ


def test_an_exception_is_a_function_error(inline, function, module):
    """As in a process: status 200, unhandled."""
    inline.service.put(function(handler=f"{module}.bad"))

    result = inline("work")

    assert (result.status, result.function_error) == (200, "Unhandled")
    assert json.loads(result.payload)["errorType"] == "ValueError"


def test_faults_strike_before_the_handler(inline, function, module):
    """Kill and hang look as they do in a process."""
    inline.service.put(function(handler=f"{module}.bad"))
    inline.service.faults.kill("work", call=0)
    inline.service.faults.hang("work")
    inline.service.faults.fail("work")

    errors = [json.loads(inline("work").payload)["errorType"] for _ in range(4)]

    assert errors == ["Runtime.ExitError", "Sandbox.Timedout", "RuntimeError", "ValueError"]
