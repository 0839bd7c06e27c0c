"""What verdicts do outside the table, as the context switches it on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consequences:
    """Which consequences verdicts have."""

    publish_events: bool = False
    tag_objects: bool = False
    annotate_objects: bool = False

    @property
    def any(self) -> bool:
        """Tell whether there is an outbox at all."""
        return self.publish_events or self.tag_objects or self.annotate_objects
