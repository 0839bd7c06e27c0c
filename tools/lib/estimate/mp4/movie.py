"""The length and codec in the header of an mp4 or mov file (ISO/IEC 14496-12, QuickTime file format).

The header of a long video has megabytes of sample tables. The few fields that are needed come before the tables, so these are not
read; PyAV would read them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.lib.estimate.mp4.boxes import SMALL_HEADER, Box, boxes, child, children, unsigned
from tools.lib.estimate.mp4.ranged_reader import BrokenError, RangedReading

# Codecs by the four letters of their sample entries; any other codec is named by its letters.
CODECS = {
    "avc1": "h264",
    "avc2": "h264",
    "avc3": "h264",
    "avc4": "h264",
    "hvc1": "hevc",
    "hev1": "hevc",
    "dvh1": "hevc",
    "dvhe": "hevc",
    "mp4v": "mpeg4",
    "vp08": "vp8",
    "vp09": "vp9",
    "av01": "av1",
    "apcn": "prores",
    "apch": "prores",
    "apcs": "prores",
    "apco": "prores",
    "ap4h": "prores",
    "jpeg": "mjpeg",
    "mjpa": "mjpeg",
}

# Codecs of cover pictures, which have video tracks, too.
_STILLS = frozenset({"mjpeg", "png "})

_UNKNOWN = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Track:
    """A track: its id, the time units of a second, and its video codec (None for sound and anything else)."""

    id: int
    timescale: int
    codec: str | None

    @property
    def moving(self) -> bool:
        return self.codec is not None and self.codec not in _STILLS


@dataclass(frozen=True, slots=True)
class Movie:
    """The `moov` box: the seconds that it states (or None), its tracks, whether fragments may follow, and where it ends."""

    seconds: float | None
    tracks: tuple[Track, ...]
    fragmented: bool
    end: int

    @property
    def picture(self) -> Track | None:
        """Return the first track with a moving picture, else the first with a picture, else None."""
        pictures = [track for track in self.tracks if track.codec is not None]
        return next((track for track in pictures if track.moving), next(iter(pictures), None))


def find_movie(reading: RangedReading) -> Box:
    """Return the first `moov` box, wherever in the file it is.

    Raises:
        BrokenError: There is none, or the file ends within it.
    """
    for box in boxes(reading, 0, reading.size):
        if box.kind == b"moov":
            return box
    raise BrokenError("there is no moov box: the recording or the upload was interrupted")


def has_movie_behind(reading: RangedReading, movie: Movie) -> bool:
    """Tell whether the file has another `moov` box further on; it ends at what cannot be parsed as a box."""
    try:
        return any(box.kind == b"moov" for box in boxes(reading, movie.end, reading.size))
    except BrokenError:
        return False


def read_movie(reading: RangedReading, moov: Box) -> Movie:
    """Read a `moov` box. Once a moving picture is found, nothing more is fetched.

    The header of a fragmented file may state only the length of the first fragment, but it is small, so it is read to its end.
    """
    seconds: float | None = None
    fragmented = False
    tracks: list[Track] = []
    for box in children(reading, moov):
        if box.kind == b"mvhd":
            seconds = _stated_seconds(reading, box)
        elif box.kind == b"mvex":
            fragmented = True
            seconds = _fragments_seconds(reading, box, moov) or seconds
        elif box.kind == b"trak" and (track := _track(reading, box)):
            tracks.append(track)
        known = seconds and any(track.moving for track in tracks)
        if known and not reading.holds(box.end, SMALL_HEADER):
            break
    return Movie(seconds, tuple(tracks), fragmented, moov.end)


def full_box(reading: RangedReading, box: Box, length: int) -> tuple[int, int, bytes]:
    """Return the version and flags of a box, and at most this many of the bytes that follow them."""
    data = reading.read(box.body, min(length + 4, box.end - box.body, reading.size - box.body))
    start = unsigned(data, 0, 4)
    return start >> 24, start & 0xFFFFFF, data[4:]


def _stated_seconds(reading: RangedReading, mvhd: Box) -> float | None:
    version, _, data = full_box(reading, mvhd, 28)
    timescale = _after_times(reading, mvhd)
    duration = unsigned(data, 20 if version else 12, 8 if version else 4)
    if not timescale:
        raise BrokenError("a time scale of 0")
    return None if duration in _UNKNOWN else duration / timescale


def _fragments_seconds(reading: RangedReading, mvex: Box, moov: Box) -> float | None:
    """Return the length including all fragments, which `mehd` states in the time scale of the movie."""
    mehd, mvhd = child(reading, mvex, b"mehd"), child(reading, moov, b"mvhd")
    if mehd is None or mvhd is None:
        return None
    version, _, data = full_box(reading, mehd, 8)
    timescale = _after_times(reading, mvhd)
    duration = unsigned(data, 0, 8 if version else 4)
    return None if duration in _UNKNOWN or not timescale else duration / timescale


def _track(reading: RangedReading, trak: Box) -> Track | None:
    """Return a track, None if it lacks a mandatory box."""
    tkhd, mdia = child(reading, trak, b"tkhd"), child(reading, trak, b"mdia")
    if tkhd is None or mdia is None:
        return None
    found: dict[bytes, Box] = {}
    for box in children(reading, mdia):
        found[box.kind] = box
        if box.kind == b"minf":
            break
    if not {b"mdhd", b"hdlr", b"minf"} <= set(found):
        return None
    pictures = full_box(reading, found[b"hdlr"], 8)[2][4:8] == b"vide"
    return Track(
        id=_after_times(reading, tkhd),
        timescale=_after_times(reading, found[b"mdhd"]),
        codec=_codec(reading, found[b"minf"]) if pictures else None,
    )


def _after_times(reading: RangedReading, box: Box) -> int:
    """Return the number behind the two times of `mvhd`, `mdhd` (their time scale) and `tkhd` (its track id)."""
    version, _, data = full_box(reading, box, 20)
    return unsigned(data, 16 if version else 8, 4)


def _codec(reading: RangedReading, minf: Box) -> str:
    stbl = child(reading, minf, b"stbl")
    stsd = child(reading, stbl, b"stsd") if stbl else None
    if stsd is None:
        raise BrokenError("a video track without a description of its samples")
    _, _, data = full_box(reading, stsd, 12)
    letters = data[8:12].decode("latin-1").ljust(4)
    return CODECS.get(letters, letters)
