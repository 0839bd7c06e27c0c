"""Whether the uploads of a watched bucket arrive: its rule, its switch, the queue and its messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.domain import Engine
from handlers.domain.watch import Watch
from tools.lib.aws import Clients, Watching, depth_of
from tools.lib.text import counted, moment, printable
from tools.lib.watch import notifications

_REDEPLOY = "Deploy it again with `make deploy`."


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps uploads from being scanned, and what to do about it."""

    text: str
    cure: str


def keys_of(watch: Watch) -> str:
    """Return which keys a watch takes, to follow "keys that"."""
    begin = f"begin with {' or '.join(map(printable, watch.prefixes))} and " if watch.prefixes else ""
    return f"{begin}end with {', '.join(watch.suffixes)}"


def engine_of(watch: Watch) -> str:
    """Return how the films of a watched bucket are looked at, for a person."""
    return "by the video API" if watch.engine is Engine.VIDEO else f"by frames, every {watch.interval_ms / 1_000:g} s"


@dataclass(frozen=True, slots=True)
class Depths:
    """How many messages are in the queue of uploads and in its dead-letter queue; None for a queue that is gone."""

    waiting: int | None
    dead_letters: int | None

    def queue_faults(self) -> Iterator[Fault]:
        if self.waiting is None or self.dead_letters is None:
            yield Fault("A queue of uploads is gone: no upload arrives.", _REDEPLOY)

    def letter_faults(self) -> Iterator[Fault]:
        if self.dead_letters:
            yield Fault(
                f"{counted(self.dead_letters, 'upload')} could not be delivered or registered.",
                "Look at the log of `new_upload`, then run `python tools/control_scan.py redrive`.",
            )


@dataclass(frozen=True, slots=True)
class Health:
    """The state of a bucket's rule (`ENABLED`, `DISABLED`), and whether the bucket sends events; None for what is gone."""

    bucket: str
    rule: str
    rule_state: str | None
    sends_events: bool | None

    def rule_faults(self) -> Iterator[Fault]:
        if self.rule_state is None:
            yield Fault(f"The rule {self.rule} is gone: no upload to {self.bucket} arrives.", _REDEPLOY)
        elif self.rule_state == "DISABLED":
            enable = f"`aws events enable-rule --name {self.rule}` enables it."
            yield Fault(f"The rule {self.rule} is disabled: no upload to {self.bucket} arrives.", enable)

    def event_faults(self, ended_at: float | None) -> Iterator[Fault]:
        """Yield why the bucket's events are not sent or not used; `ended_at` is when its watch was switched off, if it was."""
        switch = f"`python tools/control_scan.py watch on {self.bucket}` switches that on."
        if self.sends_events is None:
            unwatch = 'Take it out of "watch" in cdk.json and run `make deploy`.'
            yield Fault(f"The bucket {self.bucket} does not exist: no upload to it arrives.", unwatch)
        elif not self.sends_events:
            yield Fault(f"{self.bucket} sends no events to EventBridge: no upload to it arrives.", switch)
        elif ended_at is not None:
            yield Fault(f"The watch of {self.bucket} has been off since {moment(ended_at)}: no later upload is scanned.", switch)


def health_of(clients: Clients, watching: Watching, bucket: str) -> Health:
    """Return how a watched bucket is connected now."""
    rule = watching.rules[bucket]
    return Health(bucket, rule, _rule_state(clients, rule), notifications.sends_events(clients.s3, bucket))


def depths_of(clients: Clients, watching: Watching) -> Depths:
    """Return how many messages the queues of uploads have, which all watched buckets share."""
    return Depths(depth_of(clients.sqs, watching.queue_url), depth_of(clients.sqs, watching.dead_letters_url))


def _rule_state(clients: Clients, rule: str) -> str | None:
    try:
        return clients.events.describe_rule(Name=rule).get("State")
    except clients.events.exceptions.ResourceNotFoundException:
        return None
