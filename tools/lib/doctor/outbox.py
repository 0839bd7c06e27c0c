"""Checks of consequences, which say nothing where verdicts have none: their queue, its dead letters, and what waits.

None of it keeps a scan from starting, so every problem is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tools.lib.aws import depth_of
from tools.lib.doctor.case import REDEPLOY, Case
from tools.lib.doctor.findings import Finding, ok, warning
from tools.lib.text import counted, moment

# Items that are looked at: of a million it is enough to know that there are many.
MOST = 1_000

# What waits longer is not just being worked on: a sweep sends it within a minute, and AWS is tried again after an hour at most.
LONG_SECONDS = 7_200.0

_LOG = "Look at the log of `publish_verdict`"


def queue(case: Case) -> Iterator[Finding]:
    """Check whether the queue and its dead-letter queue exist, and whether there are dead letters."""
    found = case.deployment
    if found.outbox_queue_url is None or found.outbox_dead_letters_url is None:
        return
    waiting, letters = (depth_of(case.clients.sqs, url) for url in (found.outbox_queue_url, found.outbox_dead_letters_url))
    if waiting is None or letters is None:
        yield warning("A queue of the outbox is gone: verdicts have no consequences.", REDEPLOY)
    if letters:
        yield warning(
            f"{counted(letters, 'message')} about consequences failed 20 times.",
            f"{_LOG}, then run `python tools/control_scan.py redrive`; nothing is lost.",
        )
    yield ok(f"the queue exists, {counted(waiting or 0, 'message')}, no dead letters")


def waiting(case: Case) -> Iterator[Finding]:
    """Check how many items wait in the outbox, and for how long; those of earlier versions do not say since when."""
    if not case.deployment.has_outbox:
        return
    due = list(islice(case.table.outbox.due(), MOST + 1))
    if not due:
        yield ok("none wait")
        return
    oldest = min((each.put_at for each in due if each.put_at is not None), default=None)
    many = f"more than {MOST:,}" if len(due) > MOST else f"{len(due):,}"
    text = f"{many} wait" + ("" if oldest is None else f", the oldest since {moment(oldest)}")
    if prevented := sum(each.tries > 0 for each in due):
        text += f"; AWS prevented {prevented:,} of them at least once"
    if oldest is not None and case.clock.now() - oldest > LONG_SECONDS:
        yield warning(f"Of consequences, {text}.", f"{_LOG}; nothing is lost.")
    yield ok(text)
