"""The offline world: moto's server together with everything that moto lacks."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from tools.emulator.breakage import OwnFaults, breakage
from tools.emulator.core import Access, AccessKeys, Admission, ApiFaults, ApiLedger, Clock, Gateway, Server, WallClock, moto_hooks
from tools.emulator.deploy import NO_NAMES, Deployer
from tools.emulator.engines import Engines
from tools.emulator.services.lambda_ import ProcessRuntime
from tools.emulator.services.rekognition import VideoAnalyser
from tools.emulator.services.s3 import Storage
from tools.emulator.settings import EmulatorSettings
from tools.emulator.state import State, read_state


class World(Engines):
    """An AWS account on this machine; one at a time in a process, because it takes over moto.

    Attributes:
        settings: Its settings.
        clock: Its time.
        endpoint: The URL of its server.
        keys: Its access keys and their owners.
        outbox: The folder with the mails that were sent, as .eml files.
        ledger: Every API call that the server answered.
        faults: Orders for API calls to fail.
        storage: S3 as other services see it.
    """

    _only: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        settings: EmulatorSettings | None = None,
        *,
        directory: Path,
        port: int = 0,
        clock: Clock | None = None,
        state: Path | None = None,
    ) -> None:
        """Describe a world; `open` or `with` starts it.

        Args:
            settings: The settings; AWS's defaults if None.
            directory: The folder for mails and for the logs and code of functions; created if missing.
            port: The server's port; 0 for any free one.
            clock: The time; if None the wall's, at the speed of the settings.
            state: A file in which the world's state outlives it; a world with the same file goes on with the state.
        """
        self.settings = settings or EmulatorSettings()
        self.directory = directory
        self.outbox = directory / "outbox"
        self.ledger = ApiLedger()
        self.faults = ApiFaults()
        self._port = port
        self._given_clock = clock
        self._state_path = state
        self._state: State | None = None
        self._names: dict[str, str] = {}
        self._own_faults = OwnFaults()
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def open(self) -> Self:
        """Make the services, put them in moto's place and start the server.

        Raises:
            RuntimeError: There is a world already.
            StateError: The file of the state holds none.
        """
        if not World._only.acquire(blocking=False):
            raise RuntimeError("this process has an offline world already; close it before opening another")
        self._undo.callback(World._only.release)
        try:
            self._build()
        except BaseException:  # nothing of a half-built world may stay behind
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop everything, undo the changes to moto and forget all that was stored; may be called twice."""
        self._undo.close()

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which any program that uses boto3 or the AWS CLI reaches this world."""
        return self._access.environment()

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401 - the type depends on the service
        """Return a boto3 client of this world, whatever the environment says; `config` are settings of botocore's Config."""
        return self._access.client(service, **config)

    def deploy(self, assembly: Path, stack_name: str) -> dict[str, str]:
        """Deploy a stack of a synthesised CDK assembly, into the state if there is one, and return its outputs.

        For what it raises see `Deployer.deploy`.
        """
        outputs = self._deployer.deploy(assembly, stack_name, self._state.names if self._state else NO_NAMES)
        if self._state is not None:
            self.storage.restore(self._state.buckets)
            self.tables.restore(self._state.items)
            self.batch.restore(self._state.jobs)
        self._names = self._deployer.names(stack_name)
        return outputs

    def breakage(self) -> list[str]:
        """Return a sentence for each thing that broke so far; call it before the world is closed."""
        return breakage(self._own_faults, self.functions.ledger, self.ledger)

    def _build(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._state_path is not None and self._state_path.exists():
            self._state = read_state(self._state_path)
        self._undo.enter_context(self._own_faults.listening())
        self._undo.enter_context(moto_hooks.account(self.settings.account_id))
        self._undo.callback(moto_hooks.reset)
        self._undo.callback(self._save)  # when everything has stopped, and before moto forgets
        self._server = self._open_server()
        self._undo.callback(self._server.close)
        self.endpoint = self._server.endpoint
        self.keys = AccessKeys(self.settings, self._state.user if self._state else None)
        self._access = Access(self.endpoint, self.settings, self.keys.user)
        self.clock = self._given_clock or self._wall_clock()
        self._make_services()
        self._undo.enter_context(moto_hooks.install(self.hooks()))
        gateway = Gateway(
            moto_hooks.application(),
            clock=self.clock,
            ledger=self.ledger,
            faults=self.faults,
            admission=Admission(self.endpoint, self.keys),
        )
        self._server.start(gateway)
        self._deployer = Deployer(self.client, self.settings)
        self._deployer.bootstrap()

    def _open_server(self) -> Server:
        """Take the port that the caller named, else that of the state if it is free."""
        if self._port or self._state is None:
            return Server(self._port)
        try:
            return Server(self._state.port)
        except OSError:  # it is taken
            return Server()

    def _save(self) -> None:
        """Write the state, unless the world never came to have one."""
        if self._state_path is None or not self._names:
            return
        State(
            now=self.clock.now(),
            port=urlsplit(self.endpoint).port or 0,
            user=self.keys.user,
            names=self._names,
            buckets=self.storage.buckets(),
            items=self.tables.items(),
            jobs=self.batch.ended_jobs(),
        ).write(self._state_path)

    def _wall_clock(self) -> WallClock:
        clock = WallClock(self.settings.speed, not_before=self._state.now if self._state else 0.0)
        self._undo.callback(clock.close)
        return clock

    def _make_services(self) -> None:
        clock, settings = self.clock, self.settings
        self.storage = Storage(settings)
        runtime = ProcessRuntime(
            clock=clock,
            settings=settings,
            endpoint=self._access.environment,
            keys=self.keys,
            directory=self.directory / "functions",
        )
        self.make_engines(
            clock=clock,
            settings=settings,
            objects=self.storage,
            runtime=runtime,
            analyser=VideoAnalyser(),
            outbox=self.outbox,
        )
        self._undo.callback(self.functions.close)
        self._undo.callback(self.events.schedules.close)
