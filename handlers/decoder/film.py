"""The samples of a film or image: which frames are analysed, and how they are come by with little reading and decoding.

Of a group of pictures (a key frame and what builds on it) the packets are kept undecoded until it is known whether a key frame lies
where the next sample may stand. If one does, it alone is decoded; otherwise the group is, from its key frame to the sample's place.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from handlers.decoder.packets import DecodeError, Packets
from handlers.decoder.source import RemoteFile
from handlers.domain import reasons
from handlers.domain.sampling import Window, first_window, next_window

# Bytes of packets that are kept undecoded.
_MOST_KEPT = 24 * 1024**2
# Frames on which no other builds are decoded only this close before a sample's place.
_NEAR_MS = 500
# What a header may promise beyond what is there: this long, and this share.
_SHORTFALL_MS, _SHORTFALL = 1_000, 0.01
# Times are counted in fractions of a second.
_ROUNDING_MS = 0.5
# Times that go back further begin anew, as where films were joined.
_LEAP_MS = 500
# Pixels that are more oblong than this are a fault in the header.
_MOST_OBLONG = 8

# Before the place where such a film is taken up again, all frames are decoded for so long.
_REDECODED_MS = 60_000

Shown = tuple[float, VideoFrame]
# For FFmpeg: no frames, those on which no other builds, all but key frames.
Skip = Literal["DEFAULT", "NONREF", "NONKEY"]


class Film:
    """A film or image that was opened.

    Attributes:
        decoded_ms: How far frames came out, once the samples have ended.
        complete: Whether that is the whole film.
    """

    def __init__(self, source: RemoteFile, interval_ms: int, after_ms: int | None) -> None:
        self._packets = Packets(source)
        self._interval_ms = interval_ms
        self._analysed_ms: float | None = after_ms
        self.kind = self._packets.kind
        self.duration_ms = None if self._packets.duration_ms is None else round(self._packets.duration_ms)
        self.decoded_ms: int | None = None
        self.complete = True
        # The group of pictures that is being read, how many of its packets were decoded, and its key frame if all are kept.
        self._group: list[Packet[VideoStream]] = []
        self._decoded = 0
        self._kept_bytes = 0
        self._key: Packet[VideoStream] | None = None
        # The decoder knows nothing of what the group builds on.
        self._cold = True
        self._whole_from_ms = -math.inf
        # The frame on screen, and those that were decoded beyond it.
        self._shown: Shown | None = None
        self._ahead: deque[Shown] = deque()
        self._drained = False
        # The latest frame of all, and what is added to the times of a film in which they go back.
        self._latest_ms = -self._packets.period_ms
        self._offset_ms = 0.0
        self._errors = 0
        self._last_error = "no frame comes out of it"

    @property
    def pixel_aspect(self) -> Fraction:
        """Return how many times as wide as high a pixel is."""
        stream = self._packets.stream
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
        return aspect if Fraction(1, _MOST_OBLONG) <= aspect <= _MOST_OBLONG else Fraction(1)

    def samples(self) -> Iterator[Shown]:
        """Yield the frames to analyse, with their times.

        Raises:
            DecodeError: There is none.
        """
        if self._analysed_ms is None:
            window = first_window(self._interval_ms, self._packets.duration_ms)
        else:
            window = next_window(self._interval_ms, self._analysed_ms, self._analysed_ms)
        while (sample := self._sample(window)) is not None:
            place_ms, shown = sample
            if shown is not None and self._is_news(shown, place_ms):
                self._analysed_ms = shown[0]
                yield shown
                window = next_window(self._interval_ms, place_ms, shown[0])
            elif self._ahead:
                place_ms = self._last_place_before(self._ahead[0][0], place_ms)
                window = next_window(self._interval_ms, place_ms, place_ms)
                self.complete = self.complete and self._errors + self._packets.errors == 0
            else:
                break
        self._finish()

    def _is_news(self, shown: Shown, place_ms: float) -> bool:
        """Tell whether the frame on screen was not analysed yet, and the film goes on to the place, or has no sample at all."""
        if self._analysed_ms is None:
            return True
        time_ms, frame = shown
        goes_on = self._ahead or not self._drained or place_ms + _ROUNDING_MS < time_ms + self._duration_of(frame)
        return time_ms > self._analysed_ms and bool(goes_on)

    def _duration_of(self, frame: VideoFrame) -> float:
        return 1_000 * float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self._packets.period_ms

    def _last_place_before(self, time_ms: float, place_ms: float) -> float:
        return place_ms + self._interval_ms * max(0, math.ceil((time_ms - place_ms) / self._interval_ms) - 1)

    def _sample(self, window: Window) -> tuple[float, Shown | None] | None:
        """Return where the next sample stands and the frame on screen there; None at the end of the film."""
        key = self._key_frame(window)
        if key is not None and (shown := self._alone(key)) is not None:
            return shown[0], shown
        if self._analysed_ms is not None and self._ends_before(window.place_ms):
            return None
        return window.place_ms, self._on_screen(window.place_ms)

    def _ends_before(self, place_ms: float) -> bool:
        """Tell whether a film was read to its end, and that came before a place."""
        return self._packets.orderly and self._packets.ended and self._packets.reached_ms <= place_ms + _ROUNDING_MS

    def _finish(self) -> None:
        if self._analysed_ms is None:
            raise DecodeError(reasons.UNDECODABLE, self._last_error)
        reached_ms = self._packets.reached_ms if self._packets.orderly else self._latest_ms
        if self._drained and self._errors:
            reached_ms = self._latest_ms
        self.decoded_ms = round(max(reached_ms, self._analysed_ms))
        promised_ms = self._packets.duration_ms or 0
        if self.decoded_ms < promised_ms * (1 - _SHORTFALL) - _SHORTFALL_MS:
            self.complete = False

    # The key frame in a window.

    def _key_frame(self, window: Window) -> Packet[VideoStream] | None:
        """Read on until it is known whether a key frame is in the window: the last up to the place or, failing that, the next."""
        known_ms = self._packets.jump(window)
        goal_ms = window.place_ms
        if known_ms is not None and window.earliest_ms <= known_ms <= window.latest_ms:
            goal_ms = known_ms - _ROUNDING_MS
        elif known_ms is not None and window.place_ms < (self._packets.duration_ms or 0):
            self._begin_where_jumped_to(window.place_ms)
            return None
        found = self._key if self._key is not None and window.earliest_ms <= self._packets.time_of(self._key) else None
        while found is None or self._packets.time_of(found) < goal_ms:
            packet = self._packets.peek()
            if packet is None or not self._packets.orderly:
                break
            over_ms = window.latest_ms if found is None else window.place_ms
            time_ms = self._packets.time_of(packet)
            if self._packets.decoding_time_of(packet) > over_ms or (packet.is_keyframe and time_ms > over_ms):
                break
            if packet.is_keyframe:
                self._begin_group(packet, cold=True)
                found = packet if time_ms >= window.earliest_ms else None
            elif not self._keep(packet):
                break
            self._packets.pop()
        return found if self._packets.orderly else None

    def _begin_where_jumped_to(self, place_ms: float) -> None:
        packet = self._packets.peek()
        if packet is not None and packet.is_keyframe and self._packets.time_of(packet) <= place_ms:
            self._begin_group(packet, cold=True)
            self._packets.pop()

    def _begin_group(self, packet: Packet[VideoStream], *, cold: bool) -> None:
        self._group, self._decoded, self._kept_bytes = [packet], 0, packet.size
        self._key = packet if packet.is_keyframe else None
        self._cold = cold
        if cold:
            self._ahead.clear()

    def _keep(self, packet: Packet[VideoStream]) -> bool:
        """Add a packet to its group; return False if that would be too much."""
        if self._kept_bytes + packet.size > _MOST_KEPT:
            return False
        self._group.append(packet)
        self._kept_bytes += packet.size
        return True

    def _alone(self, key: Packet[VideoStream]) -> Shown | None:
        """Decode a key frame without what builds on it."""
        context = self._packets.stream.codec_context
        context.flush_buffers()
        time_ms = self._packets.time_of(key)
        self._whole_from_ms = time_ms
        frames = [*self._decode(key), *self._decode(None)]
        context.flush_buffers()
        self._decoded, self._cold = 0, True
        self._ahead.clear()
        self._shown = next((shown for shown in frames if abs(shown[0] - time_ms) < _ROUNDING_MS), None)
        return self._shown

    # The frame on screen at a place.

    def _on_screen(self, place_ms: float) -> Shown | None:
        """Decode up to a place; without a frame on screen before its end, the last frame of the film counts."""
        while True:
            while self._ahead and self._ahead[0][0] <= place_ms + _ROUNDING_MS:
                self._shown = self._ahead.popleft()
            if self._ahead or not self._decode_on(place_ms):
                return self._shown

    def _decode_on(self, place_ms: float) -> bool:
        """Decode the next packet, or at the end what the decoder holds back; return False if nothing is left."""
        if self._decoded == len(self._group) and not self._read_into_group():
            if self._drained:
                return False
            self._drained = True
            self._ahead.extend(self._decode(None))
            return True
        packet = self._group[self._decoded]
        if self._cold:
            self._packets.stream.codec_context.flush_buffers()
            self._whole_from_ms = self._packets.time_of(packet) if self._packets.orderly else -math.inf
            self._cold = False
        self._decoded += 1
        self._ahead.extend(self._decode(packet, skip=self._dispensable(packet, place_ms)))
        return True

    def _dispensable(self, packet: Packet[VideoStream], place_ms: float) -> Skip:
        """Return which frames need not be decoded on the way to a place."""
        if self._packets.orderly:
            return "DEFAULT" if self._packets.end_of(packet) > place_ms - _NEAR_MS else "NONREF"
        # A film without reliable times that is taken up again: what was analysed is passed over by its key frames.
        return "NONKEY" if self._analysed_ms is not None and self._latest_ms < self._analysed_ms - _REDECODED_MS else "DEFAULT"

    def _read_into_group(self) -> bool:
        packet = self._packets.pop()
        if packet is None:
            return False
        if not self._packets.orderly or packet.is_keyframe or not self._keep(packet):
            self._begin_group(packet, cold=self._cold)
        return True

    def _decode(self, packet: Packet[VideoStream] | None, skip: Skip = "DEFAULT") -> list[Shown]:
        """Return the frames that come out with a packet."""
        context = self._packets.stream.codec_context
        context.skip_frame = skip
        try:
            frames = context.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            self._errors += 1
            self._last_error = f"FFmpeg cannot decode it: {error}"
            return []
        shown = [(self._time_of(frame), frame) for frame in frames]
        return [(time_ms, frame) for time_ms, frame in shown if time_ms >= self._whole_from_ms]

    def _time_of(self, frame: VideoFrame) -> float:
        """Return when a frame is shown: as it says or, where that cannot be relied upon, at least after the one before it."""
        following_ms = self._latest_ms + self._packets.period_ms
        time_ms = following_ms if frame.pts is None else self._packets.time_of_frame(frame.pts) + self._offset_ms
        if not self._packets.orderly and time_ms <= self._latest_ms:
            if time_ms < self._latest_ms - _LEAP_MS:
                self._offset_ms += following_ms - time_ms
            time_ms = following_ms
        self._latest_ms = max(self._latest_ms, time_ms)
        return time_ms
