"""How fast tasks are started: a rate for the whole account, and a number in parallel for each job."""

from __future__ import annotations

# How long until the parallel invocations double; AWS says only that the ramp-up begins low [L:services-s3-batch].
INITIAL_RAMP_SECONDS = 5.0

# Lambda's default concurrency for an account: S3 goes up to the function's limit, and Lambda refuses what is above.
MAX_PARALLEL = 1000

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
_BURST_SECONDS = 0.05
_ROUNDING = 1e-6  # epoch seconds as floats are exact to about a quarter of a microsecond


class Rate:
    """Limits starts per second, with bursts of up to a twentieth of that."""

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
        """Return the seconds until a whole burst may start: fewer, larger steps cost less than many small ones."""
        return max(0.0, (self._capacity - self._saved) / self._per_second)


class Ramp:
    """How many invocations of a job may be under way: doubles until Lambda throttles, then halves and feels its way up again."""

    def __init__(self, initial: int, now: float) -> None:
        self.parallel = max(1, initial)
        self._grows_at = now + INITIAL_RAMP_SECONDS
        self._throttled_before = False
        self._backoff = FIRST_BACKOFF_SECONDS
        self._held_until = now

    def allowance(self, now: float) -> int:
        """Return how many may be under way now: 0 while it backs off."""
        if now < self._held_until:
            return 0
        while now >= self._grows_at and self.parallel < MAX_PARALLEL:
            self.parallel = min(MAX_PARALLEL, self.parallel + 1 if self._throttled_before else self.parallel * 2)
            self._grows_at += INITIAL_RAMP_SECONDS
        return self.parallel

    def wait(self, now: float) -> float | None:
        """Return the seconds until more may be under way, None if never."""
        if now < self._held_until:
            return self._held_until - now
        return None if self.parallel >= MAX_PARALLEL else max(0.0, self._grows_at - now)

    def throttled(self, now: float) -> None:
        """Back off; the refusals that arrive while it does belong to the same burst."""
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
