"""Asks the table about a whole scan: several BatchGetItems at once, and for a big scan in a process of its own.

Asking costs more computing than all the rest of a review (the SDK writes, signs and parses each request), so that a million
videos take two cores, and a round trip to AWS takes longer than either, so that requests have to overlap. It begins before the
reports are read: those take this process as long as the other one needs for a third of the scan.
"""

from __future__ import annotations

import json
import pickle
import signal
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from handlers.adapters.table import Records, Table, open_table
from handlers.domain.identity import Video
from handlers.domain.record import Record, Scan
from handlers.domain.states import State
from handlers.runtime.clock import SystemClock
from tools.lib.review.join import Known

if TYPE_CHECKING:
    from tools.lib.aws.clients import Clients

SHOWN = frozenset({State.FLAGGED, State.FAILED, State.CANCELLED})
"""States whose whole records a review shows; of the others it counts."""
BIG = 50_000
"""Objects of a scan from which a second process is worth its start (about a second, and 60 MB)."""

_CHUNK = 500
_WHOLE_CHUNK = 100  # what one BatchGetItem takes, so that no request is nearly empty
_AT_ONCE = 8
"""Ids that one thread asks for in turn, and threads: 8 times 100 records per round trip."""
_LEAD = 100
"""Questions to the other process that wait for answer or reader: 400,000 objects, about 6 MB of ids and as much of answers."""
_LEAD_WHOLE = 4
"""As many where every record comes whole: each takes a kilobyte."""
_ID_BYTES = 16
_REQUEST = "video-moderation-request"
"""Under this name a request is kept in botocore's context."""

Answer = tuple[bytes, Known | None]
"""A video's id, and what the table knows of it."""


class States(Protocol):
    """The records, as far as they are read here; `handlers.adapters.table.Records` is one."""

    def states(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, State]]:
        """Return (video id, state) of the records there are."""
        ...

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Return the records there are among these (video id, scan id)."""
        ...


Ask = Callable[[bytes], Callable[[], list[Known | None]]]
"""Asks for ids, which follow one another, and returns what waits for the answer: in their order."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each id: the record in this scan, whole where its state is one of `whole`, else the state alone."""

    scan_id: str
    whole: frozenset[State] = SHOWN

    def answers(self, recorded: States, ids: Collection[bytes], pool: ThreadPoolExecutor | None = None) -> list[Known | None]:
        """Return what the table knows of each id; asked part by part, in the threads of a pool if there is one."""
        each = pool.map if pool else map
        known: dict[str, Known] = {}
        names = [key.hex() for key in ids]
        if self.whole != frozenset(State):
            for states in each(partial(self._states, recorded), _parts(names, _CHUNK)):
                known.update(states)
            names = [video_id for video_id, state in known.items() if state in self.whole]
        # Read a moment later: should the record have moved on in between, this is the newer word.
        for records in each(partial(self._records, recorded), _parts(names, _WHOLE_CHUNK)):
            known.update((record.video.id, record) for record in records)
        return [known.get(key.hex()) for key in ids]

    def _states(self, recorded: States, names: list[str]) -> list[tuple[str, State]]:
        return list(recorded.states(names, self.scan_id))

    def _records(self, recorded: States, names: list[str]) -> list[Record]:
        return list(recorded.records((name, self.scan_id) for name in names))


def _parts(names: list[str], size: int) -> Iterator[list[str]]:
    return (names[at : at + size] for at in range(0, len(names), size))


@dataclass(frozen=True, slots=True)
class Door:
    """How another process reaches the table: values only, so that they can be handed over."""

    table: str
    region: str
    endpoint: str
    keys: tuple[str, str, str | None]

    def open(self) -> Records:
        """Return the table's records."""
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
                user_agent="video-moderation-tools",  # whole: else the SDK puts its own together anew for each request
            ),
        )
        # botocore's serializer walks through five shapes for each of 200 texts: a third of a request's cost.
        client.meta.events.register("provide-client-params.dynamodb.BatchGetItem", _set_aside)
        client.meta.events.register("before-call.dynamodb.BatchGetItem", _write)
        # botocore's parser walks through ten members for each attribute, and yields what JSON says: half of the time of an answer.
        client.meta.events.register("before-parse.dynamodb.BatchGetItem", _parse)
        return open_table(client, self.table, SystemClock()).records


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """Keep what a request says from botocore's serializer: it is in the form of the wire, and JSON writes it at once."""
    context[_REQUEST] = dict(params)
    params.clear()
    params["RequestItems"] = {}


def _write(params: dict[str, Any], context: Mapping[str, Any], **_: object) -> None:
    """Write what the request says as its body."""
    params["body"] = json.dumps(context[_REQUEST]).encode()


def _parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Parse a good answer as plain JSON instead: the same but for binary attributes, of which our items have none."""
    if response_dict["status_code"] == HTTPStatus.OK:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"


@contextmanager
def asked(
    videos: Iterable[Video], scan: Scan, table: Table, clients: Clients, whole: frozenset[State] = SHOWN
) -> Iterator[Iterator[Answer]]:
    """Ask about each video from now on, ahead of who reads: yields the answers, in the order of the videos.

    `table` is asked from this process; a big scan is asked from another one, through a door made from `clients`.
    """
    question = Question(scan.id, whole)
    keys = clients.keys() if scan.objects is not None and scan.objects >= BIG else None
    if keys is None:
        with in_threads(videos, question, table.records) as answers:
            yield answers
        return
    meta = clients.dynamodb.meta
    with in_a_process(videos, question, Door(table.name, meta.region_name, meta.endpoint_url, keys)) as answers:
        yield answers


@contextmanager
def in_threads(videos: Iterable[Video], question: Question, recorded: States) -> Iterator[Iterator[Answer]]:
    """As `asked`, from threads of this process."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield iter(_Ahead(videos, lambda ids: pool.submit(question.answers, recorded, _split(ids)).result, _CHUNK, _AT_ONCE))
    finally:
        pool.shutdown(cancel_futures=True)  # whoever stops listening does not want the rest


@contextmanager
def in_a_process(videos: Iterable[Video], question: Question, door: Door) -> Iterator[Iterator[Answer]]:
    """As `asked`, from threads of one other process."""
    # Spawned, not forked: this process has threads by now (its progress bar).
    # Ctrl-C reaches both; this process ends the other, which need not say anything.
    quiet = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=quiet)
    lead = _LEAD_WHOLE if question.whole == frozenset(State) else _LEAD
    try:
        yield iter(_Ahead(videos, partial(_ask_elsewhere, pool, door, question), _CHUNK * _AT_ONCE, lead))
    finally:
        pool.shutdown(cancel_futures=True)


def _ask_elsewhere(pool: ProcessPoolExecutor, door: Door, question: Question, ids: bytes) -> Callable[[], list[Known | None]]:
    answer = pool.submit(_answers_elsewhere, door, question, ids)
    # Read when its turn comes: until then a record takes a fifth of the memory.
    return lambda: pickle.loads(answer.result())  # noqa: S301 - our own process wrote it


class _Ahead:
    """Answers in order, while the next questions are on their way."""

    def __init__(self, videos: Iterable[Video], ask: Ask, size: int, lead: int) -> None:
        self._videos = iter(videos)
        self._ask = ask
        self._size = size
        self._lead = lead
        self._asked: deque[tuple[bytes, Callable[[], list[Known | None]]]] = deque()
        self._ask_on()

    def __iter__(self) -> Iterator[Answer]:
        while self._asked:
            ids, answer = self._asked.popleft()
            known = answer()
            self._ask_on()
            yield from zip(_split(ids), known, strict=True)

    def _ask_on(self) -> None:
        while len(self._asked) < self._lead and (ids := b"".join(video.digest for video in islice(self._videos, self._size))):
            self._asked.append((ids, self._ask(ids)))


def _split(ids: bytes) -> list[bytes]:
    return [ids[at : at + _ID_BYTES] for at in range(0, len(ids), _ID_BYTES)]


# --- in the other process ----------------------------------------------------------------------------------------------


def _answers_elsewhere(door: Door, question: Question, ids: bytes) -> bytes:
    records, pool = _opened(door)
    # Whole records are asked for once for all of these ids: few of each part are wanted, and a request for five costs that for 100.
    return pickle.dumps(question.answers(records, _split(ids), pool), pickle.HIGHEST_PROTOCOL)


@cache
def _opened(door: Door) -> tuple[Records, ThreadPoolExecutor]:
    """Return records and threads, made at the first question and kept as long as the process."""
    return door.open(), ThreadPoolExecutor(_AT_ONCE)
