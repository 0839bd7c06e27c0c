"""Frames of the videos that the desk shows: two decoders at the same time, and the frames that were asked for last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import anyio
from anyio import to_thread
from starlette.requests import ClientDisconnect

from handlers.domain.languages import phrase
from handlers.runtime.clock import Clock
from tools.lib.desk.media import Analysed
from tools.lib.desk.refusal import RefusedError, refused
from tools.lib.evidence import EvidenceError, FrameReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_DECODERS = 2
# Bytes of frames that are kept, of some 10 KB each.
MOST_KEPT = 16 * 1024 * 1024


class Frames:
    """Frames by video and moment; whoever no longer waits for one is passed over."""

    def __init__(self, s3: S3Client, clock: Clock) -> None:
        self._readers = _Readers(s3, clock)
        self._kept: OrderedDict[tuple[Analysed, int], bytes] = OrderedDict()
        self._size = 0
        self._decoders = anyio.Semaphore(MOST_DECODERS)
        self._threads = anyio.CapacityLimiter(MOST_DECODERS)
        self._turns: WeakValueDictionary[Analysed, anyio.Lock] = WeakValueDictionary()

    async def get(self, content: Analysed, at_ms: int, *, gone: Callable[[], Awaitable[bool]]) -> bytes:
        """Return the frame on screen at a moment, as a JPEG; `gone` tells whether its reader has left.

        Raises:
            RefusedError: The object was replaced, or shows no frame; or the desk is being closed.
            ClientDisconnect: Its reader has left.
        """
        moment = content, at_ms
        if (kept := self._kept.get(moment)) is not None:
            self._kept.move_to_end(moment)
            return kept
        # One film is decoded by one decoder: the next frame of it is near.
        turn = self._turns.setdefault(content, anyio.Lock())
        async with turn, self._decoders:
            if (kept := self._kept.get(moment)) is not None:
                return kept
            if await gone():
                raise ClientDisconnect
            frame = await to_thread.run_sync(self._readers.frame, *moment, limiter=self._threads)
            self._keep(moment, frame)
            return frame

    def _keep(self, moment: tuple[Analysed, int], frame: bytes) -> None:
        self._kept[moment] = frame
        self._size += len(frame)
        while self._size > MOST_KEPT:
            self._size -= len(self._kept.popitem(last=False)[1])

    def close(self) -> None:
        """Kill the decoders, whatever they are doing; no other one is started."""
        self._readers.close()


class _Readers:
    """The decoders of the films that were looked at last; for several threads, each with another film."""

    def __init__(self, s3: S3Client, clock: Clock) -> None:
        self._s3 = s3
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: OrderedDict[Analysed, FrameReader] = OrderedDict()
        self._busy: set[FrameReader] = set()
        self._closed = False

    def frame(self, content: Analysed, at_ms: int) -> bytes:
        """Return the frame on screen at a moment, as a JPEG.

        Raises:
            RefusedError: The object was replaced, or shows no frame; or the desk is being closed.
        """
        reader = self._taken(content)
        try:
            return reader.frame(at_ms)
        except EvidenceError as error:
            if self._closed:
                raise _closing() from error
            raise refused(error) from error
        finally:
            with self._lock:
                self._busy.discard(reader)
                self._idle[content] = reader
                if self._closed:
                    self._end_idle(0)

    def _taken(self, content: Analysed) -> FrameReader:
        with self._lock:
            if self._closed:
                raise _closing()
            reader = self._idle.pop(content, None) or FrameReader(self._s3, content.video, content.facts, clock=self._clock)
            self._busy.add(reader)
            self._end_idle(MOST_DECODERS - len(self._busy))
            return reader

    def _end_idle(self, most: int) -> None:
        """End the decoders that wait, the oldest first, until no more than `most` are left."""
        while len(self._idle) > max(0, most):
            self._idle.popitem(last=False)[1].close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._end_idle(0)
            for reader in self._busy:
                reader.stop()


def _closing() -> RefusedError:
    cure = phrase("Start it again: review_report.py serve.")
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, phrase("The desk is being closed."), cure)
