"""Making scan ids: ULIDs, which sort by the time at which they were made."""

from __future__ import annotations

from collections.abc import Callable

from handlers.runtime.clock import Clock

# Crockford's base 32: no I, L, O, U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_RANDOM_BYTES = 10


def new_scan_id(clock: Clock, entropy: Callable[[int], bytes]) -> str:
    """Return a new ULID: 48 bits of milliseconds and 80 random bits, 26 characters.

    Form: https://github.com/ulid/spec
    """
    milliseconds = int(clock.now() * 1000) & (2**48 - 1)
    number = milliseconds << 8 * _RANDOM_BYTES | int.from_bytes(entropy(_RANDOM_BYTES))
    return "".join(_ALPHABET[number >> 5 * position & 31] for position in reversed(range(_LENGTH)))
