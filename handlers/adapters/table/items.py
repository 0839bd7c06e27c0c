"""Records and segments as items of the table, and back: keys, index attributes, and numbers as Decimal.

What is None, False or empty is absent. A float becomes the Decimal of its shortest text, so that it comes back the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from handlers.adapters.table.expressions import Item
from handlers.domain.identity import Analysis, Video, shard
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record, Segment, StartParameters
from handlers.domain.states import Lane, State

# Shards of a scan in either index.
INDEX_SHARDS = 16

# Items over which a scan's totals are spread, so that transitions do not contend for one item.
TOTALS_SHARDS = 64

MAIL_PK = "MAIL"
RUNNING_PK = "RUNNING"


# --- keys --------------------------------------------------------------------------------------------------------------


def record_key(video_id: str, scan_id: str) -> dict[str, str]:
    """Return the key of a record."""
    return {"pk": f"VIDEO#{video_id}", "sk": f"SCAN#{scan_id}"}


def names_of_record(item: Item) -> tuple[str, str]:
    """Return video id and scan id of a record by its key, which each index projects too."""
    return str(item["pk"]).removeprefix("VIDEO#"), str(item["sk"]).removeprefix("SCAN#")


def segments_prefix(analysis: Analysis) -> str:
    """Return what the sort keys of an attempt's segments begin with."""
    return f"SCAN#{analysis.scan_id}#SEGMENT#{analysis.attempt:02}#"


def totals_key(record: Record) -> dict[str, str]:
    """Return the key of the totals item that counts a record."""
    return {"pk": f"SCAN#{record.scan_id}", "sk": f"TOTALS#{shard(record.video.id, TOTALS_SHARDS)}"}


def running_key(record: Record) -> dict[str, str]:
    """Return the key of the item that says that a record's analysis runs."""
    return running_key_of(record.analysis)


def running_key_of(analysis: Analysis) -> dict[str, str]:
    """Return the key of the item that says that an analysis runs."""
    return {"pk": RUNNING_PK, "sk": f"{analysis.video_id}#{analysis.scan_id}#{analysis.attempt}"}


def waiting_pk(scan_id: str, number: int) -> str:
    """Return the partition of the index `work` that holds a shard of a scan's waiting records."""
    return f"WAITING#{scan_id}#{number}"


def scan_shard_pk(scan_id: str, number: int) -> str:
    """Return the partition of the index `by_scan` that holds a shard of a scan's records."""
    return f"{scan_id}#{number}"


def scan_state_prefix(state: State) -> str:
    """Return what the sort keys of the index `by_scan` begin with for a state."""
    return f"{state.value}#"


def video_and_state(scan_sort_key: str) -> tuple[str, State]:
    """Return video id and state of a record by its sort key in the index `by_scan`."""
    state, _, video_id = scan_sort_key.partition("#")
    return video_id, State(state)


# The attributes that `analysed` reads.
ANALYSED = ("scan_sk", "etag")


def analysed(item: Item) -> tuple[str, str] | None:
    """Return video id and etag of a record that was analysed to the end, None of any other."""
    video_id, state = video_and_state(str(item["scan_sk"]))
    return (video_id, str(item.get("etag", ""))) if state in (State.CLEAN, State.FLAGGED) else None


def index_attributes(record: Record) -> dict[str, str]:
    """Return the attributes by which the indexes find a record in its state."""
    number = shard(record.video.id, INDEX_SHARDS)
    found = {
        "scan_pk": scan_shard_pk(record.scan_id, number),
        "scan_sk": scan_state_prefix(record.state) + record.video.id,
    }
    if record.state is State.WAITING:
        found |= {"work_pk": waiting_pk(record.scan_id, number), "work_sk": _by_time(record.queued_at, record)}
    elif record.mail_due:
        found |= {"work_pk": MAIL_PK, "work_sk": _by_time(record.finished_at, record)}
    return found


def _by_time(at: float | None, record: Record) -> str:
    return f"{round((at or 0.0) * 1000):013}#{record.video.id}"


# --- records -----------------------------------------------------------------------------------------------------------


def record_item(record: Record) -> dict[str, Any]:
    """Return the whole item of a record."""
    return {**record_key(record.video.id, record.scan_id), **index_attributes(record), **record_attributes(record)}


def waiting_from(item: Item) -> Record:
    """Return a waiting record as far as an item of the index `work` knows it: enough to send its message and to find it again."""
    return Record(
        video=Video(item["bucket"], item["key"], item.get("version_id")),
        scan_id=names_of_record(item)[1],
        state=State.WAITING,
        attempt=int(item["attempt"]),
        lane=Lane(item["lane"]),
        queued_at=int(str(item["work_sk"]).partition("#")[0]) / 1000,
    )


def before(at: float) -> str:
    """Return what the sort keys of the index `work` are below for everything sooner than a time."""
    return f"{max(0, round(at * 1000)):013}"


def record_attributes(record: Record) -> dict[str, Any]:
    """Return what a record knows, by attribute name, without keys and index attributes."""
    return present(
        {
            "video_id": record.video.id,
            "scan_id": record.scan_id,
            "bucket": record.video.bucket,
            "key": record.video.key,
            "version_id": record.video.version_id,
            "state": record.state.value,
            "attempt": record.attempt,
            "lane": record.lane.value,
            "batch_job_id": record.batch_job_id,
            "rekognition_job_id": record.rekognition_job_id,
            "queued_at": record.queued_at,
            "start_tried_at": record.start_tried_at,
            "start": None if record.start is None else present(asdict(record.start)),
            "started_at": record.started_at,
            "finished_at": record.finished_at,
            "model_version": record.model_version,
            "policy_hash": record.policy_hash,
            "duration_ms": record.duration_ms,
            "labels": [present(asdict(label)) for label in record.labels] or None,
            "gap_ms": record.gap_ms,
            "counted": list(record.counted) or None,
            "mail_due": record.mail_due or None,
            "changed_during_scan": record.changed_during_scan or None,
            "refusals": record.refusals or None,
            "refused_since": record.refused_since,
            "hits_key": record.hits_key,
            "hits_count": record.hits_count,
            **facts_attributes(record.facts),
            **problem_attributes(record.problem),
        }
    )


def facts_attributes(facts: ObjectFacts | None) -> dict[str, Any]:
    """Return how an object looked, by attribute name."""
    if facts is None:
        return {}
    return present({"etag": facts.etag, "size": facts.size, "object_version_id": facts.version_id})


def problem_attributes(problem: Problem | None) -> dict[str, Any]:
    """Return why a video failed, by attribute name."""
    return {} if problem is None else {"error_code": problem.code, "error_message": problem.message}


def record_from(item: Item) -> Record:
    """Return the record that an item holds."""
    return Record(
        video=Video(item["bucket"], item["key"], item.get("version_id")),
        scan_id=item["scan_id"],
        state=State(item["state"]),
        attempt=int(item["attempt"]),
        lane=Lane(item["lane"]),
        facts=_facts(item),
        batch_job_id=item.get("batch_job_id"),
        rekognition_job_id=item.get("rekognition_job_id"),
        queued_at=number(item, "queued_at"),
        start_tried_at=number(item, "start_tried_at"),
        start=_start(item.get("start")),
        started_at=number(item, "started_at"),
        finished_at=number(item, "finished_at"),
        problem=Problem(item["error_code"], item.get("error_message", "")) if "error_code" in item else None,
        model_version=item.get("model_version"),
        policy_hash=item.get("policy_hash"),
        duration_ms=whole(item, "duration_ms"),
        labels=tuple(map(_label, item.get("labels", []))),
        gap_ms=whole(item, "gap_ms"),
        counted=tuple(item.get("counted", [])),
        mail_due=bool(item.get("mail_due")),
        changed_during_scan=bool(item.get("changed_during_scan")),
        refusals=whole(item, "refusals") or 0,
        refused_since=number(item, "refused_since"),
        hits_key=item.get("hits_key"),
        hits_count=whole(item, "hits_count"),
    )


def as_waiting(record: Record) -> dict[str, Any]:
    """Return the attributes that an item has while this attempt of a record waits: for conditions."""
    return {"state": State.WAITING.value, "attempt": record.attempt}


def _facts(item: Item) -> ObjectFacts | None:
    return ObjectFacts(item["etag"], int(item["size"]), item.get("object_version_id")) if "etag" in item else None


def _start(start: Item | None) -> StartParameters | None:
    if start is None:
        return None
    return StartParameters(start.get("version_id"), float(start["min_confidence"]), start["topic_arn"], start["role_arn"])


def start_attribute(start: StartParameters) -> dict[str, Any]:
    """Return start parameters as the attribute `start`."""
    return present(asdict(start))


def _label(item: Item) -> LabelSummary:
    return LabelSummary(
        name=item["name"],
        parent=item["parent"],
        level=int(item["level"]),
        confidence=float(item["confidence"]),
        milliseconds=int(item["milliseconds"]),
        first_ms=int(item["first_ms"]),
    )


# --- segments ----------------------------------------------------------------------------------------------------------


def segment_items(record: Record, segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return the items of segments, each with the columns of the first table in its own words too (`Name`, `Timestamp`, ...)."""
    moment = record.finished_at or 0.0
    date = datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    return [_segment_item(record, segment, date) for segment in segments]


def _segment_item(record: Record, segment: Segment, date: str) -> dict[str, Any]:
    return {
        "pk": record_key(record.video.id, record.scan_id)["pk"],
        "sk": f"{segments_prefix(record.analysis)}{segment.start_ms:09}#{segment.label}",
        **{name: _plain(value) for name, value in asdict(segment).items()},
        "Name": segment.label,
        "ParentName": segment.parent,
        "Timestamp": segment.start_ms,
        "Confidence": _plain(segment.confidence),
        "Video": record.video.key,
        "Date": date,
    }


def segment_from(item: Item) -> Segment:
    """Return the segment that an item holds."""
    return Segment(
        label=item["label"],
        parent=item["parent"],
        level=int(item["level"]),
        start_ms=int(item["start_ms"]),
        end_ms=int(item["end_ms"]),
        confidence=float(item["confidence"]),
        hits=int(item["hits"]),
    )


# --- values ------------------------------------------------------------------------------------------------------------


def present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that are not None, in values that DynamoDB takes."""
    return {name: _plain(value) for name, value in attributes.items() if value is not None}


def _plain(value: object) -> object:
    """Return a float as Decimal: DynamoDB's numbers are decimal, and boto3 refuses floats."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def number(item: Item, name: str) -> float | None:
    """Return a number with a fraction, or None where it is absent."""
    return float(item[name]) if name in item else None


def whole(item: Item, name: str) -> int | None:
    """Return a whole number, or None where it is absent."""
    return int(item[name]) if name in item else None
