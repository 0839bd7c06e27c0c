"""Publish: carries out the consequences of verdicts and decisions: event, tag and annotation.

The message is a hint; record and decision are read, and decide. An item of the outbox is deleted at the end, and only if there is
no newer verdict; otherwise all begins anew with that. So whatever dies, or comes twice, late or out of order, the last verdict is
what is written last. See docs/consequences.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from handlers.adapters import EventBus, NotMarkedError, ObjectMarks, ThrottledError, code_of, fault_of
from handlers.adapters.table import Content, Outbox, Outcome, Scans
from handlers.domain import consequence, consequence_event, json_text, outbox
from handlers.domain.consequence import ObjectStatus
from handlers.domain.consequence_event import Event, PostScanAction
from handlers.domain.outbox import Due
from handlers.runtime import Clock, Log

# How often an item is carried out anew in one invocation, because there is a newer verdict each time.
ROUNDS = 5

# Messages are handed back this long before the end of the invocation: S3 may take its time.
LAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """Which consequences are carried out."""

    publish_events: bool
    tag_objects: bool
    annotate_objects: bool


@dataclass(frozen=True, slots=True)
class _Carried:
    """How far an item got: whether its event is on the bus, and the error that prevented something."""

    event_sent: bool
    prevented_by: Exception | None


@dataclass(frozen=True, slots=True)
class PublishFlow:
    """Answers the event source mapping of the outbox's queue."""

    _outbox: Outbox
    _scans: Scans
    _bus: EventBus
    _marks: ObjectMarks
    _clock: Clock
    _settings: PublishSettings

    def respond(self, event: object, *, deadline: float) -> dict[str, Any]:
        """Process an event's messages; return those that are to come back as a partial batch response."""
        back = [name for name, text in _messages(event) if not self._processed(name, text, deadline - LAST_SECONDS)]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in back]}

    def _processed(self, message_id: str, text: str, until: float) -> bool:
        due = outbox.parse(text)
        if due is None:
            Log().alarm("message dropped: it is none of ours", message_id=message_id)
            return True
        if self._clock.now() > until:
            return False
        log = Log({"scan_id": due.scan_id, "video_id": due.video_id})
        try:
            self.publish(due, log)
        except Exception as error:  # noqa: BLE001 # the other messages are still processed, and this one comes back
            log.alarm("consequences not carried out", cause=error, reason=code_of(error))
            return False
        return True

    def publish(self, due: Due, log: Log) -> None:
        """Carry out an item of the outbox; what something prevents is put off.

        Raises:
            Exception: What prevented it, unless that may pass by itself.
        """
        carried = self._carried_out_at_last(due, log)
        error = carried.prevented_by
        if error is None:
            return
        self._outbox.postpone(due, at=self._clock.now(), event_sent=carried.event_sent)
        if not fault_of(error).transient:
            raise error
        log.warning("consequences put off", reason=code_of(error), tries=due.tries + 1)

    def _carried_out_at_last(self, due: Due, log: Log) -> _Carried:
        """Carry out an item until there is no newer verdict, and delete it."""
        event_sent, seen = due.event_sent, None
        for number in range(ROUNDS):
            item = self._outbox.item(due) if number else due
            content = self._outbox.content(due) if due.video_id else None
            if number and content == seen:
                # Whatever the item stands for is carried out, unless it was put again; it may be gone, by another invocation.
                if item is not None and outbox.of_one_put(item.token, due.token):
                    self._outbox.done(item)
                return _Carried(event_sent, None)
            carried = self._carried_out(content, log, event_sent=event_sent) if due.video_id else self._closed_scan(due.scan_id)
            if carried.prevented_by is not None or self._outbox.done(due) is Outcome.DONE:
                return carried
            event_sent, seen = False, content
        return _Carried(event_sent, ThrottledError(f"there was a newer verdict {ROUNDS} times"))

    # --- a video -------------------------------------------------------------------------------------------------------

    def _carried_out(self, content: Content | None, log: Log, *, event_sent: bool) -> _Carried:
        events = [] if content is None else list(_results(content))
        if content is None or not events:
            return _Carried(event_sent, None)
        self._outbox.renew(consequence.of_same_content(content.record, content.others))
        prevented_by = self._marked(content, log)
        if self._settings.publish_events and not event_sent:
            errors = [self._sent(event) for event in events]
            error = next((error for error in errors if error is not None), None)
            return _Carried(error is None, prevented_by or error)
        return _Carried(event_sent, prevented_by)

    def _sent(self, event: Event) -> Exception | None:
        return _prevented(lambda: self._bus.tell(event))

    def _marked(self, content: Content, log: Log) -> Exception | None:
        """Tag and annotate an object by the verdict of its content that counts most; return what prevented that."""
        writes = self._writes(content)
        errors = [_prevented(partial(self._do, action, write, content, log)) for action, write in writes]
        return next((error for error in errors if error is not None), None)

    def _writes(self, content: Content) -> Iterator[tuple[PostScanAction, Callable[[], None]]]:
        record, decision = content.record, content.decision
        counting = consequence.foremost(record, content.others)
        status = consequence.status_of(counting, decision)
        if status is None:
            return
        if self._settings.tag_objects:
            status_of = partial(self._status, content)
            yield PostScanAction.TAG, lambda: self._marks.tag(record.video, record.facts, status, status_of)
        if self._settings.annotate_objects and consequence.is_worth_annotating(record, decision, content.others):
            text = consequence_event.verdict_json(counting, status, decision)
            yield PostScanAction.ANNOTATION, lambda: self._marks.annotate(record.video, record.facts, text)

    def _do(self, action: PostScanAction, write: Callable[[], None], content: Content, log: Log) -> None:
        try:
            write()
        except NotMarkedError as refusal:
            log.warning("object not marked", action=action.value, reason=refusal.reason)
            self._bus.tell(consequence_event.action_failed(content.record, action, refusal.reason))

    def _status(self, content: Content, etag: str) -> ObjectStatus | None:
        """Return the status of another content of the same key."""
        records = [*content.others, *self._outbox.uploads_of(content.record.video, etag)]
        return consequence.status_of_content(etag, records, content.decisions)

    # --- a scan --------------------------------------------------------------------------------------------------------

    def _closed_scan(self, scan_id: str) -> _Carried:
        scan = self._scans.scan(scan_id)
        if scan is None or scan.live or not self._settings.publish_events:
            return _Carried(event_sent=False, prevented_by=None)
        event = consequence_event.scan_closed(scan, self._scans.totals(scan_id))
        error = _prevented(lambda: self._bus.tell(event))
        return _Carried(error is None, error)


def _results(content: Content) -> Iterator[Event]:
    """Yield the event of a record's status, and that of the other one whose verdict holds again after a withdrawal."""
    for record in (content.record, consequence.restored(content.record, content.others, content.decision)):
        status = None if record is None else consequence.status_of(record, content.decision)
        if record is not None and status is not None:
            yield consequence_event.result(record, status, content.decision)


def _prevented(act: Callable[[], None]) -> Exception | None:
    """Do something; return the error that prevented it."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 # the other consequences are still carried out; raised at the end
        return error
    return None


def _messages(event: object) -> Iterator[tuple[str, str]]:
    """Yield the id and the body of each message of an SQS event."""
    entries = json_text.items(json_text.mapping(event).get("Records"))
    if not entries:
        Log().alarm("the event is no SQS event: it has no records")
    for entry in map(json_text.mapping, entries):
        yield json_text.text_or_empty(entry.get("messageId")), json_text.text_or_empty(entry.get("body"))
