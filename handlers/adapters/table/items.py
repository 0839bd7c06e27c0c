"""Records and segments as items of the table, and back: keys, index attributes, and attribute names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from handlers.adapters.table import codec
from handlers.adapters.table.codec import present
from handlers.adapters.table.expressions import Item
from handlers.domain import Analysis, Engine, Hit, Lane, ObjectFacts, Problem, Record, Segment, State, Video, identity

# Shards of a scan in either index.
INDEX_SHARDS = 16

# Items over which a scan's totals are spread, so that transitions do not contend for one item.
TOTALS_SHARDS = 64

MAIL_PK = "MAIL"
RUNNING_PK = "RUNNING"
STARTING_PK = "STARTING"
SAMPLING_PK = "SAMPLING"

# The partition of the index `by_scan` that holds the log of decisions about any scan's videos, by the time of the write.
DECIDED_PK = "DECIDED"


# --- keys --------------------------------------------------------------------------------------------------------------


def record_key(video_id: str, scan_id: str) -> dict[str, str]:
    """Return `pk` and `sk`: one partition holds a video's records in all scans, with their segments and decisions."""
    return {"pk": f"VIDEO#{video_id}", "sk": f"SCAN#{scan_id}"}


def names_of_record(item: Item) -> tuple[str, str]:
    """Return the video id and scan id in a record's key, which every index projects."""
    return str(item["pk"]).removeprefix("VIDEO#"), str(item["sk"]).removeprefix("SCAN#")


def scan_of(item: Item) -> str:
    """Return the scan id in the key of a record, or of a segment or a hit of one."""
    return str(item["sk"]).split("#")[1]


def after_scan(scan_id: str) -> str:
    """Return a sort key between all that a scan has of a video and what the next scan has: `$` follows `#`."""
    return f"SCAN#{scan_id}$"


def segments_prefix(analysis: Analysis) -> str:
    """Return the prefix of the sort keys of an attempt's segments."""
    return f"SCAN#{analysis.scan_id}#SEGMENT#{analysis.attempt:02}#"


def totals_key(record: Record) -> dict[str, str]:
    """Return the key of the totals item that counts a record."""
    return {"pk": f"SCAN#{record.scan_id}", "sk": f"TOTALS#{identity.shard(record.video.id, TOTALS_SHARDS)}"}


def running_key(analysis: Analysis) -> dict[str, str]:
    """Return the key of the RUNNING item of an analysis."""
    return {"pk": RUNNING_PK, "sk": f"{analysis.video_id}#{analysis.scan_id}#{analysis.attempt}"}


def starting_key(analysis: Analysis) -> dict[str, str]:
    """Return the key of the STARTING item of an analysis."""
    return {**running_key(analysis), "pk": STARTING_PK}


def sampling_key(analysis: Analysis) -> dict[str, str]:
    """Return the key of the SAMPLING item of an analysis."""
    return {**running_key(analysis), "pk": SAMPLING_PK}


def hits_prefix(analysis: Analysis) -> str:
    """Return the prefix of the sort keys of an attempt's hits by frames."""
    return f"SCAN#{analysis.scan_id}#HITS#{analysis.attempt:02}#"


def hits_item(analysis: Analysis, position_ms: int, hits: tuple[Hit, ...]) -> dict[str, Any]:
    """Return the item of the hits of the frames up to a position, from the position before; writing it twice is the same."""
    key = {"pk": record_key(analysis.video_id, analysis.scan_id)["pk"], "sk": f"{hits_prefix(analysis)}{position_ms:09}"}
    return {**key, "hits": codec.stored(hits)}


def hits_from(item: Item) -> tuple[Hit, ...]:
    """Return the hits that an item holds."""
    return tuple(codec.read(Hit, each) for each in item["hits"])


def waiting_pk(scan_id: str, number: int) -> str:
    """Return the partition of the index `work` that holds a shard of a scan's waiting records."""
    return f"WAITING#{scan_id}#{number}"


def scan_shard_pk(scan_id: str, number: int) -> str:
    """Return the partition of the index `by_scan` that holds a shard of a scan's records."""
    return f"{scan_id}#{number}"


def scan_state_prefix(state: State) -> str:
    """Return the prefix of the sort keys of a state in the index `by_scan`."""
    return f"{state.value}#"


def video_and_state(scan_sort_key: str) -> tuple[str, State]:
    """Return the video id and state in a sort key of the index `by_scan`."""
    state, _, video_id = scan_sort_key.partition("#")
    return video_id, State(state)


def index_attributes(record: Record) -> dict[str, str]:
    """Return the attributes by which the indexes find a record in its state."""
    number = identity.shard(record.video.id, INDEX_SHARDS)
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
    # The index projects no etag of an upload, and what an index projects cannot be changed.
    content = "" if record.video.etag is None else f"#{record.video.etag}"
    return f"{sort_time(at or 0.0)}#{record.video.id}{content}"


# --- records -----------------------------------------------------------------------------------------------------------


def record_item(record: Record) -> dict[str, Any]:
    """Return the whole item of a record."""
    return {**record_key(record.video.id, record.scan_id), **index_attributes(record), **record_attributes(record)}


def waiting_from(item: Item) -> Record:
    """Return a waiting record with what the index `work` projects: enough to send its message and to find it again."""
    queued_ms, _, *etag = str(item["work_sk"]).split("#", 2)
    return Record(
        video=Video(item["bucket"], item["key"], item.get("version_id"), *etag),
        scan_id=names_of_record(item)[1],
        state=State.WAITING,
        attempt=int(item["attempt"]),
        lane=Lane(item["lane"]),
        queued_at=int(queued_ms) / 1000,
    )


def sort_time(at: float) -> str:
    """Return a time (epoch seconds) as sort keys have it: milliseconds, in as many digits as make their texts sort by time."""
    return f"{max(0, round(at * 1000)):013}"


def record_attributes(record: Record) -> dict[str, Any]:
    """Return a record by attribute name, without keys and index attributes."""
    known = codec.attributes(record, without=("video", "facts", "problem", *_defaults(record)))
    video = {"video_id": record.video.id, **video_attributes(record.video)}
    return video | known | facts_attributes(record.facts) | problem_attributes(record.problem)


def _defaults(record: Record) -> list[str]:
    """Return the fields that are not stored, because they have the value that they have in older items, which lack them."""
    older = {"refusals": 0, "engine": Engine.VIDEO, "images": 0}
    return [name for name, value in older.items() if getattr(record, name) == value]


def engine_of(item: Item) -> tuple[Engine, int | None]:
    """Return the engine of a record and its interval, if it has one; older items lack both."""
    interval_ms = item.get("interval_ms")
    return Engine(item.get("engine", Engine.VIDEO)), None if interval_ms is None else int(interval_ms)


def video_attributes(video: Video) -> dict[str, Any]:
    """Return a video by attribute name; `etag` is that of the object as it was last looked at."""
    return {**codec.attributes(video, without=["etag"]), **present({"video_etag": video.etag})}


def facts_attributes(facts: ObjectFacts | None) -> dict[str, Any]:
    """Return the facts of an object by attribute name."""
    if facts is None:
        return {}
    return present({"etag": facts.etag, "size": facts.size, "object_version_id": facts.version_id})


def problem_attributes(problem: Problem | None) -> dict[str, Any]:
    """Return a problem by attribute name."""
    return {} if problem is None else {"error_code": problem.code, "error_message": problem.message}


def record_from(item: Item) -> Record:
    """Return the record that an item holds."""
    facts = {**item, "version_id": item.get("object_version_id")} if "etag" in item else None
    problem = {"code": item["error_code"], "message": item.get("error_message", "")} if "error_code" in item else None
    named = {**item, "etag": item.get("video_etag")}
    return codec.read(Record, {**item, "video": named, "facts": facts, "problem": problem})


def as_waiting(record: Record) -> dict[str, Any]:
    """Return the attributes that an item has while this attempt of a record waits: for conditions."""
    return {"state": State.WAITING.value, "attempt": record.attempt}


# --- segments ----------------------------------------------------------------------------------------------------------


def segment_items(record: Record, segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return the items of segments; each also has Rekognition's and the blog's attribute names (`Name`, `Timestamp`, ...)."""
    moment = record.finished_at or 0.0
    date = datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    return [_segment_item(record, segment, date) for segment in segments]


def _segment_item(record: Record, segment: Segment, date: str) -> dict[str, Any]:
    return {
        "pk": record_key(record.video.id, record.scan_id)["pk"],
        "sk": f"{segments_prefix(record.analysis)}{segment.start_ms:09}#{segment.label}",
        **codec.attributes(segment),
        "Name": segment.label,
        "ParentName": segment.parent,
        "Timestamp": segment.start_ms,
        "Confidence": codec.stored(segment.confidence),
        "Video": record.video.key,
        "Date": date,
    }
