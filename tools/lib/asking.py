"""Asks the table about a whole scan: several BatchGetItems at once, and for a big scan in a process of its own.

Asking costs as much computing as all the rest of a review (the SDK writes, signs and parses each request), so that a million
videos take two cores, and a round trip to AWS takes longer than either, so that requests have to overlap.
"""

from __future__ import annotations

import json
import signal
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from handlers.adapters.table import ScanTable
from handlers.clock import SystemClock
from handlers.domain.identity import Video
from handlers.domain.record import Record, Scan
from handlers.domain.states import State
from tools.lib.truth import Answered, Known

if TYPE_CHECKING:
    from tools.lib.aws import Clients

SHOWN = frozenset({State.FLAGGED, State.FAILED, State.CANCELLED})
"""States whose whole records a review shows; of the others it counts."""
BIG = 50_000
"""Objects of a scan from which a second process is worth its start (about a second, and 60 MB)."""

_CHUNK = 500
_AT_ONCE = 8
"""Ids that one thread asks for in turn, and threads: 8 times 100 records per round trip."""


class States(Protocol):
    """The table, as far as it is asked here."""

    def states(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, State]]:
        """Return (video id, state) of the records there are."""
        ...

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Return the records there are among these (video id, scan id)."""
        ...


Ask = Callable[[list[bytes]], "Future[list[Known | None]]"]
"""Asks for ids; the answer comes in their order."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each id: the record in this scan, whole where its state is one of `whole`, else the state alone."""

    scan_id: str
    whole: frozenset[State] = SHOWN

    def answers(self, table: States, ids: Collection[bytes]) -> list[Known | None]:
        """Return what the table knows of each id."""
        known: dict[str, Known] = {}
        names: Iterable[str] = [key.hex() for key in ids]
        if self.whole != frozenset(State):
            known.update(table.states(names, self.scan_id))
            names = [video_id for video_id, state in known.items() if state in self.whole]
        # Read a moment later: should the record have moved on in between, this is the newer word.
        known.update((record.video.id, record) for record in table.records((name, self.scan_id) for name in names))
        return [known.get(key.hex()) for key in ids]


@dataclass(frozen=True, slots=True)
class Door:
    """How another process reaches the table: values only, so that they can be handed over."""

    table: str
    region: str
    endpoint: str
    keys: tuple[str, str, str | None]

    def open(self) -> ScanTable:
        """Return the table."""
        access_key, secret_key, token = self.keys
        client = boto3.Session(access_key, secret_key, token, self.region).client(
            "dynamodb",
            endpoint_url=self.endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "total_max_attempts": 6},
                max_pool_connections=_AT_ONCE,
                parameter_validation=False,  # a third of a request's cost; the keys are 32 hex digits that we made
                user_agent_extra="video-moderation-tools",
            ),
        )
        # botocore's parser walks through ten members for each attribute, and yields what JSON says: half of the time of an answer.
        client.meta.events.register("before-parse.dynamodb.BatchGetItem", _parse)
        return ScanTable(client, self.table, SystemClock())


def _parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Parse a good answer as plain JSON instead: the same but for binary attributes, of which our items have none."""
    if response_dict["status_code"] == HTTPStatus.OK:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"


def answered(
    videos: Iterable[Video], scan: Scan, table: ScanTable, clients: Clients, whole: frozenset[State] = SHOWN
) -> Iterator[Answered]:
    """Yield each video with what the table knows of it, in the order of the videos: what `truth.joined` takes.

    `table` is asked from this process; a big scan is asked from another one, through a door made from `clients`.
    """
    question = Question(scan.id, whole)
    keys = clients.keys() if scan.objects is not None and scan.objects >= BIG else None
    if keys is None:
        return in_threads(videos, question, table)
    meta = clients.dynamodb.meta
    return in_a_process(videos, question, Door(table.name, meta.region_name, meta.endpoint_url, keys))


def in_threads(videos: Iterable[Video], question: Question, table: States) -> Iterator[Answered]:
    """As `answered`, from threads of this process."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from _ahead(videos, lambda ids: pool.submit(question.answers, table, ids), _CHUNK, _AT_ONCE)


def in_a_process(videos: Iterable[Video], question: Question, door: Door) -> Iterator[Answered]:
    """As `answered`, from threads of one other process."""
    # Spawned, not forked: this process has threads by now (its progress bar).
    # Ctrl-C reaches both; this process ends the other, which need not say anything.
    quiet = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=quiet) as pool:
        yield from _ahead(videos, lambda ids: pool.submit(_answers_elsewhere, door, question, ids), _CHUNK * _AT_ONCE, 2)


def _ahead(videos: Iterable[Video], ask: Ask, size: int, in_flight: int) -> Iterator[Answered]:
    """Yield answers in order while the next ones are on their way."""
    asked: deque[tuple[list[tuple[Video, bytes]], Future[list[Known | None]]]] = deque()
    source = iter(videos)
    try:
        while batch := [(video, video.digest) for video in islice(source, size)]:
            asked.append((batch, ask([key for _, key in batch])))
            if len(asked) > in_flight:
                yield from _arrived(*asked.popleft())
        while asked:
            yield from _arrived(*asked.popleft())
    finally:
        for _, answer in asked:  # whoever stops listening does not want the rest
            answer.cancel()


def _arrived(batch: list[tuple[Video, bytes]], answer: Future[list[Known | None]]) -> Iterator[Answered]:
    return ((video, key, known) for (video, key), known in zip(batch, answer.result(), strict=True))


# --- in the other process ----------------------------------------------------------------------------------------------


def _answers_elsewhere(door: Door, question: Question, ids: list[bytes]) -> list[Known | None]:
    table, pool = _opened(door)
    chunks = [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)]
    return [known for answer in pool.map(partial(question.answers, table), chunks) for known in answer]


@cache
def _opened(door: Door) -> tuple[ScanTable, ThreadPoolExecutor]:
    """Return table and threads, made at the first question and kept as long as the process."""
    return door.open(), ThreadPoolExecutor(_AT_ONCE)
