"""The history of one video: its state in every scan, and the decisions about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import Table
from handlers.domain import Decision, Record, Video
from handlers.domain.decision import LogEntry, whole_log
from tools.lib.aws import Clients, explain
from tools.lib.cli import Invocation
from tools.lib.json_keys import scan_keys, time_keys
from tools.lib.review.decided import decision_json, log_json, stored_decision_line
from tools.lib.text import moment, printable
from tools.lib.videos import label_json, labels_text, upload_json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Chapter:
    """One version of a video (None where its bucket has no versions) or upload.

    Attributes:
        records: The newest first.
        decisions: What is decided now about each of its contents, the oldest first; without those that were withdrawn.
        log: Every decision that was ever made, the oldest first.
    """

    video: Video
    records: tuple[Record, ...]
    decisions: tuple[Decision, ...]
    log: tuple[LogEntry, ...]

    def sentences(self) -> list[str]:
        known = (("version", self.video.version_id), ("upload with the etag", self.video.etag))
        title = next((f"{name} {printable(value)}" for name, value in known if value), "without a version")
        decided = [
            f"    {stored_decision_line(each)} (etag {printable(each.etag)}, scan {each.scan_id})"
            for each in (entry.decision for entry in self.log)
        ]
        return [f"  {title}", *(line for record in self.records for line in _record_lines(record)), *decided]

    def as_json(self) -> dict[str, Any]:
        return {
            "version_id": self.video.version_id,
            "etag": self.video.etag,
            "video_id": self.video.id,
            "records": [_record_json(record) for record in self.records],
            "decisions": [{**decision_json(each), "etag": each.etag} for each in self.decisions],
            "log": [log_json(entry) for entry in self.log],
        }


@dataclass(slots=True)
class History:
    """The records and decisions of all versions of one key."""

    video: Video
    chapters: list[Chapter] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        known = [line for chapter in self.chapters for line in chapter.sentences()]
        none = ["  no scan has a record of it (objects that are not videos are skipped without one)"]
        return [printable(self.video.uri), *(known or none), *(f"  warning: {printable(each)}" for each in self.warnings)]

    def as_json(self) -> dict[str, Any]:
        return {
            "bucket": self.video.bucket,
            "key": self.video.key,
            "versions": [chapter.as_json() for chapter in self.chapters],
            "warnings": self.warnings,
        }


def history_of(run: Invocation, video: Video) -> History:
    """Return the history of a version of a video, or of all versions in the bucket and known uploads if the video names none."""
    history = History(video)
    chapters = [_chapter(run.table, each) for each in _versions(run.clients, history)]
    known = {chapter.video for chapter in chapters}
    if video.version_id is None:
        chapters += [_chapter(run.table, each) for each in _uploads(run.table, chapters[0]) if each not in known]
    history.chapters = [chapter for chapter in chapters if chapter.records or chapter.log]
    return history


def _uploads(table: Table, without_version: Chapter) -> list[Video]:
    """Return the uploads under a key that the table can name: no item lists them all.

    They are the newest one and what that replaced, those that were decided on, and each content that a scan by manifest has seen.
    """
    video = without_version.video
    current = table.watches.current(video.bucket, video.key)
    names = [] if current is None else [(current.video_id, current.scan_id), (current.replaced_video_id, current.replaced_scan_id)]
    noted = table.records.records((video_id, scan_id) for video_id, scan_id in names if video_id and scan_id)
    etags = [record.facts.etag for record in without_version.records if record.facts]
    decided = [decision.video for decision in table.decisions.decisions_about(video)]
    return list(dict.fromkeys([*(record.video for record in noted), *decided, *(replace(video, etag=etag) for etag in etags)]))


def _versions(clients: Clients, history: History) -> list[Video]:
    video = history.video
    if video.version_id is not None:
        return [video]
    try:
        versions = _version_ids(clients.s3, video)
    except (BotoCoreError, ClientError) as error:
        # The history of the key without a version is still worth showing.
        history.warnings.append(f"The versions of this key could not be listed; add ?versionId=... to the URI. {explain(error)}")
        versions = []
    return [video, *(Video(video.bucket, video.key, version) for version in versions)]


def _version_ids(s3: S3Client, video: Video) -> list[str]:
    """Return the ids of the versions of a key, the newest first; only "null" if the bucket never had versions."""
    found = []
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=video.bucket, Prefix=video.key)
    for page in pages:
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        found += [entry["VersionId"] for entry in page.get("Versions", []) if entry["Key"] == video.key]
        if any(entry["Key"] != video.key for entry in entries):
            break  # keys are listed in order, and the one that equals the prefix comes first
    return found


def _chapter(table: Table, video: Video) -> Chapter:
    records = sorted(table.records.records_of(video.id), key=lambda record: (record.queued_at or 0.0, record.scan_id), reverse=True)
    stored = [each for each in table.decisions.decisions_about(video) if each.video == video]
    log = [entry for entry in table.decisions.log_about(video) if entry.decision.video == video]
    for each in stored:
        log = whole_log(log, each)
    log.sort(key=lambda entry: entry.decision.decided_at)
    return Chapter(video, tuple(records), tuple(each for each in stored if each.stands), tuple(log))


def _record_lines(record: Record) -> list[str]:
    at = record.finished_at or record.started_at or record.queued_at
    when = moment(at) if at is not None else "time unknown"
    attempt = f", attempt {record.attempt}" if record.attempt else ""
    why = f"; {printable(record.problem.code)}: {printable(record.problem.message)}" if record.problem else ""
    found = [f"      {labels_text(record.labels)}"] if record.labels else []
    superseded = ", superseded" if record.superseded else ""
    return [f"    scan {record.scan_id}  {when}  {record.state.value.lower()}{superseded}{attempt}{why}", *found]


def _record_json(record: Record) -> dict[str, Any]:
    return {
        **scan_keys(record.scan_id),
        "state": record.state.value.lower(),
        "attempt": record.attempt,
        "etag": record.facts.etag if record.facts else None,
        "size": record.facts.size if record.facts else None,
        **upload_json(record),
        **time_keys(queued=record.queued_at, started=record.started_at, finished=record.finished_at),
        "reason": record.problem.code if record.problem else None,
        "message": record.problem.message if record.problem else None,
        "model_version": record.model_version,
        "policy_hash": record.policy_hash,
        "labels": [label_json(label) for label in record.labels],
    }
