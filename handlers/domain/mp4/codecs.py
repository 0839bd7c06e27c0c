"""The codec of a picture by its sample entry: its configuration says more than its letters."""

from __future__ import annotations

# The only codec that Rekognition takes in mp4 and mov (docs/aws.md#7-rekognition).
H264 = "h264"

# Letters of H.264 besides those of the standard, in lower case: intra-only cameras, Dolby Vision, and AVI's letters in mov (FFmpeg,
# libavformat/isom_tags.c and riff.c).
_H264 = frozenset(
    {
        *("avc1", "avc2", "avc3", "avc4", "dva1", "dvav", "avin", "aivx", "avlg", "xalg", "rv64"),
        *("ai5p", "ai5q", "ai52", "ai53", "ai55", "ai56", "ai1p", "ai1q", "ai12", "ai13", "ai15", "ai16"),
        *("h264", "x264", "q264", "v264", "davc", "gavc", "vssh", "umsv", "tshd", "inmc", "smv2"),
    }
)

# Other codecs by their letters. Whatever is not listed is unknown: it may be H.264 by letters of a camera's own.
_OTHERS = {
    "hevc": "hvc1 hev1 hvc2 hev2 dvh1 dvhe",
    "vvc": "vvc1 vvi1",
    "vp8": "vp08 VP80",
    "vp9": "vp09 VP90",
    "av1": "av01 dav1",
    "mpeg2": "mp2v m2v1 hdv1 hdv2 hdv3 hdv5 hdv6 hdv7 hdv8 xdv1 xdv2 xdv3 xdv5 xdv6 xdvb xdvc xd5b xd5c mx5p mx5n",
    "mpeg1": "mp1v m1v1",
    "mpeg4": "DIVX XVID DX50 FMP4 3IV2",
    "h263": "h263 s263 H263",
    "prores": "apcn apch apcs apco ap4h ap4x aprn aprh",
    "dnxhd": "AVdn AVdh",
    "cineform": "CFHD",
    "dv": "dvc  dvcp dvpp dv5p dv5n dvh2 dvh3 dvh5 dvh6 dvhp dvhq",
    "mjpeg": "jpeg mjpa mjpb MJPG mjpg",
    "jpeg2000": "mjp2",
    "png": "png ",
    "sorenson": "SVQ1 SVQ3",
    "cinepak": "cvid",
    "animation": "rle ",
    "graphics": "smc ",
    "video": "rpza",
    "raw": "raw  2vuy yuv2 v210 v308 v408 r210",
    "ffv1": "FFV1",
}
_BY_LETTERS = {names[at : at + 4]: codec for codec, names in _OTHERS.items() for at in range(0, len(names), 5)}

# Codecs of cover pictures, which have video tracks, too.
_STILLS = frozenset({"mjpeg", "png"})

# Codecs by the object type of MPEG-4's own sample entry (ISO/IEC 14496-1, 7.2.6.6; mp4ra.org).
_GENERIC = "mp4v"
_BY_TYPE = {
    0x20: "mpeg4",
    0x21: H264,
    0x23: "hevc",
    **dict.fromkeys(range(0x60, 0x66), "mpeg2"),
    0x6A: "mpeg1",
    0x6C: "mjpeg",
    0x6D: "png",
    0xB1: "vp9",
}
_ES, _CONFIGURATION = 3, 4
_DEPENDS, _URL, _CLOCK = 0x80, 0x40, 0x20


def codec_of(entry: bytes) -> str | None:
    """Return the name of a sample entry's codec, None if it is unknown or not that of a picture."""
    letters = entry[4:8].decode("latin-1")
    if b"avcC" in entry or letters.lower() in _H264:
        return H264
    if letters == _GENERIC:
        return _BY_TYPE.get(_object_type(entry))
    return _BY_LETTERS.get(letters)


def is_moving(codec: str) -> bool:
    """Tell whether it is a codec of films, not of cover pictures."""
    return codec not in _STILLS


def _object_type(entry: bytes) -> int:
    """Return the object type in an entry's `esds`, 0 if it has none that can be read."""
    at = entry.find(b"esds")
    tag, body = _descriptor(entry[at + 8 :]) if at >= 0 else (0, b"")
    if tag != _ES or len(body) < 3:  # noqa: PLR2004 - an id of two bytes, and flags
        return 0
    flags, skipped = body[2], 3
    skipped += 2 if flags & _DEPENDS else 0
    skipped += 1 + body[skipped] if flags & _URL and len(body) > skipped else 0
    skipped += 2 if flags & _CLOCK else 0
    tag, body = _descriptor(body[skipped:])
    return body[0] if tag == _CONFIGURATION and body else 0


def _descriptor(data: bytes) -> tuple[int, bytes]:
    """Return the tag and body of a descriptor, whose length takes one to four bytes (ISO/IEC 14496-1, 8.3.3)."""
    if not data:
        return 0, b""
    length = 0
    for at in range(1, min(5, len(data))):
        length = length << 7 | data[at] & 0x7F
        if not data[at] & 0x80:
            return data[0], data[at + 1 : at + 1 + length]
    return 0, b""
