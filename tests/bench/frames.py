"""Sampling frames: images, GETs, bytes, CPU, memory and dollars of films of four minutes, ours beside decoding the whole file.

Each film is read from a file as an object from S3 would be. CPU time is that of the sampling process and of its decoder; beside it,
FFmpeg decodes the whole film and encodes the frames that its filter `fps=1/5` chooses, with the same scaling and encoder. The
dollars are those of Rekognition (first tier), of Lambda, of the GETs and of the writes of progress, over the video API's.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av

from handlers.adapters.media import open_media
from handlers.decoder.picture import Jpegs, widest_of
from tests.bench.frame_films import CONTAINERS, film
from tests.bench.memory import watched

INTERVAL_S = 5
# By name: height, seconds from key frame to key frame, container, length in seconds.
CASES = {
    **{f"{h}p key {key}s {name}": (h, key, name, 240) for h in (720, 1080) for key in (2, 5, 10) for name in CONTAINERS},
    "2160p key 5s mp4": (2160, 5, "mp4", 60),
}
# Dollars (docs/aws.md#11-prices): of an image, of a minute of video, of a GB-second on arm64, of a GET, of a write.
IMAGE, MINUTE, GB_SECOND, GET, WRITE = 0.001, 0.10, 0.0000133334, 0.0000004, 0.000000625
# A function with one whole core; what it waits for a GET and for an image; writes of a progress, and images between two.
GB, GET_S, IMAGE_S, WRITES, IMAGES_A_PROGRESS = 1.769, 0.03, 0.4, 8, 20
# The aims: price and bytes (of an MP4 with key frames every 5 seconds or less), and MB.
PRICE_RATIO, BYTES_RATIO, RSS_MB = 1 / 8, 0.40, 400


class File:
    """A file as an object in S3."""

    def __init__(self, path):
        self._file = Path(path).open("rb")  # noqa: SIM115 - for the life of the process
        self.size = Path(path).stat().st_size
        self.gets = self.bytes = 0

    def read(self, offset, length):
        """Return a range."""
        self._file.seek(offset)
        data = self._file.read(length)
        self.gets, self.bytes = self.gets + 1, self.bytes + len(data)
        return data


def measure(_options, cases=None):
    """Return the figures of each film, and where they miss an aim."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        for name, case in (CASES if cases is None else cases).items():
            path.write_bytes(film(*case))
            measured.append({"film": name, **_figures(_ran("ours", path), _ran("whole", path))})
    faults = [fault for case in measured for fault in missed(case)]
    return {"cases": measured} | ({"faults": faults} if faults else {})


def _ran(what, path):
    """Run one side in a process of its own, whose CPU time and memory are its alone."""
    command = [sys.executable, "-m", __name__, what, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, watched(process.pid) as memory:
        output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return {"rss_mb": memory.peak_mb, **json.loads(output)}


def _figures(ours, whole):
    minutes = ours["seconds"] / 60
    images = ours["images"]
    busy_s = ours["cpu_s"] + ours["gets"] * GET_S + images * IMAGE_S
    writes = (images // IMAGES_A_PROGRESS + 2) * WRITES
    dollars = images * IMAGE + busy_s * GB * GB_SECOND + ours["gets"] * GET + writes * WRITE
    return {
        "images_per_minute": round(images / minutes, 2),
        "price_ratio": round(dollars / (minutes * MINUTE), 4),
        "bytes_ratio": round(ours["bytes"] / ours["size"], 3),
        "cpu_ratio": round(ours["cpu_s"] / whole["cpu_s"], 3),
        "rss_mb": round(ours["rss_mb"]),
        "gets": ours["gets"],
        "cpu_s": round(ours["cpu_s"], 2),
        "film_mb": round(ours["size"] / 1e6, 1),
    }


def missed(case):
    """Yield the aims that a film misses."""
    if case["price_ratio"] > PRICE_RATIO:
        yield f"{case['film']}: {case['price_ratio']} of the video API's price, the aim is {PRICE_RATIO}"
    if case["film"].endswith(" mp4") and "key 10s" not in case["film"] and case["bytes_ratio"] > BYTES_RATIO:
        yield f"{case['film']}: {case['bytes_ratio']} of its bytes are read, the aim is {BYTES_RATIO}"
    if case["rss_mb"] > RSS_MB:
        yield f"{case['film']}: {case['rss_mb']} MB, the aim is {RSS_MB}"


def _ours(path):
    import boto3  # noqa: F401, PLC0415 - the function has it in its memory

    source = File(path)
    began = time.process_time()
    with open_media(source, interval_ms=1_000 * INTERVAL_S, after_ms=None) as media:
        images = sum(1 for _ in media.frames())
        own_s = time.process_time() - began
    decoder = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "images": images,
        "seconds": media.decoded_ms / 1_000,
        "size": source.size,
        "gets": source.gets,
        "bytes": source.bytes,
        "cpu_s": own_s + decoder.ru_utime + decoder.ru_stime,
    }


def _whole(path):
    """Decode all frames, and encode one each interval."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        jpegs, following = Jpegs(widest_of("film")), Fraction(INTERVAL_S, 2)
        for frame in container.decode(stream):
            if frame.time >= following:
                jpegs.encode(frame, Fraction(1))
                following += INTERVAL_S
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": used.ru_utime + used.ru_stime}


if __name__ == "__main__":
    print(json.dumps({"ours": _ours, "whole": _whole}[sys.argv[1]](sys.argv[2])))  # noqa: T201 - what the process is for
