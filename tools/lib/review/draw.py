"""Draws a sample of videos that come in any order and in any number, in memory for the sample alone."""

from __future__ import annotations

from hashlib import blake2b
from heapq import heappush, heappushpop

from handlers.domain import Video


class Draw:
    """Draws `count` videos: those with the lowest numbers, each of which depends on seed and video alone.

    So the same are drawn in whatever order they come, and while a scan grows few of them change. Memory holds `count` videos.
    """

    def __init__(self, count: int = 0, seed: int = 0) -> None:
        self.count = count
        self.seed = seed
        # How many were offered.
        self.offered = 0
        self._secret = seed.to_bytes(8, "big")
        # The highest number first, as the negative is the lowest; with the digest, which tells videos apart.
        self._heap: list[tuple[int, bytes]] = []
        self._videos: dict[bytes, Video] = {}

    def another(self) -> Draw:
        """Return an empty draw by the same numbers."""
        return Draw(self.count, self.seed)

    def offer(self, video: Video, digest: bytes) -> None:
        """Draw a video if its number is among the lowest so far."""
        if not self.count or digest in self._videos:
            return
        self.offered += 1
        entry = (-int.from_bytes(blake2b(digest, digest_size=8, key=self._secret).digest(), "big"), digest)
        if len(self._heap) < self.count:
            heappush(self._heap, entry)
        elif entry < self._heap[0]:
            return
        else:
            del self._videos[heappushpop(self._heap, entry)[1]]
        self._videos[digest] = video

    def take(self, other: Draw) -> None:
        """Add what was offered to another draw with the same count and seed."""
        for digest, video in other._videos.items():
            self.offer(video, digest)
        self.offered += other.offered - len(other._videos)

    @property
    def videos(self) -> list[Video]:
        """Return what was drawn, in the order of the numbers, in which the first few are a sample too."""
        return [self._videos[digest] for _, digest in sorted(self._heap, reverse=True)]


def seed_of(scan_id: str) -> int:
    """Return a scan's own seed."""
    return int.from_bytes(blake2b(scan_id.encode(), digest_size=4).digest(), "big")
