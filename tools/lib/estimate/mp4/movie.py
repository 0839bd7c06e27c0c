"""What the header of an mp4 or mov says: how long it is, and in which codec (ISO/IEC 14496-12, QuickTime file format).

The header of a long video is megabytes of sample tables. The few fields that are wanted stand before those, so the tables are not
read: PyAV would read them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.lib.estimate.mp4.boxes import SMALL_HEADER, Box, boxes, child, children, unsigned
from tools.lib.estimate.mp4.ranged_reader import BrokenError, RangedReading

# Names of codecs by the four letters of a sample entry; another one is called by its letters.
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

# A cover picture is a video track too.
_STILLS = frozenset({"mjpeg", "png "})

_UNKNOWN = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Track:
    """A track: its id, the time units of a second, and the codec of its pictures (None for sound and whatever else)."""

    id: int
    timescale: int
    codec: str | None

    @property
    def moving(self) -> bool:
        """Tell whether it holds a moving picture."""
        return self.codec is not None and self.codec not in _STILLS


@dataclass(frozen=True, slots=True)
class Movie:
    """The `moov` box: seconds as it states them (None where it does not), its tracks, whether fragments may follow, its end."""

    seconds: float | None
    tracks: tuple[Track, ...]
    fragmented: bool
    end: int

    @property
    def picture(self) -> Track | None:
        """Return the video track that counts, None where there is none."""
        pictures = [track for track in self.tracks if track.codec is not None]
        return next((track for track in pictures if track.moving), next(iter(pictures), None))


def find_movie(reading: RangedReading) -> Box:
    """Return the `moov` box, wherever in the file it stands.

    Raises:
        BrokenError: There is none, or the file ends within it.
    """
    for box in boxes(reading, 0, reading.size):
        if box.kind == b"moov":
            return box
    raise BrokenError("there is no moov box: the recording or the upload was broken off")


def has_movie_behind(reading: RangedReading, movie: Movie) -> bool:
    """Tell whether another `moov` box comes behind one; what does not parse as a box ends the file."""
    try:
        return any(box.kind == b"moov" for box in boxes(reading, movie.end, reading.size))
    except BrokenError:
        return False


def read_movie(reading: RangedReading, moov: Box) -> Movie:
    """Return what a `moov` box says. Once a moving picture is found, nothing is fetched for what follows.

    A fragmented file, whose header may state no more than its first fragment's length, has a small one and so is read to its end.
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
    """Return version, flags and the beginning of what follows them in a box, at most this many bytes."""
    data = reading.read(box.body, min(length + 4, box.end - box.body, reading.size - box.body))
    start = unsigned(data, 0, 4)
    return start >> 24, start & 0xFFFFFF, data[4:]


def _stated_seconds(reading: RangedReading, mvhd: Box) -> float | None:
    version, _, data = full_box(reading, mvhd, 28)
    # Two times precede: of 4 bytes each in version 0, of 8 in version 1.
    timescale = unsigned(data, 16 if version else 8, 4)
    duration = unsigned(data, 20 if version else 12, 8 if version else 4)
    if not timescale:
        raise BrokenError("a time scale of 0")
    return None if duration in _UNKNOWN else duration / timescale


def _fragments_seconds(reading: RangedReading, mvex: Box, moov: Box) -> float | None:
    """Return the length with all fragments, which `mehd` states in the time scale of the movie."""
    mehd, mvhd = child(reading, mvex, b"mehd"), child(reading, moov, b"mvhd")
    if mehd is None or mvhd is None:
        return None
    version, _, data = full_box(reading, mehd, 8)
    movie_version, _, movie = full_box(reading, mvhd, 28)
    timescale = unsigned(movie, 16 if movie_version else 8, 4)
    duration = unsigned(data, 0, 8 if version else 4)
    return None if duration in _UNKNOWN or not timescale else duration / timescale


def _track(reading: RangedReading, trak: Box) -> Track | None:
    """Return a track, None where it lacks what each has."""
    tkhd, mdia = child(reading, trak, b"tkhd"), child(reading, trak, b"mdia")
    if tkhd is None or mdia is None:
        return None
    found: dict[bytes, Box] = {}
    for box in children(reading, mdia):
        found[box.kind] = box
        if box.kind == b"minf":
            break  # behind it nothing is wanted
    if not {b"mdhd", b"hdlr", b"minf"} <= set(found):
        return None
    pictures = full_box(reading, found[b"hdlr"], 8)[2][4:8] == b"vide"
    return Track(
        id=_track_id(reading, tkhd),
        timescale=_timescale(reading, found[b"mdhd"]),
        codec=_codec(reading, found[b"minf"]) if pictures else None,
    )


def _track_id(reading: RangedReading, tkhd: Box) -> int:
    version, _, data = full_box(reading, tkhd, 20)
    return unsigned(data, 16 if version else 8, 4)


def _timescale(reading: RangedReading, mdhd: Box) -> int:
    version, _, data = full_box(reading, mdhd, 20)
    return unsigned(data, 16 if version else 8, 4)


def _codec(reading: RangedReading, minf: Box) -> str:
    stbl = child(reading, minf, b"stbl")
    stsd = child(reading, stbl, b"stsd") if stbl else None
    if stsd is None:
        raise BrokenError("a video track without a description of its samples")
    _, _, data = full_box(reading, stsd, 12)
    letters = data[8:12].decode("latin-1").ljust(4)
    return CODECS.get(letters, letters)
