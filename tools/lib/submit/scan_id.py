"""Making scan ids: ULIDs, which sort by the time at which they were made."""

from __future__ import annotations

from collections.abc import Callable

from handlers.domain.identity import ULID_ENTROPY, ulid
from handlers.runtime.clock import Clock


def new_scan_id(clock: Clock, entropy: Callable[[int], bytes]) -> str:
    """Return a new ULID of the present and of random bytes."""
    return ulid(int(clock.now() * 1000), entropy(ULID_ENTROPY))
