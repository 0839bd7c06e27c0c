"""Watching who gets the mails: a subscription ends without a word, for instance when a mail scanner opens its unsubscribe link."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters import MailTopic
from handlers.adapters.table import Control
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class WatchSubscriptions:
    """Notes since when no one gets the mails, which no mail can say: `status`, reviews and pages do."""

    _topic: MailTopic
    _control: Control
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # one call, whatever the scans
        """Count the subscriptions, and note what has changed."""
        seen = self._control.mail_watch()
        watch = rules.mail_watched(seen, self._topic.subscribers(), self._clock.now())
        if watch == seen:
            return
        self._control.note_mail(watch)
        if watch.none_since is not None and watch.none_until is None:
            Log().alarm("no one is mailed", reason="the alerts topic has no confirmed e-mail subscription")
