"""Headers of videos by ranged reads: GETs and bytes for each kind of file, ours beside PyAV over blocks of 256 KiB.

PyAV reads every table of a header, which grow with the length; ours reads the fields it wants. The films are muxed by FFmpeg (see
`tests/tools/estimate/films.py`), the reads are counted in memory: what S3 adds is its latency for each GET. Broken files are cut.
"""

import io
import statistics
import time

import av

from handlers.domain.mp4 import Header
from tests.tools.estimate.films import FRAGMENTED, film
from tools.lib.estimate.headers import HeaderReader
from tools.lib.listing import ListedObject

LONG = 7_200
BLOCK = 256 * 1024
LIMIT = 2_000
"""GETs after which PyAV is given up."""

FILES = {
    "faststart_60s": lambda: film(60, flags="faststart", sound=True, padding=20_000),
    "behind_60s": lambda: film(60, sound=True, padding=20_000),
    "faststart_2h": lambda: film(LONG, flags="faststart", sound=True),
    "behind_2h": lambda: film(LONG, sound=True),
    "behind_2h_sound_first": lambda: film(LONG, sound_first=True),
    "fragmented_10min": lambda: film(600, flags=FRAGMENTED, sound=True, padding=2_000),
    "fragmented_10min_no_index": lambda: film(600, flags=f"{FRAGMENTED}+skip_trailer", sound=True, padding=2_000),
    "fragmented_10min_one_index": lambda: film(600, flags=f"{FRAGMENTED}+global_sidx", padding=2_000),
    "cut_without_header": lambda: film(60, sound=True, padding=20_000)[:20_000_000],
    "cut_faststart": lambda: film(60, flags="faststart", sound=True, padding=20_000)[:100_000],
    "no_video": lambda: b"This was meant to be a video.\n" * 1_000,
}


class Counted:
    """A file in memory, read by ranges: as an S3 client, and in blocks as a file."""

    def __init__(self, body):
        self._body = body
        self._at = 0
        self._blocks = {}
        self.gets, self.bytes = 0, 0

    def get_object(self, **request):
        """Answer GetObject."""
        first, last = map(int, request["Range"].removeprefix("bytes=").split("-"))
        return {"Body": io.BytesIO(self._part(first, last + 1))}

    def read(self, length):
        """Read on, block by block."""
        number, offset = divmod(self._at, BLOCK)
        if number not in self._blocks:
            if self.gets == LIMIT:
                raise OSError(f"more than {LIMIT} GETs")
            self._blocks[number] = self._part(number * BLOCK, (number + 1) * BLOCK)
        part = self._blocks[number][offset : offset + length]
        self._at += len(part)
        return part

    def seek(self, offset, whence=0):
        """Go elsewhere."""
        self._at = offset + (0, self._at, len(self._body))[whence]
        return self._at

    def tell(self):
        """Return where it is."""
        return self._at

    def _part(self, first, end):
        part = self._body[first:end]
        self.gets += 1
        self.bytes += len(part)
        return part


def measure(options):
    """Return for each kind of file what reading its header took."""
    return {name: _measured(make(), options.rounds) for name, make in FILES.items()}


def _measured(body, rounds):
    ours, times = None, []
    for _ in range(rounds):
        stored, began = Counted(body), time.process_time()
        ours = HeaderReader(stored).read("bucket", ListedObject("a.mp4", len(body)))
        times.append(time.process_time() - began)
    summary = f"{ours.seconds:.1f} s {ours.codec}" if isinstance(ours, Header) else ours.code
    theirs = Counted(body)
    return {
        "file_bytes": len(body),
        "gets": ours.gets,
        "bytes": ours.bytes,
        "cpu_ms": round(1_000 * statistics.median(times), 2),
        "told": summary,
        "pyav": {"told": _pyav(theirs), "gets": theirs.gets, "bytes": theirs.bytes},
    }


def _pyav(stored):
    try:
        with av.open(stored) as container:
            return f"{(container.duration or 0) / 1e6:.1f} s {container.streams.video[0].codec_context.name}"
    except (av.error.FFmpegError, OSError) as error:
        return type(error).__name__
