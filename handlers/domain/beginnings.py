"""Objects that are certainly not videos, by their first bytes; only these are skipped. Which of them are images is known, too.

A list of the beginnings of videos could be evaded by a box that is not on it, and a skipped film is never looked at. So this is the
opposite list: everything that is not on it goes to Rekognition, which charges nothing for what it cannot read.
"""

from __future__ import annotations

import codecs
import struct
import unicodedata

# File formats by their first bytes. Not listed: formats that may hold a film (Ogg) or precede one (an ID3 tag), and signatures of
# two bytes.
_SIGNATURES = {
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"8BPS\x00": "a Photoshop image",
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"PK\x07\x08": "a ZIP archive",
    b"\x1f\x8b\x08": "a gzip archive",
    **dict.fromkeys((b"BZh%d1AY&SY" % level for level in range(1, 10)), "a bzip2 archive"),
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"%PDF-": "a PDF document",
    b"%!PS-Adobe": "a PostScript document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document",
    b"\x7fELF": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"\xca\xfe\xba\xbe": "a program",
    b"\x00\x05\x16\x07\x00\x02\x00\x00": "an AppleDouble file",  # macOS metadata, as in ._IMG_0001.mp4
    b"SQLite format 3\x00": "a SQLite database",
    b"fLaC\x00\x00\x00\x22": "FLAC sound",
    b"MThd\x00\x00\x00\x06": "MIDI sound",
    b"#!AMR": "AMR sound",
}

# File formats by bytes 0 to 3 and 8 to 11; the length is between them.
_FORMS = {
    (b"RIFF", b"WEBP"): "a WebP image",
    (b"RIFF", b"WAVE"): "WAVE sound",
    (b"FORM", b"AIFF"): "AIFF sound",
    (b"FORM", b"AIFC"): "AIFF sound",
}

# What FFmpeg, or Rekognition itself, can read of these.
_IMAGES = frozenset({"a JPEG image", "a PNG image", "a GIF image", "a TIFF image", "a WebP image", "a BMP image"})

# Images in boxes, by the brand at byte 8 (ISO/IEC 23000-22, 23008-12): players take them for videos, and the animations are some.
STILL_BRANDS = frozenset({"avif", "heic", "heix", "heim", "heis", "mif1", "mif2", "jpeg"})
_ANIMATION_BRANDS = frozenset({"avis", "hevc", "hevx", "msf1"})

_TAR_AT, _TAR = 257, b"ustar"
_WEBP_FLAGS_AT, _WEBP_ANIMATION = 20, 0x02
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_PE_AT = 0x3C

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Control characters in texts: white space, and ESC of terminal colours.
_SPACES = frozenset("\t\n\r\f\v\x1b")
# Unicode categories of other control characters and of unassigned code points.
_NOT_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})


def something_else(first_bytes: bytes) -> str | None:
    """Return what an object certainly is ("a PDF document"), or None. The caller has checked that it is not a box."""
    return (
        next((name for signature, name in _SIGNATURES.items() if first_bytes.startswith(signature)), None)
        or _FORMS.get((first_bytes[:4], first_bytes[8:12]))
        or _by_structure(first_bytes)
        or ("text" if is_text(first_bytes) else None)
    )


def image(first_bytes: bytes) -> str | None:
    """Return which image an object is ("a PNG image"), or None; an animation is one, too."""
    if first_bytes[4:8] == b"ftyp" and first_bytes[8:12].decode("latin-1") in STILL_BRANDS | _ANIMATION_BRANDS:
        return "an AVIF or HEIF image"
    found = something_else(first_bytes)
    return found if found in _IMAGES else None


def is_animated_webp(first_bytes: bytes) -> bool:
    """Tell whether an object is an animated WebP image, by the flags of its header."""
    is_extended = first_bytes[:4] == b"RIFF" and first_bytes[8:16] == b"WEBPVP8X" and len(first_bytes) > _WEBP_FLAGS_AT
    return is_extended and bool(first_bytes[_WEBP_FLAGS_AT] & _WEBP_ANIMATION)


def _by_structure(first_bytes: bytes) -> str | None:
    """Return the format of a file whose first two bytes alone are not specific enough."""
    if first_bytes[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "a tar archive"
    if first_bytes[:2] == b"BM" and first_bytes[6:10] == bytes(4) and _number(first_bytes, 14) in _BMP_HEADERS:
        return "a BMP image"
    pe = _number(first_bytes, _PE_AT) if first_bytes[:2] == b"MZ" else None
    if pe is not None and first_bytes[pe : pe + 4] == b"PE\x00\x00":
        return "a program"
    return None


def _number(first_bytes: bytes, offset: int) -> int | None:
    """Return a little-endian number of four bytes, or None beyond the end."""
    field = first_bytes[offset : offset + 4]
    return struct.unpack("<I", field)[0] if len(field) == 4 else None  # noqa: PLR2004  # its four bytes


def is_text(first_bytes: bytes) -> bool:
    """Tell whether the bytes are text in UTF-8, or in UTF-16 with a byte order mark; the last character may be truncated."""
    encoding = next((name for mark, name in _MARKS.items() if first_bytes.startswith(mark)), "utf-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(first_bytes)
    except UnicodeDecodeError:
        return False
    return bool(text) and all(letter in _SPACES or unicodedata.category(letter) not in _NOT_TEXT for letter in text)
