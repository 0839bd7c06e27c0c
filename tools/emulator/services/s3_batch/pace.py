"""How fast tasks are started: a rate for the account, and a concurrency for each job."""

from __future__ import annotations

# After how long the concurrency doubles; AWS says only that the ramp-up begins low [L:services-s3-batch].
INITIAL_RAMP_SECONDS = 5.0

# Lambda's default concurrency of an account; S3 goes up to the function's limit, and Lambda throttles what exceeds it.
MAX_PARALLEL = 1000

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
_BURST_SECONDS = 0.05
_ROUNDING = 1e-6  # seconds; floats hold epoch seconds to about a quarter of a microsecond


class Rate:
    """Limits starts a second, with bursts of a twentieth of that."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second * _BURST_SECONDS)
        self._saved = self._capacity
        self._as_of: float | None = None

    def available(self, now: float) -> int:
        """Return how many may start now."""
        if self._as_of is not None:
            self._saved = min(self._capacity, self._saved + max(0.0, now - self._as_of) * self._per_second)
        self._as_of = now
        return int(self._saved + _ROUNDING * self._per_second)

    def take(self) -> None:
        """Count one start."""
        self._saved -= 1.0

    def wait(self) -> float:
        """Return the seconds until a whole burst may start; few large steps cost less than many small ones."""
        return max(0.0, (self._capacity - self._saved) / self._per_second)


class Ramp:
    """How many invocations of a job may run at a time: doubles until Lambda throttles, then halves and grows by ones."""

    def __init__(self, initial: int, now: float) -> None:
        self.parallel = max(1, initial)
        self._grows_at = now + INITIAL_RAMP_SECONDS
        self._throttled_before = False
        self._backoff = FIRST_BACKOFF_SECONDS
        self._held_until = now

    def allowance(self, now: float) -> int:
        """Return how many may run now: 0 while it backs off."""
        if now < self._held_until:
            return 0
        while now >= self._grows_at and self.parallel < MAX_PARALLEL:
            self.parallel = min(MAX_PARALLEL, self.parallel + 1 if self._throttled_before else self.parallel * 2)
            self._grows_at += INITIAL_RAMP_SECONDS
        return self.parallel

    def wait(self, now: float) -> float | None:
        """Return the seconds until more may run, None if never."""
        if now < self._held_until:
            return self._held_until - now
        return None if self.parallel >= MAX_PARALLEL else max(0.0, self._grows_at - now)

    def throttled(self, now: float) -> None:
        """Back off; throttles that arrive meanwhile belong to the same burst."""
        if now < self._held_until:
            return
        self.parallel = max(1, self.parallel // 2)
        self._throttled_before = True
        self._held_until = now + self._backoff
        self._grows_at = self._held_until + INITIAL_RAMP_SECONDS
        self._backoff = min(LONGEST_BACKOFF_SECONDS, self._backoff * 2)

    def accepted(self) -> None:
        """Note that Lambda took an invocation."""
        self._backoff = FIRST_BACKOFF_SECONDS
