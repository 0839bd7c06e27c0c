"""HEIC images, written box by box: FFmpeg writes none."""

import io
import struct

import av

from tests.tools.estimate.films import film

# The side of a tile, as `film` makes it, and the number of the item that joins the tiles.
SIDE = 64
GRID = 100


def heic(columns=1, rows=1, thumbnails=0):
    """Return an image of one tile, or of several that a grid joins, as phones write them; thumbnails stand beside it."""
    tiles = columns * rows
    configuration, picture = _encoded()
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, SIDE * columns, SIDE * rows)
    items = dict.fromkeys(range(1, tiles + thumbnails + 1), (b"hvc1", picture))
    if tiles > 1:
        items[GRID] = (b"grid", grid)
    front = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    length = len(front) + len(_meta(items, configuration, columns, rows, 0)) + 8
    return front + _meta(items, configuration, columns, rows, length) + _box(b"mdat", *(data for _, data in items.values()))


def _encoded():
    """Return the configuration of a codec, and one picture."""
    with av.open(io.BytesIO(film(1, codec="hevc"))) as found:
        packet = next(packet for packet in found.demux(video=0) if packet.size)
        return found.streams.video[0].codec_context.extradata, bytes(packet)


def _meta(items, configuration, columns, rows, at):
    whole = GRID if GRID in items else 1
    entries, places = [], []
    for number, (kind, data) in items.items():
        entries.append(_full(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2))
        places.append(struct.pack(">HHHII", number, 0, 1, at, len(data)))
        at += len(data)
    sizes = [(SIDE, SIDE), (SIDE * columns, SIDE * rows)]
    properties = [_box(b"hvcC", configuration), *(_full(b"ispe", struct.pack(">II", *size)) for size in sizes)]
    owned = [
        struct.pack(">HB", number, 1) + b"\x03" if number == GRID else struct.pack(">HB", number, 2) + b"\x81\x02"
        for number in items
    ]
    tiles = range(1, columns * rows + 1)
    joined = [_full(b"iref", _box(b"dimg", struct.pack(f">HH{len(tiles)}H", GRID, len(tiles), *tiles)))] if GRID in items else []
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4), b"pict", bytes(13)),
        _full(b"pitm", struct.pack(">H", whole)),
        _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), *places),
        _full(b"iinf", struct.pack(">H", len(items)), *entries),
        *joined,
        _box(b"iprp", _box(b"ipco", *properties), _full(b"ipma", struct.pack(">I", len(items)), *owned)),
    )


def _box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind, *parts, version=0):
    return _box(kind, struct.pack(">I", version << 24), *parts)
