"""The tracks of an mp4 or mov file by its header (ISO/IEC 14496-12, QuickTime file format), and what the header says of its length.

The header of a long video has megabytes of sample tables. The few fields that are needed come before the tables, so these are not
read; PyAV would read them all. What is unknown or damaged is kept as uncertain: only certain evidence leaves a video out of a scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from handlers.domain.mp4.boxes import SMALL_HEADER, Box, boxes, child, children, unsigned
from handlers.domain.mp4.codecs import H264, codec_of, is_moving
from handlers.domain.mp4.ranged_reader import BeyondLimitsError, BrokenError, RangedReading

# Handlers of tracks without a picture; a track with any other handler may have one.
_NO_PICTURE = frozenset(
    {b"soun", b"text", b"sbtl", b"subt", b"subp", b"clcp", b"tmcd", b"meta", b"hint", b"odsm", b"sdsm", b"camm", b"gpmd", b"fdsc"}
)

# The most tracks of a header. Each part of a fragment is looked up in all of them, which takes a hostile file's reader minutes.
_MOST_TRACKS = 100

# The most bytes of sample descriptions, and of a table of sample durations, that are read.
_MOST_DESCRIPTIONS = 64 * 1024
_MOST_DURATIONS = 256 * 1024

# Lengths that writers put where they know none: the highest numbers, with and without a sign, and the sign alone.
_EXTREMES = frozenset({0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF})

# From here on the duration of a sample is a negative number, as damaged recordings have it and FFmpeg reads it. What a writer has
# added up of such numbers is no length either.
BACKWARDS = 0x80000000

# The least difference that shows that two lengths are not the same (seconds, and as a share).
_DIFFERENCE, _SHARE = 1.0, 0.01

# Boxes in `moov`, of which only `trak` holds a track.
_IN_MOVIE = frozenset(
    {
        *(b"mvhd", b"trak", b"mvex", b"udta", b"meta", b"iods", b"free", b"skip", b"wide", b"uuid", b"pssh", b"ctab", b"clip"),
        *(b"prfl", b"mdra", b"rmra", b"ainf", b"tapt"),
    }
)

# Boxes at the top level of a file. A file of these alone has been understood.
_TOP_LEVEL = frozenset(
    {
        *(b"ftyp", b"styp", b"mdat", b"free", b"skip", b"wide", b"uuid", b"sidx", b"ssix", b"moof", b"mfra", b"meta", b"pdin"),
        *(b"udta", b"emsg", b"prft", b"pnot", b"PICT", b"junk"),
    }
)

# Names of boxes that only a header has.
_OF_HEADERS = (b"moov", b"mvhd", b"trak", b"stsz", b"stco", b"co64")


class NoHeaderError(BrokenError):
    """The file consists of known boxes, and none of them is a header."""


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a film.

    Attributes:
        id: 0 if it is not known.
        timescale: Time units of a second; 0 if it is not known.
        seconds: How long it is by its own header (`mdhd`); None if that does not say.
        codec: Of its picture: its name or, if it is unknown, its letters. None without a picture.
        certain: Whether the codec, or that there is no picture, is beyond doubt.
        samples: The box with the tables of its samples.
    """

    id: int = 0
    timescale: int = 0
    seconds: float | None = None
    codec: str | None = None
    certain: bool = False
    samples: Box | None = None


@dataclass(frozen=True, slots=True)
class Movie:
    """The `moov` box.

    Attributes:
        seconds: The length that `mvhd` states, or None.
        all_seconds: The length with all fragments that `mehd` states, or None.
        tracks: In the order of the file. After a film that can be analysed, not all of them are read.
        fragmented: Whether fragments may follow.
        durations: Of a sample in a fragment that states none, by track (`trex`).
        end: Where the box ends.
    """

    seconds: float | None
    all_seconds: float | None
    tracks: tuple[Track, ...]
    fragmented: bool
    durations: Mapping[int, int]
    end: int

    @property
    def films(self) -> tuple[Track, ...]:
        """Return the tracks that Rekognition can analyse."""
        return tuple(track for track in self.tracks if track.codec == H264)

    @property
    def pictures(self) -> tuple[Track, ...]:
        """Return the tracks by which the film's length is known: those that Rekognition can analyse, else all with a picture."""
        return self.films or tuple(track for track in self.tracks if track.codec is not None)

    @property
    def certain(self) -> bool:
        """Tell whether every track is understood."""
        return bool(self.tracks) and all(track.certain for track in self.tracks)

    @property
    def codec(self) -> str | None:
        """Return the codec of the first moving picture, else of the first picture, else None."""
        codecs = [track.codec for track in self.tracks if track.codec is not None]
        return next(filter(is_moving, codecs), next(iter(codecs), None))

    @property
    def is_confirmed(self) -> bool:
        """Tell whether a track is as long as `mvhd` states."""
        return _is_confirmed(self.seconds, self.tracks)


def find_movie(reading: RangedReading) -> Box:
    """Return the first `moov` box, wherever in the file it is.

    Raises:
        NoHeaderError: There certainly is none.
        BrokenError: None was found, but there may be one: something is not a box, or not a known one, or its size may be wrong.
    """
    known = True
    for box in boxes(reading, 0, reading.size):
        if box.kind == b"moov":
            return box
        known = known and box.kind in _TOP_LEVEL
    message = "there is no moov box: the recording or the upload was interrupted"
    # Behind a box whose size is wrong a header may follow all the same.
    if known and not any(name in reading.tail()[1] for name in _OF_HEADERS):
        raise NoHeaderError(message)
    raise BrokenError(message)


def has_movie_behind(reading: RangedReading, movie: Movie) -> bool:
    """Tell whether the file has another `moov` box before its first fragment; it ends at what cannot be parsed as a box.

    The fragments behind a header belong to it, and walking over them would take a GET for each.
    """
    try:
        found = (box.kind for box in boxes(reading, movie.end, reading.size) if box.kind in (b"moov", b"moof"))
        return next(found, None) == b"moov"
    except BrokenError:
        return False


def read_movie(reading: RangedReading, moov: Box) -> Movie:
    """Read a `moov` box. Once a film that can be analysed and its length are found, nothing more is fetched.

    The header of a fragmented file may state only the length of the first fragment, but it is small, so it is read to its end.

    Raises:
        BrokenError: It is compressed, or damaged outside of its tracks.
        BeyondLimitsError: It has too many tracks.
    """
    header, extends = _Times(), _Extends()
    fragmented = False
    tracks: list[Track] = []
    for box in children(reading, moov):
        if box.kind == b"cmov":
            raise BrokenError("its moov box is compressed")
        if box.kind == b"mvhd":
            header = _times(reading, box)
        elif box.kind == b"mvex":
            fragmented, extends = True, _extends(reading, box)
        elif box.kind == b"trak":
            tracks.append(_track(reading, box))
        elif box.kind not in _IN_MOVIE:
            tracks.append(Track())  # it may be one whose name is damaged
        if len(tracks) > _MOST_TRACKS:
            raise BeyondLimitsError(f"more than {_MOST_TRACKS} tracks")
        found = any(track.codec == H264 for track in tracks) and _is_confirmed(header.seconds, tracks)
        if found and not reading.holds(box.end, SMALL_HEADER):
            break
    return Movie(
        header.seconds,
        _Times(header.timescale, extends.units).seconds,
        tuple(tracks),
        fragmented,
        extends.durations,
        moov.end,
    )


def samples_seconds(reading: RangedReading, track: Track, enough: float) -> float | None:
    """Return the sum of the durations of a track's samples; None if the header does not say, 0 if one of them is nonsense.

    Of a table that is too large to be read, the beginning is `enough` if its sum is greater than that.
    """
    if track.samples is None or not track.timescale:
        return None
    stts = child(reading, track.samples, b"stts")
    if stts is None:
        return None
    _, _, data = full_box(reading, stts, _MOST_DURATIONS)
    count = unsigned(data, 0, 4)
    entries = [(unsigned(data, at, 4), unsigned(data, at + 4, 4)) for at in range(4, len(data) - 7, 8)][:count]
    if any(duration >= BACKWARDS for _, duration in entries):
        return 0.0
    units = sum(samples * duration for samples, duration in entries)
    if units in _EXTREMES:
        return None
    seconds = units / track.timescale
    return seconds if len(entries) == count or seconds > enough else None


def full_box(reading: RangedReading, box: Box, length: int) -> tuple[int, int, bytes]:
    """Return the version and flags of a box, and at most this many of the bytes that follow them."""
    data = reading.read(box.body, min(length + 4, box.end - box.body, reading.size - box.body))
    start = unsigned(data, 0, 4)
    return start >> 24, start & 0xFFFFFF, data[4:]


@dataclass(frozen=True, slots=True)
class _Times:
    """The units of a second and the units of a length, as `mvhd` and `mdhd` state them."""

    timescale: int = 0
    units: int = 0

    @property
    def seconds(self) -> float | None:
        known = self.units and self.units not in _EXTREMES and self.timescale
        return self.units / self.timescale if known else None


@dataclass(frozen=True, slots=True)
class _Extends:
    """What `mvex` states for all fragments: their length, and the usual duration of a sample by track."""

    units: int = 0
    durations: Mapping[int, int] = field(default_factory=dict)


def _is_confirmed(seconds: float | None, tracks: Iterable[Track]) -> bool:
    if seconds is None:
        return False
    difference = max(_DIFFERENCE, _SHARE * seconds)
    return any(track.seconds is not None and abs(track.seconds - seconds) <= difference for track in tracks)


def _times(reading: RangedReading, box: Box) -> _Times:
    version, _, data = full_box(reading, box, 28)
    return _Times(_after_times(reading, box), unsigned(data, 20 if version else 12, 8 if version else 4))


def _extends(reading: RangedReading, mvex: Box) -> _Extends:
    units, durations = 0, {}
    for box in children(reading, mvex):
        if box.kind == b"mehd":
            version, _, data = full_box(reading, box, 8)
            units = unsigned(data, 0, 8 if version else 4)
        elif box.kind == b"trex":
            _, _, data = full_box(reading, box, 12)
            durations[unsigned(data, 0, 4)] = unsigned(data, 8, 4)
    return _Extends(units, durations)


def _track(reading: RangedReading, trak: Box) -> Track:
    """Return a track; of one that cannot be understood nothing is certain."""
    try:
        return _read_track(reading, trak)
    except BrokenError:
        return Track()


def _read_track(reading: RangedReading, trak: Box) -> Track:
    tkhd, mdia = child(reading, trak, b"tkhd"), child(reading, trak, b"mdia")
    if mdia is None:
        return Track()
    found: dict[bytes, Box] = {}
    for box in children(reading, mdia):
        found[box.kind] = box
        if {b"mdhd", b"hdlr", b"minf"} <= set(found):
            break
    handler = full_box(reading, found[b"hdlr"], 8)[2][4:8] if b"hdlr" in found else b""
    times = _times(reading, found[b"mdhd"]) if b"mdhd" in found else _Times()
    samples = child(reading, found[b"minf"], b"stbl") if b"minf" in found else None
    codec, certain = _picture(handler, _descriptions(reading, samples))
    track_id = _after_times(reading, tkhd) if tkhd else 0
    return Track(track_id, times.timescale, times.seconds, codec, certain, samples)


def _after_times(reading: RangedReading, box: Box) -> int:
    """Return the number behind the two times of `mvhd`, `mdhd` (their time scale) and `tkhd` (its track id)."""
    version, _, data = full_box(reading, box, 20)
    return unsigned(data, 16 if version else 8, 4)


def _picture(handler: bytes, descriptions: list[bytes]) -> tuple[str | None, bool]:
    """Return the codec of a track's picture (None: it has none), and whether that is beyond doubt."""
    codecs = [codec_of(description) for description in descriptions]
    pictures = [codec for codec in codecs if codec is not None]
    if handler in _NO_PICTURE:
        return None, bool(codecs) and not pictures  # samples of a picture in a track of sound: one of the two is wrong
    if H264 in pictures:
        return H264, True
    if handler == b"vide" and codecs and len(pictures) == len(codecs):
        return pictures[0], True
    return next((description[4:8].decode("latin-1").ljust(4) for description in descriptions), None), False


def _descriptions(reading: RangedReading, samples: Box | None) -> list[bytes]:
    """Return the sample entries of a track, of whatever codecs; an empty list if it has none.

    Raises:
        BrokenError: They are not those that the box counts.
    """
    stsd = child(reading, samples, b"stsd") if samples else None
    if stsd is None:
        return []
    if stsd.end - stsd.body > _MOST_DESCRIPTIONS:
        raise BrokenError("its sample entries are too large")
    _, _, data = full_box(reading, stsd, _MOST_DESCRIPTIONS)
    at, found = 4, []
    for _ in range(unsigned(data, 0, 4)):
        size = unsigned(data, at, 4)
        if size < SMALL_HEADER or at + size > len(data):
            raise BrokenError(f"a sample entry whose size is {size}")
        found.append(data[at : at + size])
        at += size
    return found
