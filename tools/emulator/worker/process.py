"""One process of a function, forked from the zygote: it loads the handler and runs one event after another.

It sees only the function's code, the standard library and the SDK; only the function's environment variables; and the world's
time in `time.time` and `time.sleep`. `time.monotonic` and `datetime.now` keep the machine's time, which socket timeouts and
signatures need. The process ends when its socket is closed.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from botocore.client import BaseClient

from tools.emulator.worker import logs, wire

Handler = Callable[[Any, "Context"], Any]


class InitError(Exception):
    """The handler could not be loaded; `kind` is Lambda's error type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """A function's code in the process that has loaded it, and in those that are forked from it."""

    handler: Handler
    world: WorldTime


def loaded(spec: wire.Message) -> Loaded:
    """Make this process the function's, and load its handler, for processes that will be forked from this one.

    Raises:
        InitError: It cannot be loaded.
    """
    _move_in(spec)
    world = WorldTime()
    world.install()
    return Loaded(load(spec["variables"]["_HANDLER"]), world)


def main(spec: wire.Message, descriptor: int, forked: Loaded | None = None) -> NoReturn:
    """Serve the function that the specification describes, which the process may have been `forked` with; never returns.

    A `SystemExit` ends the process with its status, as in Lambda's runtime.
    """
    status = 1
    try:
        _serve(spec, wire.Channel(descriptor), forked)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # the forked process must end here, not go on as a second zygote
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _serve(spec: wire.Message, channel: wire.Channel, forked: Loaded | None) -> None:
    if forked is None:
        _move_in(spec)
        world = WorldTime()
        world.install()
    else:
        _set_variables(spec)
        world = forked.world
    calls = Calls(channel)
    calls.install()
    formatter = logs.install(spec["log_path"])
    requests = _requests(channel)
    try:
        handler = load(spec["variables"]["_HANDLER"]) if forked is None else forked.handler
    except InitError as fault:
        channel.send({"init_error": {"errorType": fault.kind, "errorMessage": str(fault)}})
        requests.get()  # none comes: this waits for the end
        return
    channel.send({"ready": True})
    while True:
        request = requests.get()
        world.set(request["now"], request["monotonic"], request["speed"])
        formatter.request_id = request["request_id"]
        os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
        calls.begin(request["fault"])
        channel.send(_run(handler, request, spec, calls))


def _move_in(spec: wire.Message) -> None:
    """Replace what the zygote had: environment variables, import path, modules, working directory."""
    _set_variables(spec)
    sys.path[:] = [spec["root"], *(entry for entry in sys.path if _is_standard_library(entry))]
    for name in [name for name in sys.modules if name == "tools" or name.startswith("tools.")]:
        del sys.modules[name]
    sys.path_importer_cache.clear()
    os.chdir(spec["root"])
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _set_variables(spec: wire.Message) -> None:
    os.environ.clear()
    os.environ.update(spec["variables"])
    time.tzset()


def _is_standard_library(path: str) -> bool:
    """Return whether a folder of the import path is the interpreter's own; the SDK is already imported."""
    return path.startswith(sys.base_prefix) and not path.endswith("-packages")


def _requests(channel: wire.Channel) -> queue.SimpleQueue[wire.Message]:
    """Read requests in a thread, so that the process ends with its socket even while a handler runs."""
    requests: queue.SimpleQueue[wire.Message] = queue.SimpleQueue()

    def read() -> None:
        while (request := channel.receive()) is not None:
            requests.put(request)
        os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    return requests


def load(name: str) -> Handler:
    """Import the handler `package.module.function`.

    Raises:
        InitError: It cannot be imported, in Lambda's words.
    """
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as fault:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {fault}") from fault
    except SyntaxError as fault:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {fault}") from fault
    except Exception as fault:  # whatever the module raises
        traceback.print_exc()
        raise InitError(type(fault).__name__, str(fault)) from fault
    handler = getattr(module, function_name, None)
    if handler is None:
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return handler  # type: ignore[no-any-return]  # if it cannot be called, the call fails


def _run(handler: Handler, request: wire.Message, spec: wire.Message, calls: Calls) -> wire.Message:
    try:
        calls.strike(0)
        value = handler(json.loads(request["payload"]), Context(request, spec["variables"]))
    except Exception as fault:  # noqa: BLE001  # what a handler raises is the answer
        error = describe(fault, request["request_id"])
        logs.print_error(error)
        return {"error": error}
    try:
        return {"answer": json.dumps(value, ensure_ascii=False)}
    except (TypeError, ValueError) as fault:
        return {"error": {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {fault}"}}


def describe(fault: BaseException, request_id: str) -> dict[str, Any]:
    """Return an exception in the form in which Lambda's Python runtime reports it."""
    frames = traceback.extract_tb(fault.__traceback__)[1:]  # the first frame is ours
    return {
        "errorMessage": str(fault),
        "errorType": type(fault).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


class Context:
    """The context object that a handler gets."""

    identity = None
    client_context = None
    function_version = "$LATEST"

    def __init__(self, request: wire.Message, variables: dict[str, str]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.invoked_function_arn: str = request["arn"]
        self.function_name = variables["AWS_LAMBDA_FUNCTION_NAME"]
        self.memory_limit_in_mb = variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = variables["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline: float = request["deadline"]

    def get_remaining_time_in_millis(self) -> int:
        """Return the world's milliseconds until the function's timeout, never less than 0."""
        return max(0, int((self._deadline - time.time()) * 1000))


class WorldTime:
    """The world's clock for `time.time` and `time.sleep`; all processes share the machine's monotonic clock."""

    def __init__(self) -> None:
        self._sleep = time.sleep
        self.set(time.time(), time.monotonic(), 1.0)

    def set(self, now: float, monotonic: float, speed: float) -> None:
        """Set the world's time at an instant of the monotonic clock, and its speed."""
        self._line = (now, monotonic, speed)

    def install(self) -> None:
        """Replace the functions of `time`."""
        vars(time).update(time=self.time, sleep=self.sleep)

    def time(self) -> float:
        """Return the world's time in epoch seconds."""
        now, monotonic, speed = self._line
        return now + (time.monotonic() - monotonic) * speed

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds of the world."""
        self._sleep(seconds / self._line[2])


class Calls:
    """Reports every AWS call of the process to the emulator, and makes the scripted fault strike."""

    def __init__(self, channel: wire.Channel) -> None:
        self._channel = channel
        self._fault: wire.Message | None = None
        self._made = 0
        self._lock = threading.Lock()
        self._sleep = time.sleep

    def install(self) -> None:
        """Wrap the method through which all clients make their calls."""
        original = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # all clients' calls pass here

        def make_api_call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401  # botocore's own
            with self._lock:
                self._made += 1
                number = self._made
            self.strike(number)
            self._channel.send({"called": f"{client.meta.service_model.service_name}.{operation}"})
            try:
                return original(client, operation, parameters)
            finally:
                self.strike(number, "after")

        BaseClient._make_api_call = make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # as above

    def begin(self, fault: wire.Message | None) -> None:
        """Count calls anew for an invocation and its scripted fault."""
        self._fault = fault
        self._made = 0

    def strike(self, number: int, when: str = "before") -> None:
        """Make the fault strike if this is its moment."""
        fault = self._fault
        if fault is None or (fault["call"], fault["when"]) != (number, when):
            return
        self._fault = None
        self._channel.send({"struck": True})
        if fault["action"] == "raise":
            raise RuntimeError("a scripted fault")
        if fault["action"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self._sleep(86_400)  # hangs until Lambda's timeout kills it
