"""Frames of an object in S3 at any time, read by ranges and decoded in a process of its own."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Self

from handlers.adapters.media.process import Decoder, DecoderFailedError
from handlers.adapters.media.ranges import Ranges, ReadTooMuchError
from handlers.adapters.objects import ObjectError, ObjectRanges, ObjectStore
from handlers.decoder import FRAME, OPENED
from handlers.domain import ObjectFacts, Problem, Video, reasons
from handlers.domain.languages import Phrase, phrase
from handlers.runtime.clock import Clock, SystemClock
from tools.lib.errors import ToolError
from tools.lib.text import byte_size, printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_COMMAND = (sys.executable, "-P", "-m", "tools.lib.evidence.frames")
# The most that is fetched for one frame. Films with an index need a few MiB; those without one are read from their start.
MOST_READ = 256 * 1024**2


class EvidenceError(ToolError):
    """An object shows no frame; the message names it and says why."""


class ReplacedError(EvidenceError):
    """The object that was analysed is gone, or another one is in its place."""


class UndecodableError(EvidenceError):
    """FFmpeg cannot decode it here, or not at this time."""


class UnreadableError(EvidenceError):
    """S3 does not let it be read."""


class _FrameTooLargeError(Exception):
    """A frame takes more than the limit of bytes, which is the message."""


def _too_much(error: _FrameTooLargeError) -> Phrase:
    return phrase(
        "more than {size} would have to be read for it, as of a film without an index or with a broken one", size=str(error)
    )


class FrameReader:
    """Frames of one object as it was analysed, for a `with` statement; one thread at a time.

    Times that go forward are cheapest: one that goes back opens the film again. An image shows its one frame at any time.

    Args:
        client: Reads the object, by GetObject with its etag and its version.
        video: The object.
        facts: What was analysed: etag, size, version.
        most_read: Bytes that are fetched for one frame at most.
    """

    def __init__(
        self, client: S3Client, video: Video, facts: ObjectFacts, *, clock: Clock | None = None, most_read: int = MOST_READ
    ) -> None:
        self._video = video
        source = ObjectStore(client).ranges(video, facts, clock or SystemClock(), until=math.inf)
        self._source = _Bounded(source, most_read)
        self._decoder: Decoder | None = None
        self._at_ms = 0
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder; the next frame starts another one."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def stop(self) -> None:
        """Have the frame that another thread waits for fail at once, and every later one."""
        self._stopped = True
        if (decoder := self._decoder) is not None:
            decoder.kill()

    def frame(self, at_ms: int, width: int = 320) -> bytes:
        """Return the frame on screen at a time as a JPEG: upright, with square pixels, at most `width` pixels wide.

        Before the first frame that is the first, after the end the last one.

        Raises:
            ReplacedError: The object is another one by now, or gone.
            UndecodableError: It cannot be decoded.
            UnreadableError: It may not be read, or is archived.
            BotoCoreError, ClientError: S3 cannot be reached or is overloaded.
        """
        self._source.left = self._source.most
        try:
            return self._frame(at_ms, width)
        except ObjectError as error:
            self.close()
            raise unread(self._video, error.problem) from error
        except _FrameTooLargeError as error:
            self.close()
            raise self._undecodable(_too_much(error)) from error
        except (DecoderFailedError, ReadTooMuchError) as error:
            self.close()
            raise self._undecodable(printable(str(error))) from error
        except BaseException:  # the decoder waits for bytes that will not come
            self.close()
            raise

    def _frame(self, at_ms: int, width: int) -> bytes:
        if self._decoder is None or at_ms < self._at_ms:
            self.close()
            self._decoder = self._opened()
        message, data = self._decoder.step(at_ms=at_ms, width=width)
        if message["is"] != FRAME:
            raise DecoderFailedError(message["message"])
        self._at_ms = at_ms
        return data

    def _opened(self) -> Decoder:
        if find_spec("av") is None:
            lacking = phrase("PyAV, which decodes frames, is not in this environment.")
            raise UndecodableError(lacking, cure=phrase("Run `make setup`."))
        decoder = Decoder(Ranges(self._source), command=_COMMAND)
        self._decoder = decoder
        if self._stopped:  # perhaps before there was a decoder to kill
            raise DecoderFailedError("it was stopped")
        message, _ = decoder.step(size=self._source.size)
        if message["is"] != OPENED:
            raise DecoderFailedError(message["message"])
        return decoder

    def _undecodable(self, why: str | Phrase) -> UndecodableError:
        cure = phrase("Download it and look at it in a player such as VLC; `ffprobe FILE` shows its codec and what is broken.")
        return UndecodableError(phrase("{name} shows no frame here: {why}.", name=self._name, why=why), cure=cure)

    @property
    def _name(self) -> str:
        return printable(self._video.uri)


def unread(video: Video, problem: Problem) -> EvidenceError:
    """Return why an object that was analysed cannot be shown."""
    name = printable(video.uri)
    if problem.code == reasons.CHANGED:
        replaced = phrase("{name} was replaced by another object since it was analysed.", name=name)
        again = phrase("Scan it again: the verdict is about the former content.")
        uploaded = phrase("Look at the upload that replaced it: in a watched bucket each has a verdict of its own.")
        return ReplacedError(replaced, cure=again if video.etag is None else uploaded)
    if problem.code == reasons.MISSING:
        gone = phrase("{name} is gone: it was deleted or moved since it was analysed.", name=name)
        return ReplacedError(gone, cure=phrase("Nothing to look at."))
    cure = phrase("Let these credentials read it (s3:GetObject and its key's kms:Decrypt); an archived one must be restored first.")
    return UnreadableError(phrase("{name} cannot be read: {why}", name=name, why=printable(problem.message)), cure=cure)


class _Bounded:
    """A source of which one frame takes a limited number of bytes."""

    def __init__(self, source: ObjectRanges, most: int) -> None:
        self._source = source
        self.size = source.size
        self.most = self.left = most

    def read(self, offset: int, length: int) -> bytes:
        self.left -= length
        if self.left < 0:
            raise _FrameTooLargeError(byte_size(self.most))
        return self._source.read(offset, length)
