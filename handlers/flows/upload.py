"""Upload: registers what was put into a watched bucket, in the scan of its day.

Which content a key has is decided by our own look at the object, not by the event: events come late, twice, and in any order. The
note about a key's newest content is written before the record and names its scan, so that an upload is registered once, although
the time of an event and S3's LastModified may lie on different days. See docs/architecture.md#new-uploads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from handlers.adapters import Look, aws_errors
from handlers.adapters.table import CurrentUpload, Outcome, Records, Scans, Watches, WatchState
from handlers.domain import Engine, Lane, ObjectFacts, Record, State, Video, json_text, reasons, upload, watch
from handlers.domain.engine import DEFAULT_INTERVAL_MS
from handlers.domain.identity import MAX_ATTEMPT
from handlers.domain.objects import ObjectKind
from handlers.domain.upload import Refused, Retry, Source, Upload
from handlers.domain.watch import Watch
from handlers.flows.registration import NO_FRAMES, SKIPPED, Others, Registered, Registration, Retries, is_retried
from handlers.runtime import Clock, Log

# For how long an environment relies on what it read of a watch, and on a scan being there and open: for less than the sweeper looks
# at a scan of which nothing waits before it closes it (55 s), by as much as a registration takes.
KNOWN_SECONDS = 45.0

# Attempts to note the newest content of a key while others note theirs.
NOTE_ATTEMPTS = 5


class AnalysisRunsError(Exception):
    """The same bytes were put again while their analysis runs: they are registered again when it is over."""


@dataclass(slots=True)
class UploadFlow:
    """Answers the event source mapping of the queue of uploads; one instance serves an environment."""

    _registration: Registration
    _records: Records
    _scans: Scans
    _watches: Watches
    _clock: Clock
    _watched: Mapping[str, Watch]
    _ensured: dict[str, float] = field(default_factory=dict)
    _noted: dict[str, float] = field(default_factory=dict)

    def respond(self, event: object) -> dict[str, Any]:
        """Process an event's messages; return a partial batch response with those that must be received again."""
        entries = json_text.items(json_text.mapping(event).get("Records"))
        if not entries:
            Log().alarm("the event is no SQS event: it has no records")
        retries = self._registration.retries()
        back = [message_id for message_id, body in map(_message, entries) if not self._processed(message_id, body, retries)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in back]}

    def _processed(self, message_id: str, body: str, retries: Retries) -> bool:
        """Process one message; return False if it must be received again."""
        log = Log({"message_id": message_id})
        message = upload.parse(body)
        if isinstance(message, Refused):
            log.alarm("message dropped: it is none of ours", reason=message.reason)
            return True
        try:
            self._process(message, retries, log)
        except AnalysisRunsError:
            log.info("upload comes back", reason="an analysis of the same bytes runs, which may have read others")
            return False
        except Exception as error:  # noqa: BLE001 # the other messages are still processed, and this one comes back
            log.alarm("upload not registered", cause=error, reason=aws_errors.code_of(error))
            return False
        return True

    def _process(self, message: Upload | Retry, retries: Retries, log: Log) -> None:
        if isinstance(message, Retry):
            self._retry(message, retries, log)
            return
        log.debug("upload", bucket=message.bucket, key=message.key, version_id=message.version_id)
        if message.bucket not in self._watched:
            log.info("upload ignored", reason="not watched")
            return
        if not self._watched[message.bucket].takes(message.key) or not message.size:
            log.info("upload ignored", reason="no such prefix or suffix, or empty")
            return
        state = retries.run(lambda: self._watches.state(message.bucket))
        if state.ended_at is not None and message.at > state.ended_at:
            log.info("upload ignored", reason="its watch is off")
            return
        self._register(message, state, retries, log)

    # --- an upload -----------------------------------------------------------------------------------------------------

    def _register(self, message: Upload, state: WatchState, retries: Retries, log: Log) -> None:
        watched = self._watched[message.bucket]
        look = self._registration.look(message.video, retries, watched.engine)
        code = look.problem and look.problem.code
        if code == reasons.MISSING:
            log.info("upload ignored", reason="it is deleted")
            return
        if message.source is Source.EVENT:
            self._note_event(message, retries)
        video = message.identified(look.facts)
        put_at = _put_at(message, look.facts)
        # A late event may find what another one put since: what is there counts, as of its own time.
        at = max(message.at, put_at)
        if state.ended_at is not None and at > state.ended_at:
            log.info("upload ignored", reason="its watch is off")
            return
        scan_id = None if code == reasons.NOT_A_VIDEO else watch.scan_id(message.bucket, watch.day_of(at))
        mine = CurrentUpload(video.bucket, video.key, video.id, scan_id, put_at, etag=look.facts.etag if look.facts else None)
        current = retries.run(lambda: self._as_current(mine, message, retries))
        log = log.bind(scan_id=current.scan_id, video_id=video.id)
        if current.scan_id is not None:
            self._ensure_scan(current.scan_id, message.bucket, retries)
            result = self._enter(_record(video, current.scan_id, message, watched, at=at, put_at=put_at), look, current, retries)
            log.info("upload registered", state=result.state, reason=result.problem and result.problem.code)
        else:
            log.info("upload ignored", reason=SKIPPED)
        retries.run(lambda: self._supersede(current, video))

    def _enter(self, record: Record, look: Look, current: CurrentUpload, retries: Retries) -> Registered:
        previous = self._registration.previous(record, retries)
        if previous is None:
            return self._enter_measured(record, look, None, retries)
        if not self._is_put_again(previous, current, look):
            return self._registration.leave(previous, record.attempt, retries)
        if previous.attempt >= MAX_ATTEMPT:
            Log({"scan_id": record.scan_id, "video_id": record.video.id}).alarm("upload not analysed again: it was put too often")
            return self._registration.leave(previous, record.attempt, retries)
        if previous.state.final:
            again = _retried(previous, previous.attempt + 1, current.modified_at)
            again = replace(again, uploaded_at=record.uploaded_at, superseded_at=None)
            again = replace(again, engine=record.engine, interval_ms=record.interval_ms)
            return self._enter_measured(again, look, previous, retries)
        # Its Start, if there was none yet, looks at the object as it is then.
        if retries.run(lambda: self._records.note_put_again(previous, current.modified_at)) is not Outcome.DONE:
            raise AnalysisRunsError
        return self._registration.leave(previous, record.attempt, retries)

    def _enter_measured(self, new: Record, look: Look, previous: Record | None, retries: Retries) -> Registered:
        """Register an upload, with its length where that counts towards the limit of a day."""
        watched = self._watched.get(new.video.bucket)
        is_limited = watched is not None and watched.max_minutes_per_day is not None
        # An image has no length.
        if is_limited and look.facts is not None and look.problem is None and look.kind is not ObjectKind.IMAGE:
            new = replace(new, expected_ms=self._registration.length_ms(new.video, look.facts, retries))
        others = Others(interval_ms=new.interval_ms or DEFAULT_INTERVAL_MS)
        return self._registration.enter(new, look, previous, retries, others=others)

    def _is_put_again(self, previous: Record, current: CurrentUpload, look: Look) -> bool:
        """Tell whether the bytes of a record were put again since it was registered, or are back after others had replaced them.

        Its verdict proves nothing then: Rekognition may have read the others, because a Start names no etag. A version never
        changes. Other bytes may have the same MD5, and so the same etag; within one second their size may tell.
        """
        content = previous.video
        if content.etag is None or current.video_id != content.id:
            return False
        later = previous.put_at is not None and current.modified_at > previous.put_at
        resized = previous.facts is not None and look.facts is not None and previous.facts.size != look.facts.size
        return later or resized or (previous.superseded_at is not None and self._is_newest(current, content))

    def _as_current(self, mine: CurrentUpload, message: Upload, retries: Retries) -> CurrentUpload:
        """Note a content as the newest one of its key, unless it or a newer one is noted already; return the note."""
        for _ in range(NOTE_ATTEMPTS):
            seen = self._watches.current(mine.bucket, mine.key)
            if seen is None:
                new = mine
            elif seen.video_id == mine.video_id:
                if mine.modified_at <= seen.modified_at:
                    return seen
                new = _put_again(mine, seen)
            elif not self._is_newer(mine, seen, message, retries):
                return mine
            else:
                # The invocation that noted it may have died before it did this.
                self._supersede_replaced(seen)
                new = replace(mine, replaced_video_id=seen.video_id, replaced_scan_id=seen.scan_id)
            if self._watches.note_current(new, seen):
                return new
        raise aws_errors.ThrottledError(f"the newest upload of a key was noted by others {NOTE_ATTEMPTS} times")

    def _is_newer(self, mine: CurrentUpload, seen: CurrentUpload, message: Upload, retries: Retries) -> bool:
        """Tell whether a content was put after the noted one; where S3's times cannot decide, whether it is there now.

        The times are whole seconds; and a multipart upload that was initiated before another put and completed after it has the
        earlier time, but may well be the current content.
        """
        if mine.modified_at > seen.modified_at:
            return True
        if mine.modified_at < seen.modified_at and message.version_id is not None:
            return False
        look = self._registration.look(message.video.newest, retries)
        if look.facts is None:  # S3 refuses to show it, but the listing of a comparison has it
            return message.source is Source.COMPARISON
        return message.identified(look.facts).id == mine.video_id

    def _supersede(self, current: CurrentUpload, video: Video) -> None:
        """Mark what this content replaced, and its own record if it was replaced itself before there was one.

        A content that has come back is no longer superseded. An invocation that replaces it notes that before marking it, so that
        one of the two sees the other.
        """
        self._supersede_replaced(current)
        if current.scan_id is None:
            return
        if self._is_newest(current, video):
            record = self._records.record(video.id, current.scan_id)
            if record is None or record.superseded_at is None:
                return
            self._records.restore(record)
        if not self._is_newest(current, video):
            self._records.supersede(video.id, current.scan_id)

    def _is_newest(self, current: CurrentUpload, video: Video) -> bool:
        newest = self._watches.current(current.bucket, current.key)
        # The same bytes that were put on another day are another upload.
        return newest is None or (newest.video_id, newest.scan_id) == (video.id, current.scan_id)

    def _supersede_replaced(self, current: CurrentUpload) -> None:
        """Mark what a content replaced, unless it has come back since: whoever brings it notes that first."""
        video_id, scan_id = current.replaced_video_id, current.replaced_scan_id
        if video_id is None or scan_id is None or self._is_noted(current, video_id, scan_id):
            return
        self._records.supersede(video_id, scan_id)
        if self._is_noted(current, video_id, scan_id):
            record = self._records.record(video_id, scan_id)
            if record is not None and record.superseded_at is not None:
                self._records.restore(record)

    def _is_noted(self, current: CurrentUpload, video_id: str, scan_id: str) -> bool:
        newest = self._watches.current(current.bucket, current.key)
        return newest is not None and (newest.video_id, newest.scan_id) == (video_id, scan_id)

    # --- a retry -------------------------------------------------------------------------------------------------------

    def _retry(self, message: Retry, retries: Retries, log: Log) -> None:
        video, log = message.video, log.bind(scan_id=message.scan_id, video_id=message.video.id)
        previous = retries.run(lambda: self._records.record(video.id, message.scan_id))
        if previous is None or previous.uploaded_at is None:
            log.warning("retry ignored", reason="the scan has no such upload")
            return
        if previous.engine is Engine.FRAMES and not self._registration.takes_frames:
            log.alarm("retry ignored", reason=NO_FRAMES)
            return
        self._ensure_scan(message.scan_id, video.bucket, retries)
        if not is_retried(previous, message.attempt):
            result = self._registration.leave(previous, message.attempt, retries)
        else:
            new = _retried(previous, message.attempt, previous.put_at)
            look = _of_same_content(self._registration.look(video, retries, new.engine), video)
            result = self._enter_measured(new, look, previous, retries)
        log.info("upload registered", state=result.state, reason=result.problem and result.problem.code)

    # --- the scan and the watch ----------------------------------------------------------------------------------------

    def _ensure_scan(self, scan_id: str, bucket: str, retries: Retries) -> None:
        """Write the scan of a day if it is missing, and check again within a minute: a registration must reopen a closed scan."""
        if self._is_known(self._ensured, scan_id):
            return
        state = retries.run(lambda: self._watches.state(bucket))
        held = _held(state, watch.day_of(self._clock.now()))
        retries.run(lambda: self._scans.ensure_day_scan(scan_id, bucket, watch.day_of_scan(scan_id), held=held))
        self._ensured[scan_id] = self._clock.now()

    def _note_event(self, message: Upload, retries: Retries) -> None:
        """Note that events arrive, once a minute."""
        if not self._is_known(self._noted, message.bucket):
            retries.run(lambda: self._watches.note_upload(message.bucket, message.at))
            self._noted[message.bucket] = self._clock.now()

    def _is_known(self, known: dict[str, float], name: str) -> bool:
        now = self._clock.now()
        for outdated in [each for each, at in known.items() if now - at >= KNOWN_SECONDS]:
            del known[outdated]
        return name in known


def _held(state: WatchState, today: str) -> str | None:
    """Return why a new scan must wait, or None; the sweeper checks again within a minute."""
    if state.paused:
        return watch.PAUSED_BY_HAND
    return watch.LIMIT_REACHED if state.limit_day == today and state.released_day != today else None


def _message(entry: object) -> tuple[str, str]:
    fields = json_text.mapping(entry)
    return json_text.text_or_empty(fields.get("messageId")), json_text.text_or_empty(fields.get("body"))


def _put_at(message: Upload, facts: ObjectFacts | None) -> float:
    """Return S3's LastModified of a content, or the time of its event where the object could not be looked at."""
    return message.at if facts is None or facts.modified_at is None else facts.modified_at


def _put_again(mine: CurrentUpload, seen: CurrentUpload) -> CurrentUpload:
    """Return the note of a content that was put again: on another day it replaces the record of the day before."""
    if mine.scan_id != seen.scan_id:
        return replace(mine, replaced_video_id=seen.video_id, replaced_scan_id=seen.scan_id)
    return replace(mine, replaced_video_id=seen.replaced_video_id, replaced_scan_id=seen.replaced_scan_id)


def _record(video: Video, scan_id: str, message: Upload, watched: Watch, *, at: float, put_at: float) -> Record:
    return Record(
        video,
        scan_id,
        State.WAITING,
        lane=Lane.EXPRESS,
        uploaded_at=at,
        missed=message.source is Source.COMPARISON,
        put_at=put_at,
        engine=watched.engine,
        interval_ms=watched.interval_ms if watched.engine is Engine.FRAMES else None,
    )


def _retried(previous: Record, attempt: int, put_at: float | None) -> Record:
    """Return the record with which a new attempt begins."""
    return Record(
        previous.video,
        previous.scan_id,
        State.WAITING,
        attempt,
        Lane.EXPRESS,
        uploaded_at=previous.uploaded_at,
        missed=previous.missed,
        put_at=put_at,
        superseded_at=previous.superseded_at,
        engine=previous.engine,
        interval_ms=previous.interval_ms,
    )


def _of_same_content(look: Look, video: Video) -> Look:
    """Return the look, or a problem in its place if the object has another content by now."""
    replaced = None if look.facts is None else upload.replaced(video, look.facts)
    return look if replaced is None else Look(look.facts, replaced)
