"""Headers of mp4 files, built box by box: as small as they may be, and as wrong as a test wants them."""

import struct


def box(kind, *parts):
    """Return one box."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind, *parts, flags=0, version=0):
    """Return a box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def entry(letters, *parts):
    """Return the sample entry of a picture."""
    return box(letters, bytes(78), *parts)


def esds(object_type, *, optional=b"", flags=0):
    """Return the configuration of MPEG-4's own sample entry, its lengths written in four bytes as FFmpeg does."""
    configuration = struct.pack(">B3sB", 4, b"\x80\x80\x80", 13) + bytes([object_type]) + bytes(12)
    inner = struct.pack(">HB", 1, flags) + optional + configuration
    return full(b"esds", struct.pack(">B3sB", 3, b"\x80\x80\x80", len(inner)) + inner)


def header_of_times(kind, units, timescale=1_000):
    """Return `mvhd` or `mdhd`."""
    return full(kind, struct.pack(">IIII", 0, 0, timescale, units), bytes(80 if kind == b"mvhd" else 4))


def track(
    *entries,
    units=60_000,
    timescale=1_000,
    handler=b"vide",
    samples=None,
    order=(b"mdhd", b"hdlr", b"minf"),
    track_id=1,
    without=(),
):
    """Return a track.

    Args:
        entries: Its sample entries.
        units: Its length in units of a second, by `mdhd`.
        timescale: Units of a second.
        handler: What it is: vide, soun, ...
        samples: (count, units) of its samples; None leaves the table out.
        order: The order of the boxes in `mdia`.
        track_id: Its number.
        without: Boxes that are missing.
    """
    stsd = full(b"stsd", struct.pack(">I", len(entries)), *entries)
    stts = (
        b"" if samples is None else full(b"stts", struct.pack(">I", len(samples)), *(struct.pack(">II", *each) for each in samples))
    )
    parts = {
        b"mdhd": header_of_times(b"mdhd", units, timescale),
        b"hdlr": full(b"hdlr", bytes(4), handler, bytes(13)),
        b"minf": box(b"minf", box(b"stbl", stsd, stts)),
    }
    mdia = box(b"mdia", *(parts[name] for name in order if name not in without))
    tkhd = full(b"tkhd", struct.pack(">III", 0, 0, track_id), bytes(68))
    return box(b"trak", *([] if b"tkhd" in without else [tkhd]), *([] if b"mdia" in without else [mdia]))


def file_of(*tracks, units=60_000, timescale=1_000, extends=(), behind=b""):
    """Return a file: `ftyp`, `moov` and what follows; `units` None leaves `mvhd` out."""
    mvhd = b"" if units is None else header_of_times(b"mvhd", units, timescale)
    mvex = box(b"mvex", *extends) if extends else b""
    return box(b"ftyp", b"isom", bytes(4)) + box(b"moov", mvhd, *tracks, mvex) + behind


def by_hand(*, seconds=60, entry=b"avc1", handler=b"vide", tracks=1):
    """Return the smallest file whose header says this."""
    one = track(box(entry, bytes(78)), units=seconds * 1_000, handler=handler)
    return file_of(*[one] * tracks, units=seconds * 1_000)


def trex(duration, track_id=1):
    """Return what a track's fragments have in common: how long a sample is."""
    return full(b"trex", struct.pack(">IIIII", track_id, 1, duration, 0, 0))


def mehd(units):
    """Return the length of all fragments."""
    return full(b"mehd", struct.pack(">I", units))


def fragment(begin, samples, *, duration=None, track_id=1, timed=True):
    """Return a fragment that begins at `begin` units, with this many samples; their duration may be left to `trex`."""
    tfhd = full(
        b"tfhd", struct.pack(">I", track_id), b"" if duration is None else struct.pack(">I", duration), flags=8 if duration else 0
    )
    tfdt = full(b"tfdt", struct.pack(">Q", begin), version=1) if timed else b""
    trun = full(b"trun", struct.pack(">I", samples))
    return box(b"moof", full(b"mfhd", bytes(4)), box(b"traf", tfhd, tfdt, trun)) + box(b"mdat", bytes(64))


def sidx(units, size, timescale=1_000):
    """Return an index of one part."""
    return full(b"sidx", struct.pack(">IIIIHHIII", 1, timescale, 0, 0, 0, 1, size, units, 0))
