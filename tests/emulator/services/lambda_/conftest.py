"""Lambda with a manual clock, a queue with visibility timeouts, and a runtime that answers as each test says."""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.emulator.core.access import AccessKeys
from tools.emulator.core.clock import ManualClock, WallClock
from tools.emulator.core.ports import InvocationResult, ReceivedMessage
from tools.emulator.services.lambda_ import Function, FunctionService, Outcome, ProcessRuntime
from tools.emulator.services.lambda_.model import Invocation
from tools.emulator.services.lambda_.process import Zygote
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"


@dataclass
class StoredMessage:
    body: str
    trace: str | None = None
    visible_at: float = 0.0
    receipts: int = 0
    deleted: bool = False


@dataclass
class Queue:
    """One queue behind every ARN, with a visibility timeout of 30 s by the bench's clock."""

    clock: ManualClock
    messages: list[StoredMessage] = field(default_factory=list)
    sent: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    receive_calls: int = 0

    def put(self, *bodies: str, trace: str | None = None) -> None:
        """Send messages."""
        self.messages.extend(StoredMessage(body, trace) for body in bodies)

    def receive(self, queue_arn: str, max_messages: int) -> list[ReceivedMessage]:
        """Hand out what is visible."""
        self.receive_calls += 1
        now = self.clock.now()
        found = [entry for entry in self.messages if not entry.deleted and entry.visible_at <= now][:max_messages]
        return [self._receipt(entry, now) for entry in found]

    def _receipt(self, entry: StoredMessage, now: float) -> ReceivedMessage:
        entry.receipts += 1
        entry.visible_at = now + 30
        number = str(self.messages.index(entry))
        attributes = {"ApproximateReceiveCount": str(entry.receipts), "SentTimestamp": "1700000000000", "SenderId": "AIDA"}
        if entry.trace:
            attributes["AWSTraceHeader"] = entry.trace
        return ReceivedMessage(f"id-{number}", number, entry.body, "0" * 32, attributes, {})

    def visibility_seconds(self, queue_arn: str) -> float:
        """Return for how long a received message is hidden."""
        return 30.0

    def delete(self, queue_arn: str, receipt_handles: list[str]) -> None:
        """Delete by receipt."""
        for handle in receipt_handles:
            self.messages[int(handle)].deleted = True

    def send(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        """Keep what Lambda sends; queues called missing do not exist."""
        if "missing" in queue_arn:
            raise LookupError(queue_arn)
        self.sent.append((queue_arn, body, attributes))

    @property
    def left(self) -> list[str]:
        """The bodies that were not deleted."""
        return [entry.body for entry in self.messages if not entry.deleted]


@dataclass
class Run:
    function: Function
    invocation: Invocation
    done: Callable[[Outcome], None]

    @property
    def event(self) -> Any:
        """The event as the handler sees it."""
        return json.loads(self.invocation.payload)

    def answer(self, value: object = None) -> None:
        """End the run with a value."""
        self.done(Outcome(json.dumps(value).encode()))

    def fail(self, message: str = "it broke") -> None:
        """End the run with a function error."""
        self.done(Outcome(json.dumps({"errorType": "ValueError", "errorMessage": message}).encode(), failed=True))


@dataclass
class Runtime:
    """Keeps runs until the test answers them; with `script`, answers each at once."""

    script: Callable[[Run], None] | None = None
    runs: list[Run] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    closed: bool = False

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Keep the run."""
        run = Run(function, invocation, done)
        self.runs.append(run)
        if self.script is not None:
            self.script(run)

    def retire(self, function_name: str) -> None:
        """Keep the name."""
        self.retired.append(function_name)

    def close(self) -> None:
        """Note it."""
        self.closed = True


class Caller:
    """Collects the results of invocations."""

    def __init__(self, service: FunctionService) -> None:
        self.service = service
        self.results: list[InvocationResult] = []

    def __call__(self, name: str, payload: bytes = b"{}", **named: Any) -> InvocationResult | None:
        """Invoke; return the result if there is one already."""
        before = len(self.results)
        self.service.invoke(name, payload, self.results.append, **named)
        return self.results[-1] if len(self.results) > before else None


@pytest.fixture
def clock() -> ManualClock:
    """A manual clock."""
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> Queue:
    """The queue."""
    return Queue(clock)


@pytest.fixture
def runtime() -> Runtime:
    """The runtime."""
    return Runtime()


@pytest.fixture
def make_service(clock: ManualClock, queue: Queue, runtime: Runtime) -> Callable[..., FunctionService]:
    """A service with settings of the test's choice."""

    def make(**settings: Any) -> FunctionService:
        return FunctionService(
            clock=clock,
            settings=EmulatorSettings(**settings),
            queues=queue,
            receiving=queue,
            runtime=runtime,
            idle_poll_seconds=None,
        )

    return make


@pytest.fixture
def service(make_service: Callable[..., FunctionService]) -> FunctionService:
    """A service with default settings."""
    return make_service()


@pytest.fixture
def call(service: FunctionService) -> Caller:
    """A caller of the service."""
    return Caller(service)


@pytest.fixture
def make_caller() -> type[Caller]:
    """The class of callers."""
    return Caller


@pytest.fixture
def function() -> Callable[..., Function]:
    """A maker of functions."""

    def make(name: str = "work", **members: Any) -> Function:
        given = {
            "name": name,
            "arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}",
            "handler": f"app.{name}",
            "role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "code": b"",
        }
        return Function(**{**given, **members})

    return make


@pytest.fixture
def package() -> Callable[..., bytes]:
    """A maker of deployment packages out of modules."""

    def make(**modules: str) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, source in modules.items():
                archive.writestr(f"{name}.py", source)
        return content.getvalue()

    return make


@dataclass
class Bench:
    """A service whose functions really run in processes."""

    service: FunctionService
    runtime: ProcessRuntime
    keys: AccessKeys
    directory: Path
    clock: WallClock

    def call(self, name: str, event: object = None) -> Any:
        """Invoke and return the payload."""
        result = self.result(name, event)
        return json.loads(result.payload)

    def result(self, name: str, event: object = None) -> InvocationResult:
        """Invoke, wait, and return the result."""
        arrived, results = threading.Event(), []

        def done(result: InvocationResult) -> None:
            results.append(result)
            arrived.set()

        self.service.invoke(name, json.dumps(event).encode(), done)
        assert arrived.wait(60)
        return results[0]

    def log(self, name: str) -> str:
        """The log of a function so far."""
        path = self.directory / "logs" / f"{name}.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """One zygote for all tests: it takes a second to start."""
    shared = Zygote(tmp_path_factory.mktemp("zygote") / "zygote.log")
    yield shared
    shared.close()


@pytest.fixture(params=[False, True], ids=["plain", "snap_start"])
def snap_start(request: pytest.FixtureRequest) -> bool:
    """Whether processes are forked from one that has loaded the code."""
    return request.param


@pytest.fixture
def make_bench(tmp_path: Path, zygote: Zygote, snap_start: bool) -> Iterator[Callable[..., Bench]]:
    """A maker of benches, all closed afterwards."""
    benches: list[Bench] = []

    def make(endpoint: dict[str, str] | None = None, **given: Any) -> Bench:
        settings = EmulatorSettings(**{"snap_start": snap_start} | given)
        clock = WallClock(settings.speed)
        directory = tmp_path / str(len(benches))
        keys = AccessKeys(settings)
        runtime = ProcessRuntime(
            clock=clock,
            settings=settings,
            endpoint=lambda: endpoint or {},
            keys=keys,
            directory=directory,
            zygote=zygote,
        )
        unused = Queue(ManualClock())
        service = FunctionService(clock=clock, settings=settings, queues=unused, receiving=unused, runtime=runtime)
        benches.append(Bench(service, runtime, keys, directory, clock))
        return benches[-1]

    yield make
    for bench in benches:
        bench.service.close()
        bench.clock.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A bench with default settings."""
    return make_bench()


@pytest.fixture
def app(function: Callable[..., Function], package: Callable[..., bytes]) -> Callable[..., Function]:
    """A maker of functions out of the handlers in `handlers_to_run.py`."""
    source = (Path(__file__).parent / "handlers_to_run.py").read_text()

    def make(name: str, **members: Any) -> Function:
        return function(name, **({"code": package(app=source), "timeout": 30.0} | members))

    return make
