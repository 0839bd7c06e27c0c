"""The packets of a film's video stream in the order of the file, with their times, and jumps to key frames by the file's index."""

from __future__ import annotations

import math
from collections import deque
from typing import cast

import av
from av.container import InputContainer
from av.index import IndexEntry
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from handlers.decoder.outer_boxes import has_fragments, is_whole_from
from handlers.decoder.pages import has_several as has_several_pages
from handlers.decoder.source import BUFFER, RemoteFile
from handlers.domain import reasons
from handlers.domain.beginnings import STILL_BRANDS
from handlers.domain.sampling import MOST_PIXELS, Window

# Names of the FFmpeg demuxers that are allowed. The others may open further files and addresses, or need a device.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,obu,ivf,flv,live_flv,asf,ogg,mxf,gxf,dv,rm,"
    "nut,wtv,yuv4mpegpipe,vc1,dirac,h263,h261,apng,gif,"
    "webp_pipe,bmp_pipe,tiff_pipe,png_pipe,jpeg_pipe,j2k_pipe,jpegls_pipe,psd_pipe,pcx_pipe,sgi_pipe,qoi_pipe,dds_pipe"
)
_MOST_STREAMS = 100
# After this many read errors, the rest of the film counts as lost.
_MOST_ERRORS = 50
# How far a key frame may be from the time that the index states, and how many key frames are tried, each before the last.
_INDEX_TOLERANCE_MS = 1_000
_MOST_TRIES = 3
_PERIOD_MS, _MOST_FRAMES_A_SECOND = 40.0, 240
# The longest plausible time between decoding and presenting a frame.
_LONGEST_REORDER_MS = 10_000
# At most that many frames that are shown earlier follow one; a decoder may need them before it returns it.
_REORDERED = 8
# Where nothing in the file has a time for longer than this, time leaps; and how many leaps are remembered.
_LEAP_MS = 1_000
_MOST_LEAPS = 100
# Between two blocks of a Matroska file stand at most that many bytes, which begin the second one and its cluster.
_MOST_BETWEEN_BLOCKS = 64


class DecodeError(Exception):
    """Not one frame can be decoded; `code` is a reason code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Packets:
    """The packets of the video stream that a player would choose.

    Attributes:
        stream: The video stream.
        kind: "film" or "image".
        duration_ms: What the file states; None if it states nothing.
        orderly: Whether the times of the packets are reliable. If not, every frame must be decoded, and its own time counts.
        ended: Whether the end of the file was reached.
        reached_ms: The time up to which the file was read.
        errors: How often reading failed.
        interrupted: Whether FFmpeg ended the film where the file goes on, but is damaged.

    Raises:
        DecodeError: FFmpeg cannot open the file, it has no video stream, too many pixels, or is an image of several tiles or pages.
    """

    def __init__(self, source: RemoteFile) -> None:
        self._source = source
        self.ended = False
        self.reached_ms = 0.0
        self.errors = 0
        self.interrupted = False
        self._next: Packet[VideoStream] | None = None
        self._decoding_ms: float | None = None
        # The time up to which the file was read in a row, where the last packet ended in it, and the leaps of time in it.
        self._read_on_ms: float | None = None
        self._read_on_to: int | None = None
        self._leaps: deque[tuple[float, float]] = deque(maxlen=_MOST_LEAPS)
        self._container = _opened(source)
        self.stream = _picture_of(self._container)
        self._demuxed = self._container.demux()
        brand = self._container.metadata.get("major_brand", "")
        self.kind = "image" if self._container.format.name.endswith("_pipe") or brand in STILL_BRANDS else "film"
        if self.kind == "image":
            _require_no_tiles(self._container, self.stream)
            self._require_one_page()
        self._prepare()
        # An AVI states only when frames are decoded, not when they are shown.
        self.orderly = not (self._container.format.name == "avi" and self.stream.codec_context.has_b_frames)
        self.duration_ms = self._duration()
        # The index of an MP4 has decoding times; how much later frames are shown is known from the first packet on.
        self._index_shift_ms: float | None = None if self._is_mp4 else 0.0
        self._indexed = self._find_index()
        self._in_fragments = self._is_mp4 and has_fragments(source)

    @property
    def _is_mp4(self) -> bool:
        return "mp4" in self._container.format.name

    @property
    def _is_matroska(self) -> bool:
        return "matroska" in self._container.format.name

    def _require_one_page(self) -> None:
        if self._container.format.name == "tiff_pipe" and has_several_pages(self._source):
            raise DecodeError(reasons.PAGES, "it is a TIFF image of several pages, of which only the first would be decoded")

    def _prepare(self) -> None:
        self.stream.codec_context.thread_count = 1
        self._scale = 1_000 * float(self.stream.time_base or 0)
        # In these containers a film begins at 0 even if its video stream does not; in others it may begin at any time.
        from_zero = self._is_mp4 or self._is_matroska
        self._start_ms = 0.0 if from_zero else (self._container.start_time or 0) / 1_000
        if self._is_mp4 and self.stream.duration is not None:  # otherwise the other streams show where the film ends, or has a hole
            for other in self._container.streams:
                if other.index != self.stream.index:
                    other.discard = Discard.all

    def _duration(self) -> float | None:
        if self.kind == "image":
            return None
        if self.stream.duration is not None:
            return self._ms(self.stream.duration + (self.stream.start_time or 0))
        return None if self._container.duration is None else self._container.duration / 1_000

    def _find_index(self) -> bool:
        """Tell whether the file has an index that covers the film to its end."""
        if self._is_matroska:
            try:
                self._container.seek(0)  # which reads the cues
            except av.error.FFmpegError:
                self._begin_again()
                return False
            self._demuxed = self._container.demux()
        entries = self.stream.index_entries
        if len(entries) < 2 or self.duration_ms is None:  # noqa: PLR2004  # the first frame alone is in every index
            return False
        last = entries[len(entries) - 1]
        if self._is_mp4:
            return self._ms(last.timestamp) > self.duration_ms - 2_000
        return self._ms(last.timestamp) > self.duration_ms / 2

    def _begin_again(self) -> None:
        """Read the film from its start, without its index."""
        self._source.seek(0)
        self._container = _opened(self._source)
        self.stream = _picture_of(self._container)
        self._demuxed = self._container.demux()
        self._prepare()
        self._indexed, self._next, self._decoding_ms, self._read_on_ms, self.ended = False, None, None, None, False

    # Times.

    def _ms(self, timestamp: int) -> float:
        return timestamp * self._scale - self._start_ms

    def time_of(self, packet: Packet[VideoStream]) -> float:
        """Return when the frame of a packet is shown, in milliseconds; only where `orderly`."""
        return self._ms(packet.pts or 0)

    def decoding_time_of(self, packet: Packet[VideoStream]) -> float:
        """Return when a packet is decoded, in milliseconds: no frame that follows is shown earlier. Only where `orderly`."""
        return -math.inf if packet.dts is None else self._ms(packet.dts)

    def end_of(self, packet: Packet[VideoStream]) -> float:
        """Return when the frame of a packet leaves the screen, as far as the file says; only where `orderly`."""
        return self._ms((packet.pts or 0) + (packet.duration or 0))

    def time_of_frame(self, pts: int) -> float:
        """Convert a decoded frame's timestamp to milliseconds from the start of the film."""
        return self._ms(pts)

    @property
    def period_ms(self) -> float:
        """Return how long a frame is shown on average, in milliseconds; 40 if the file states no plausible rate."""
        rate = self.stream.average_rate
        return 1_000 / float(rate) if rate and rate <= _MOST_FRAMES_A_SECOND else _PERIOD_MS

    # Reading on.

    def peek(self) -> Packet[VideoStream] | None:
        """Return the next packet without consuming it, None at the end; read errors are counted and skipped."""
        while self._next is None and not self.ended:
            try:
                packet = next(self._demuxed, None)
            except (av.error.FFmpegError, ValueError):
                self.errors += 1
                self.ended = self.errors > _MOST_ERRORS
                self._demuxed = self._container.demux()
                continue
            if packet is None:
                self._end()
            elif not packet.size:  # the demuxer's last packets are empty
                continue
            elif packet.stream.index == self.stream.index:
                self._next = cast("Packet[VideoStream]", packet)
                self._look(self._next)
            elif packet.pts is not None and packet.time_base is not None:
                self._look_at_other(packet, 1_000 * float(packet.time_base))
        return self._next

    def _end(self) -> None:
        self.ended = True
        if self._in_fragments:
            indexes = [stream.index_entries for stream in self._container.streams]
            last = [entries[len(entries) - 1] for entries in indexes if len(entries)]
            self.interrupted = not is_whole_from(self._source, max((entry.pos + entry.size for entry in last), default=0))

    def pop(self) -> Packet[VideoStream] | None:
        """Return the next packet and consume it, None at the end."""
        packet = self.peek()
        self._next = None
        return packet

    def _look(self, packet: Packet[VideoStream]) -> None:
        """Update `reached_ms` and `orderly` from a packet's times."""
        if packet.pts is None and not self.stream.codec_context.has_b_frames:
            packet.pts = packet.dts
        if packet.pts is None:
            self.orderly = False
            return
        self.reached_ms = max(self.reached_ms, self.end_of(packet))
        self._read_on(packet)
        if packet.dts is None:  # as of the first frames in a Matroska file
            self.orderly = self.orderly and self._decoding_ms is None
            return
        decoding_ms, shown_ms = self._ms(packet.dts), self.time_of(packet)
        behind = self._decoding_ms is not None and decoding_ms < self._decoding_ms
        self.orderly = self.orderly and not behind and 0 <= shown_ms - decoding_ms <= _LONGEST_REORDER_MS
        self._decoding_ms = decoding_ms
        if self._index_shift_ms is None:
            self._index_shift_ms = shown_ms - decoding_ms

    def _look_at_other(self, packet: Packet[Stream], scale: float) -> None:
        """Note from a packet of another stream how far the file was read in a row, since time goes on there, too."""
        start_ms = (packet.pts or 0) * scale - self._start_ms
        end_ms = start_ms + (packet.duration or 0) * scale
        if self.stream.duration is None:
            self.reached_ms = max(self.reached_ms, end_ms)
        if self._read_on_ms is not None and start_ms <= self._read_on_ms + _LEAP_MS:
            self._read_on_ms = max(self._read_on_ms, end_ms)
        self._read_on_to = _end_in_file(packet)

    def _read_on(self, packet: Packet[VideoStream]) -> None:
        """Note how far the file was read in a row, and whether time leaps before a packet of the video."""
        # Some frames that are shown earlier may follow a packet.
        start_ms = self.time_of(packet) - _REORDERED * self.period_ms
        if self._read_on_ms is None:
            self._read_on_ms = start_ms
        if start_ms > self._read_on_ms + _LEAP_MS and not self._states_leaps(packet):
            self._leaps.append((self._read_on_ms, start_ms))
        self._read_on_ms = max(self._read_on_ms, self.end_of(packet), self.time_of(packet) + self.period_ms)
        self._read_on_to = _end_in_file(packet)

    def _states_leaps(self, packet: Packet[VideoStream]) -> bool:
        """Tell whether a frame before this packet is on screen until it, so that no leap is a hole.

        An MP4 states how long each frame is shown. In Matroska it is shown until the next one, unless bytes between them are lost.
        """
        if self._is_matroska and packet.pos is not None and self._read_on_to is not None:
            return 0 <= packet.pos - self._read_on_to <= _MOST_BETWEEN_BLOCKS
        return self._is_mp4

    def leaps(self, from_ms: float, to_ms: float) -> bool:
        """Tell whether, between two times, there is a time about which the file holds nothing: a part of it was lost."""
        return any(start < to_ms and from_ms < end for start, end in self._leaps)

    # Jumping.

    def jump(self, window: Window) -> float | None:
        """Go forward to the key frame from which the sample of a window is decoded, if the index shows that this saves reading.

        It is the last one up to the window's place or, if that one is too early, the first one after the place in the window.

        Returns:
            The key frame's time if no other can be in the window, which only the index of an MP4 shows; otherwise None.
        """
        self.peek()
        if not self._indexed or not self.orderly:
            return None
        key, behind = self._key(window.place_ms, backward=True), self._key(window.place_ms, backward=False)
        if behind is not None and behind[0] <= window.latest_ms and (key is None or key[0] < window.earliest_ms):
            key = behind
        if key is None:
            return None
        time_ms, entry = key
        if self._decoding_ms is None or self._ms(entry.timestamp) <= self._decoding_ms:
            self._expect(entry, window, time_ms)
        else:
            found_ms = self._go_to(entry, window, time_ms)
            if found_ms is None:
                return None
            time_ms = found_ms
        return time_ms if self._is_mp4 else None

    def _go_to(self, entry: IndexEntry, window: Window, time_ms: float) -> float | None:
        """Go to a key frame or, if it is shown too late, to one before it; return its time, None if the index is wrong."""
        entries = self.stream.index_entries
        for _ in range(_MOST_TRIES):
            self._expect(entry, window, time_ms)
            found_ms = self._seek(time_ms)
            if found_ms is None:
                return None
            if found_ms <= window.place_ms or window.earliest_ms <= found_ms <= window.latest_ms:
                return found_ms
            number = entries.search_timestamp(entry.timestamp - 1)
            if number < 0:
                break
            entry = entries[number]
            time_ms = self._ms(entry.timestamp) + (self._index_shift_ms or 0)
        self._begin_again()
        return None

    def _timestamp(self, time_ms: float) -> int:
        return round((time_ms - (self._index_shift_ms or 0) + self._start_ms) / self._scale)

    def _key(self, time_ms: float, *, backward: bool) -> tuple[float, IndexEntry] | None:
        """Return the nearest key frame in the index, before or after a time, and when it is shown; None if there is none."""
        entries = self.stream.index_entries
        number = entries.search_timestamp(self._timestamp(time_ms), backward=backward)
        if not 0 <= number < len(entries):
            return None
        entry = entries[number]
        return self._ms(entry.timestamp) + (self._index_shift_ms or 0), entry

    def _expect(self, entry: IndexEntry, window: Window, time_ms: float) -> None:
        """Announce what will be read: only the key frame if it is in the window, otherwise everything from it to the place."""
        if not self._is_mp4:
            return
        last = entry
        if time_ms < window.earliest_ms:
            entries = self.stream.index_entries
            number = entries.search_timestamp(self._timestamp(window.place_ms), any_frame=True)
            last = entries[min(number + _REORDERED, len(entries) - 1)]
        self._source.expect(last.pos + last.size)

    def _seek(self, time_ms: float) -> float | None:
        """Go to a key frame and return its time; if the file leads elsewhere, start over without its index and return None."""
        try:
            # FFmpeg takes the presentation time, although the index of an MP4 has decoding times.
            self._container.seek(round((time_ms + self._start_ms) / self._scale), stream=self.stream)
        except av.error.FFmpegError:
            self._begin_again()
            return None
        self._demuxed, self._next, self._decoding_ms, self._read_on_ms = self._container.demux(), None, None, None
        packet = self.peek()
        if packet is None or not packet.is_keyframe or abs(self.time_of(packet) - time_ms) > _INDEX_TOLERANCE_MS:
            self._begin_again()
            return None
        return self.time_of(packet)


def _end_in_file(packet: Packet[Stream] | Packet[VideoStream]) -> int | None:
    return None if packet.pos is None else packet.pos + packet.size


def words_of(error: av.error.FFmpegError | ValueError) -> str:
    """Return FFmpeg's words for an error, without its number and the name of the function that failed."""
    words = error.strerror if isinstance(error, av.error.FFmpegError) else None
    return words or str(error)


def _opened(source: RemoteFile) -> InputContainer:
    try:
        return av.open(
            source,
            mode="r",
            options={"max_pixels": str(MOST_PIXELS)},
            container_options={"format_whitelist": _FORMATS, "protocol_whitelist": "none", "max_streams": str(_MOST_STREAMS)},
            metadata_errors="replace",
            buffer_size=BUFFER,
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise DecodeError(reasons.UNDECODABLE, f"FFmpeg cannot open it: {words_of(error)}") from error


def _require_no_tiles(container: InputContainer, chosen: VideoStream) -> None:
    """Refuse an image that consists of several; one that has thumbnails, or its transparency, beside itself is none."""
    tiles = [stream for stream in container.streams.video if stream.disposition & Disposition.dependent]
    if tiles and not chosen.disposition & Disposition.default:
        raise DecodeError(reasons.TILED, f"it is an image of {len(tiles)} tiles, which are not joined here")


def _picture_of(container: InputContainer) -> VideoStream:
    """Return the video stream that a player would show; cover art does not count."""
    pictures = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not pictures:
        raise DecodeError(reasons.NO_PICTURE, "it has no picture")
    best = container.streams.best("video")
    stream = next((stream for stream in pictures if best is not None and stream.index == best.index), pictures[0])
    if stream.codec_context is None:
        raise DecodeError(reasons.UNDECODABLE, "FFmpeg knows no decoder for its picture")
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MOST_PIXELS:
        raise DecodeError(reasons.TOO_MANY_PIXELS, f"it has {width} x {height} pixels; at most {MOST_PIXELS:,} are decoded")
    return stream
