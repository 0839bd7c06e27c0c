"""The samples of a film or image: which frames are analysed, and how to get them with little reading and decoding.

The packets of a group of pictures (a key frame and the frames that depend on it) are kept undecoded until it is known whether a key
frame lies in the window of the next sample. If so, only that key frame is decoded; otherwise the group is decoded, from its key
frame to the sample's place.
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

from handlers.decoder.packets import DecodeError, Packets, words_of
from handlers.decoder.source import RemoteFile
from handlers.domain import reasons
from handlers.domain.sampling import Window, first_window, next_window

# How many bytes of packets are kept undecoded at most.
_MOST_KEPT = 24 * 1024**2
# Frames on which no other frame depends are skipped if they end longer than this before a sample's place.
_NEAR_MS = 500
# A film counts as complete if it is shorter than its header says by at most this time plus this share of the stated duration.
_SHORTFALL_MS, _SHORTFALL = 1_000, 0.01
# Times in files are fractions of a second: two times that differ by less are the same.
_ROUNDING_MS = 0.5
# Where times go back by more than this, they start over, as where films were joined.
_LEAP_MS = 500
# A pixel aspect ratio beyond this, in either direction, is an error in the header and is ignored.
_MOST_OBLONG = 8

# When a film without reliable times is resumed, all frames are decoded from this long before the last analysed one.
_REDECODED_MS = 60_000

Shown = tuple[float, VideoFrame]
# FFmpeg's `skip_frame`, which skips nothing, frames on which no other frame depends, or all but key frames.
Skip = Literal["DEFAULT", "NONREF", "NONKEY"]


class Film:
    """An open film or image.

    Attributes:
        decoded_ms: The time up to which it could be decoded; None until `samples` has ended.
        complete: Whether that is the whole film; final once `samples` has ended.
    """

    def __init__(self, source: RemoteFile, interval_ms: int, after_ms: int | None) -> None:
        self._packets = Packets(source)
        self._interval_ms = interval_ms
        self._analysed_ms: float | None = after_ms
        self.kind = self._packets.kind
        self.duration_ms = None if self._packets.duration_ms is None else round(self._packets.duration_ms)
        self.decoded_ms: int | None = None
        self.complete = True
        # The packets of the current group of pictures, how many of them were decoded, the bytes they take, and their key frame; it
        # is None if the group became too large to be kept whole.
        self._group: list[Packet[VideoStream]] = []
        self._decoded = 0
        self._kept_bytes = 0
        self._key: Packet[VideoStream] | None = None
        # Whether the decoder still has to be reset before it decodes the group, and the time before which its frames are not shown,
        # because they depend on frames that were not decoded.
        self._cold = True
        self._whole_from_ms = -math.inf
        # The frame on screen, the frames that were decoded beyond it, and whether the decoder has returned all it had.
        self._shown: Shown | None = None
        self._ahead: deque[Shown] = deque()
        self._drained = False
        # The time of the latest decoded frame, and what is added to the times of a film whose times go back.
        self._latest_ms = -self._packets.period_ms
        self._offset_ms = 0.0
        self._errors = 0
        self._last_error = "no frame comes out of it"

    @property
    def pixel_aspect(self) -> Fraction:
        """Return a pixel's width divided by its height, 1 if the file does not say or is obviously wrong."""
        stream = self._packets.stream
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
        return aspect if Fraction(1, _MOST_OBLONG) <= aspect <= _MOST_OBLONG else Fraction(1)

    def samples(self) -> Iterator[Shown]:
        """Yield the frames to analyse that follow `after_ms`, with their times in milliseconds.

        Raises:
            DecodeError: Not one frame can be decoded.
        """
        if self._analysed_ms is None:
            window = first_window(self._interval_ms, self._packets.duration_ms)
        else:
            window = next_window(self._interval_ms, self._analysed_ms, self._analysed_ms)
        while (sample := self._sample(window)) is not None:
            place_ms, shown = sample
            if shown is not None and self._is_news(shown, place_ms):
                before_ms, self._analysed_ms = self._analysed_ms, shown[0]
                if shown[0] > window.latest_ms + _ROUNDING_MS:
                    self._note_hole(before_ms or 0.0, shown[0])
                yield shown
                window = next_window(self._interval_ms, place_ms, shown[0])
            elif self._ahead:
                place_ms = self._last_place_before(self._ahead[0][0], place_ms)
                window = next_window(self._interval_ms, place_ms, place_ms)
                self._note_hole(self._analysed_ms or 0.0, self._ahead[0][0])
            else:
                break
        self._finish()

    def shown_at(self, at_ms: float) -> VideoFrame:
        """Return the frame on screen at a time: the first one before the film's first frame, the last one after its end.

        Times must not go back from call to call, and a film serves this or `samples`, not both.

        Raises:
            DecodeError: No frame up to that time can be decoded.
        """
        found = self._sample(Window(at_ms, at_ms, at_ms))
        shown = found[1] if found is not None else None
        if shown is None and self._ahead:
            shown = self._ahead[0]
        if shown is None:
            raise DecodeError(reasons.UNDECODABLE, self._last_error)
        return shown[1]

    def _note_hole(self, from_ms: float, to_ms: float) -> None:
        """Note that no frame between two times follows another within a window: damage, or a picture that stays on screen."""
        lost = self._packets.leaps(from_ms - self._offset_ms, to_ms - self._offset_ms)
        if lost or self._errors + self._packets.errors:
            self.complete = False

    def _is_news(self, shown: Shown, place_ms: float) -> bool:
        """Tell whether to analyse the frame on screen: a first one always, another if it is new and the film reaches the place."""
        if self._analysed_ms is None:
            return True
        time_ms, frame = shown
        goes_on = self._ahead or not self._drained or place_ms + _ROUNDING_MS < time_ms + self._duration_of(frame)
        # What is resumed knows the time of the last analysed frame in whole milliseconds only.
        return round(time_ms) > round(self._analysed_ms) and bool(goes_on)

    def _duration_of(self, frame: VideoFrame) -> float:
        return 1_000 * float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self._packets.period_ms

    def _last_place_before(self, time_ms: float, place_ms: float) -> float:
        return place_ms + self._interval_ms * max(0, math.ceil((time_ms - place_ms) / self._interval_ms) - 1)

    def _sample(self, window: Window) -> tuple[float, Shown | None] | None:
        """Return the place of the next sample and the frame on screen there; None at the end of the film."""
        key = self._key_frame(window)
        if key is not None and (shown := self._alone(key)) is not None:
            return shown[0], shown
        if self._analysed_ms is not None and self._ends_before(window.place_ms):
            return None
        return window.place_ms, self._on_screen(window.place_ms)

    def _ends_before(self, place_ms: float) -> bool:
        """Tell whether a film was read to its end, which lies before a place."""
        return self._packets.orderly and self._packets.ended and self._packets.reached_ms <= place_ms + _ROUNDING_MS

    def _finish(self) -> None:
        if self._analysed_ms is None:
            raise DecodeError(reasons.UNDECODABLE, self._last_error)
        reached_ms = self._packets.reached_ms if self._packets.orderly else self._latest_ms
        if self._drained and self._errors:
            reached_ms = self._latest_ms
        self.decoded_ms = round(max(reached_ms, self._analysed_ms))
        promised_ms = self._packets.duration_ms or 0
        if self._packets.interrupted or self.decoded_ms < promised_ms * (1 - _SHORTFALL) - _SHORTFALL_MS:
            self.complete = False

    # The key frame in a window.

    def _key_frame(self, window: Window) -> Packet[VideoStream] | None:
        """Read on until the key frame to take is known: the last one in the window up to its place, else the next one in it.

        None: the window has none, or the times of the packets are not reliable.
        """
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
        """Add a packet to its group; return False if the group would exceed `_MOST_KEPT`."""
        if self._kept_bytes + packet.size > _MOST_KEPT:
            return False
        self._group.append(packet)
        self._kept_bytes += packet.size
        return True

    def _alone(self, key: Packet[VideoStream]) -> Shown | None:
        """Decode a key frame without the frames that depend on it; None if that fails."""
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
        """Decode up to a place and return the frame on screen there, the last frame if the film ends earlier; None without any."""
        while True:
            while self._ahead and self._ahead[0][0] <= place_ms + _ROUNDING_MS:
                self._shown = self._ahead.popleft()
            if self._ahead or not self._decode_on(place_ms):
                return self._shown

    def _decode_on(self, place_ms: float) -> bool:
        """Decode the next packet, or at the end of the film flush the decoder; return False if nothing is left."""
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
        # A film without reliable times is being resumed: of what was analysed before, key frames are enough.
        return "NONKEY" if self._analysed_ms is not None and self._latest_ms < self._analysed_ms - _REDECODED_MS else "DEFAULT"

    def _read_into_group(self) -> bool:
        packet = self._packets.pop()
        if packet is None:
            return False
        if not self._packets.orderly or packet.is_keyframe or not self._keep(packet):
            self._begin_group(packet, cold=self._cold)
        return True

    def _decode(self, packet: Packet[VideoStream] | None, skip: Skip = "DEFAULT") -> list[Shown]:
        """Return the frames that the decoder yields for a packet, none if it fails; without a packet, the rest."""
        if packet is not None and packet.has_sidedata("encryption_info"):
            # Decoded without the key it would be noise, some of which passes for a picture.
            self._errors += 1
            self._last_error = "it is encrypted (Common Encryption, as with DRM)"
            return []
        context = self._packets.stream.codec_context
        context.skip_frame = skip
        try:
            frames = context.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            self._errors += 1
            self._last_error = f"FFmpeg cannot decode it: {words_of(error)}"
            return []
        shown = [(self._time_of(frame), frame) for frame in frames]
        return [(time_ms, frame) for time_ms, frame in shown if time_ms >= self._whole_from_ms]

    def _time_of(self, frame: VideoFrame) -> float:
        """Return a frame's time in milliseconds: its own or, where times are unreliable, one after that of the frame before."""
        following_ms = self._latest_ms + self._packets.period_ms
        time_ms = following_ms if frame.pts is None else self._packets.time_of_frame(frame.pts) + self._offset_ms
        if not self._packets.orderly and time_ms <= self._latest_ms:
            if time_ms < self._latest_ms - _LEAP_MS:
                self._offset_ms += following_ms - time_ms
            time_ms = following_ms
        self._latest_ms = max(self._latest_ms, time_ms)
        return time_ms
