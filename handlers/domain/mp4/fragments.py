"""The length of a fragmented file: from its index, or from its first and last fragments.

Walking from fragment to fragment would take a GET for each.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.domain.mp4.boxes import Box, boxes, child, children, unsigned
from handlers.domain.mp4.movie import BACKWARDS, Movie, full_box, samples_seconds
from handlers.domain.mp4.ranged_reader import NEXT_BLOCK, BrokenError, RangedReading

_MFRO_BYTES = 16
_SIDX_ENTRY = 12
_SIZE_BITS = 0x7FFFFFFF
_DATA_OFFSET, _FIRST_FLAGS, _DURATIONS = 0x1, 0x4, 0x100

# Flags of `trun`: which of four fields, of 4 bytes each, every sample has.
_PER_SAMPLE = (0x100, 0x200, 0x400, 0x800)

# Flags of `tfhd`: which fields it has.
_BASE_OFFSET, _DESCRIPTION, _DEFAULT_DURATION = 0x1, 0x2, 0x8


def indexed_seconds(reading: RangedReading, movie: Movie) -> float | None:
    """Return the sum of the parts that `sidx`, which follows the header, lists.

    Some files have an index for each part: then the first one does not reach the end of the file.
    """
    for box in boxes(reading, movie.end, reading.size):
        if box.kind == b"sidx":
            return _indexed_seconds(reading, box)
        if box.kind in (b"moof", b"mdat"):
            return None
    return None


def _indexed_seconds(reading: RangedReading, sidx: Box) -> float | None:
    version, _, data = full_box(reading, sidx, sidx.end - sidx.body)
    timescale, wide = unsigned(data, 4, 4), 8 if version else 4
    count_at = 8 + 2 * wide + 2
    first = unsigned(data, 8 + wide, wide)
    count = int.from_bytes(data[count_at : count_at + 2], "big")
    if not timescale:
        return None
    entries = [count_at + 2 + _SIDX_ENTRY * number for number in range(count)]
    covered = sidx.end + first + sum(unsigned(data, at, 4) & _SIZE_BITS for at in entries)
    if covered + NEXT_BLOCK < reading.size:
        return None
    return sum(unsigned(data, at + 4, 4) for at in entries) / timescale


def spanned_seconds(reading: RangedReading, movie: Movie) -> float | None:
    """Return the time from the beginning of the first fragment, which may be any in a live stream, to the end of the last."""
    start, tail = reading.tail()
    at = _named_fragment(reading, tail) or _last_in(start, tail)
    moof = None if at is None else next(boxes(reading, at, reading.size), None)
    if moof is None or moof.kind != b"moof":
        return None
    end = max((end for _, end in _spans(reading, moof, movie)), default=None)
    begin = _beginning(reading, movie) if end is not None else None
    return None if end is None or begin is None else end - begin


def has_fragments(reading: RangedReading, movie: Movie) -> bool:
    """Tell whether a fragment follows the header of a file that may have some."""
    return _first_fragment(reading, movie) is not None


def _first_fragment(reading: RangedReading, movie: Movie) -> Box | None:
    return next((box for box in boxes(reading, movie.end, reading.size) if box.kind == b"moof"), None)


def _beginning(reading: RangedReading, movie: Movie) -> float | None:
    """Return when a fragmented file begins: at 0 if its header has samples, else with its first fragment."""
    if any(samples_seconds(reading, track, 0) for track in movie.tracks):
        return 0.0
    moof = _first_fragment(reading, movie)
    return min((begin for begin, _ in _spans(reading, moof, movie)), default=None) if moof else None


def _spans(reading: RangedReading, moof: Box, movie: Movie) -> list[tuple[float, float]]:
    """Return from when to when the tracks in a fragment last; those that state no time are left out."""
    spans = [_span(reading, traf, movie) for traf in children(reading, moof) if traf.kind == b"traf"]
    return [span for span in spans if span is not None]


def _named_fragment(reading: RangedReading, tail: bytes) -> int | None:
    """Return where the last fragment starts by the table `mfra`, whose size is in the last 16 bytes of the file."""
    if tail[-_MFRO_BYTES + 4 : -_MFRO_BYTES + 8] != b"mfro":
        return None
    size = unsigned(tail, len(tail) - 4, 4)
    mfra = next(boxes(reading, reading.size - size, reading.size), None)
    if mfra is None or mfra.kind != b"mfra":
        return None
    last = [_last_entry(reading, tfra) for tfra in children(reading, mfra) if tfra.kind == b"tfra"]
    return max((offset for offset in last if offset is not None), default=None)


def _last_entry(reading: RangedReading, tfra: Box) -> int | None:
    version, _, data = full_box(reading, tfra, 12)
    widths, count = unsigned(data, 4, 4), unsigned(data, 8, 4)
    if not count:
        return None
    time = 8 if version else 4
    numbers = sum((widths >> shift & 3) + 1 for shift in (0, 2, 4))
    entry = 2 * time + numbers
    at = tfra.body + 16 + (count - 1) * entry
    return unsigned(reading.read(at, entry), time, time)


def _last_in(start: int, tail: bytes) -> int | None:
    """Return where the last fragment in a piece of the file starts; `mfhd` must follow, for samples may look like one by chance."""
    at = len(tail)
    while (at := tail.rfind(b"moof", 4, at)) >= 0:
        if tail[at + 8 : at + 12] == b"mfhd":
            return start + at - 4
    return None


def _span(reading: RangedReading, traf: Box, movie: Movie) -> tuple[float, float] | None:
    tfhd, tfdt = child(reading, traf, b"tfhd"), child(reading, traf, b"tfdt")
    if tfhd is None or tfdt is None:
        return None
    _, flags, header = full_box(reading, tfhd, 36)
    track = next((track for track in movie.tracks if track.id == unsigned(header, 0, 4) and track.timescale), None)
    if track is None:
        return None
    version, _, time = full_box(reading, tfdt, 8)
    begin = unsigned(time, 0, 8 if version else 4)
    usual = _default_duration(flags, header, movie.durations.get(track.id, 0))
    lengths = [_run_duration(reading, trun, usual) for trun in children(reading, traf) if trun.kind == b"trun"]
    return begin / track.timescale, (begin + sum(lengths)) / track.timescale


def _default_duration(flags: int, header: bytes, of_track: int) -> int:
    if not flags & _DEFAULT_DURATION:
        return of_track
    return unsigned(header, 4 + (8 if flags & _BASE_OFFSET else 0) + (4 if flags & _DESCRIPTION else 0), 4)


def _run_duration(reading: RangedReading, trun: Box, usual: int) -> int:
    _, flags, data = full_box(reading, trun, trun.end - trun.body)
    count = unsigned(data, 0, 4)
    if not flags & _DURATIONS:
        return _summed([usual] if count else []) * count
    width = 4 * sum(bool(flags & field) for field in _PER_SAMPLE)
    first = 4 + (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
    if first + count * width > len(data):
        raise BrokenError("a fragment with fewer samples than it states")
    return _summed([unsigned(data, first + number * width, 4) for number in range(count)])


def _summed(durations: Sequence[int]) -> int:
    if any(duration >= BACKWARDS for duration in durations):
        raise BrokenError("a fragment with a sample that goes back")
    return sum(durations)
