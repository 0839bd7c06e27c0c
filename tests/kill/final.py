"""What is left of a scan when the world is quiet, and the differences between two such ends."""

import json
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from boto3.dynamodb.types import TypeDeserializer

from handlers.domain.consequence import ANNOTATION
from handlers.flows.sample_rules import IMAGES_KEPT
from tests.harness.line import BUCKET
from tests.kill.scenarios import VERSIONED

FINAL = {"CLEAN", "FLAGGED", "FAILED", "CANCELLED"}
# Attributes of a record that a repeated step may leave otherwise, beside all times.
TRANSIENT = {"rekognition_job_id", "refusals", "batch_job_id", "changed_during_scan", "start_shared"}
# How the subject of the mail about lost notices begins.
LOST_NOTICES = "Completion notices of scan"
# How far a film by frames got before its scan was cancelled depends on when it was.
PROGRESS = {"images", "position_ms", "model_version"}


@dataclass
class Final:
    """The end of a world: all that people and their money depend on.

    Attributes:
        records: By bucket, key and scan: state, attempt, error, verdict and whatever else a record holds, without times.
        segments: Every segment item.
        totals: Videos and milliseconds per state and scan.
        hits: What is kept of each analysis in the work bucket.
        started: Per key, scan, video id and attempt: how many jobs Rekognition's own ledger has.
        frames: What was found in frames, per analysis, in order of time.
        paid: How often each image was paid for, by the digest of its bytes, after Rekognition's own ledger.
        mails: How many of each subject.
        scans: How each scan stands, with its batch jobs.
        marks: Tags and annotation of each version of each object, where verdicts have consequences.
        events: What the event that counts says of each content and each scan, and every action that failed.
        left: What should not be there any more: messages, dead letters, running items, mails due, the sweeper's lease.
    """

    records: dict = field(default_factory=dict)
    segments: dict = field(default_factory=dict)
    totals: dict = field(default_factory=dict)
    hits: dict = field(default_factory=dict)
    started: dict = field(default_factory=dict)
    frames: dict = field(default_factory=dict)
    paid: Counter = field(default_factory=Counter)
    mails: Counter = field(default_factory=Counter)
    scans: dict = field(default_factory=dict)
    marks: dict = field(default_factory=dict)
    events: dict = field(default_factory=dict)
    left: dict = field(default_factory=dict)


def final_of(line):
    """Return the end of a line."""
    # What follows from a person's decision is in marks and events.
    items = [item for item in _items(line) if not item["sk"].startswith(("DECISION#", "DECIDED#"))]
    paid = Counter(call.digest for call in line.images.ledger.paid)
    final = Final(started=_started(line), paid=paid, mails=_mails(line), hits=_hits(line), left=dict(line.letters))
    if line.heard:
        final.marks, final.events = _marks(line), _events(line.heard)
    for item in items:
        _sort_in(item, final)
    for depth in line.lanes.values():
        _leave(final, "messages", depth.visible + depth.in_flight + depth.delayed)
    final.left = {name: count for name, count in final.left.items() if count}
    for sums in final.totals.values():
        if sums["videos"]["CANCELLED"]:
            del sums["all"]["images"]
    return final


def faults_of(final):
    """Return what is wrong with an end by itself."""
    faults = [f"left over: {name}: {count}" for name, count in final.left.items()]
    faults += [f"{name} is {record['state']}" for name, record in final.records.items() if record["state"] not in FINAL]
    counted = Counter((name[2], record["state"]) for name, record in final.records.items())
    totals = {(scan, state): count for scan, sums in final.totals.items() for state, count in sums["videos"].items() if count}
    faults += [] if counted == totals else [f"totals {totals} of records {dict(counted)}"]
    return faults + [f"{name}: {count} jobs" for name, count in final.started.items() if count > 1]


def differences(undisturbed, disturbed):
    """Return how a disturbed world ended differently from the undisturbed one; one more mail is not a difference."""
    found = faults_of(disturbed)
    for name in ("records", "segments", "totals", "hits", "started", "frames", "scans", "marks", "events"):
        found += _unequal(name, getattr(undisturbed, name), getattr(disturbed, name))
    found += _payments(undisturbed.paid, disturbed.paid)
    return found + _mail_differences(_comparable(undisturbed), _comparable(disturbed))


def _payments(undisturbed, disturbed):
    """Return how payments differ by more than one death explains: what was not written is paid again, once."""
    again = disturbed - undisturbed
    missing = undisturbed - disturbed
    too_often = [digest for digest, count in disturbed.items() if count > undisturbed[digest] + 1]
    return [
        *([f"{missing.total()} images were not paid for"] if missing else []),
        *([f"{again.total()} images were paid for again"] if again.total() > IMAGES_KEPT else []),
        *(f"{digest} was paid for {disturbed[digest]} times" for digest in too_often),
    ]


def _comparable(final):
    """Return the mails by subject; once a scan has reached its limit of mails, it is open which of its videos are mailed."""
    limited = any(scan.get("limit_told") for scan in final.scans.values())
    counts = Counter()
    for subject, count in final.mails.items():
        counts[subject.partition(" in ")[0] if limited else subject] += count
    return counts


def _mail_differences(undisturbed, disturbed):
    missing, more = undisturbed - disturbed, disturbed - undisturbed
    # Whether notices seem lost depends on when the sweeper looks, so beside a mail that is repeated there may be one about them.
    by_chance = min(1, sum(count for subject, count in more.items() if subject.startswith(LOST_NOTICES)))
    return [f"mail missing: {subject}" for subject in missing] + (
        [f"mails more: {dict(more)}"] if more.total() - by_chance > 1 else []
    )


def _unequal(name, left, right):
    return [
        f"{name} {key}: {right.get(key)!r} instead of {left.get(key)!r}"
        for key in sorted({*left, *right}, key=str)
        if left.get(key) != right.get(key)
    ]


def _items(line):
    deserializer = TypeDeserializer()
    for row in line.tables.table(line.table.name).rows.scan():
        yield {name: deserializer.deserialize(value) for name, value in row.item.items()}


def _sort_in(item, final):
    """Put an item where it belongs."""
    match item["pk"].partition("#")[0]:
        case "VIDEO" if "#SEGMENT#" in item["sk"]:
            final.segments[item["pk"], item["sk"]] = {name: value for name, value in item.items() if name != "Date"}
        case "VIDEO" if "#HITS#" in item["sk"]:
            # Which item a hit is in depends on when progress was written.
            final.frames.setdefault((item["pk"], item["sk"].rpartition("#")[0]), []).extend(item["hits"])
        case "VIDEO":
            _leave(final, "index entries", int("work_pk" in item))
            content = item["key"] + (f"@{item.get('etag')}" if "uploaded_at" in item else "")
            final.records[item["bucket"], content, item["sk"].removeprefix("SCAN#")] = _lasting(item)
        case "SCAN":
            sums = final.totals.setdefault(item["pk"].removeprefix("SCAN#"), {"videos": Counter(), "all": Counter()})
            sums["all"] += Counter({name: int(value) for name, value in item.items() if name not in ("pk", "sk")})
            sums["videos"] += Counter({state: int(item.get(state.lower(), 0)) for state in FINAL})
        case "SCANS":
            final.scans[item["sk"]] = _scan(item)
            _leave(final, "scan mails due", len(item.get("mails_due", [])))
        case "RUNNING" | "STARTING" | "SAMPLING" as kind:
            _leave(final, kind.lower(), 1)
        case "OUTBOX":
            _leave(final, "consequences", 1)
        case "LEASE":
            _leave(final, "lease", 1)
        case "SETTINGS":
            final.scans["settings"] = {name: item.get(name) for name in ("paused", "slots", "mail_due")}


def _lasting(item):
    transient = {*TRANSIENT, "refused_since", *(PROGRESS if item["state"] == "CANCELLED" else ())}
    return {name: value for name, value in item.items() if not name.endswith("_at") and name not in transient}


def _scan(item):
    return {
        "jobs": [job["status"] for job in item.get("jobs", [])],
        **{name: item.get(name) for name in ("bucket", "lane", "status", "mails_sent", "limit_told")},
    }


def _leave(final, what, count):
    final.left[what] = final.left.get(what, 0) + count


def _started(line):
    """Count jobs by tag, which is the analysis that a job was started for."""
    jobs = line.rekognition.ledger.jobs
    return dict(Counter((entry.key, *entry.tag.split("/")) for entry in jobs))


def _mails(line):
    paths = sorted(line.topics.outbox.folder.glob("*.eml"))
    return Counter(str(message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"]) for path in paths)


def _hits(line):
    work = line.outputs["WorkBucketName"]
    keys = [listed.key for listed in line.storage.list(work) if listed.key.startswith("hits/")]
    return {key: line.storage.read(work, key).body for key in keys}


def _marks(line):
    """Return what each version of each object is marked with."""
    s3 = line.client("s3")
    versions = [each for bucket in (BUCKET, VERSIONED) for each in _versions(s3, bucket)]
    return {(each["Bucket"], each["Key"], number): _marks_of(s3, each) for number, each in enumerate(versions)}


def _versions(s3, bucket):
    """Return the names of a bucket's versions, those of a key from the newest to the oldest."""
    listed = s3.list_object_versions(Bucket=bucket).get("Versions", [])
    return [{"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]} for each in listed]


def _marks_of(s3, named):
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**named)["TagSet"]}
    if not s3.list_object_annotations(**named)["Annotations"]:
        return tags, None
    payload = s3.get_object_annotation(**named, AnnotationName=ANNOTATION)["AnnotationPayload"].read()
    # Which of two scans was later depends on when a function died.
    return tags, _timeless(json.loads(payload)) | {"scanId": None}


def _events(heard):
    """Return what receivers know in the end: repetitions are none, and of two events about one content the later one counts."""
    found = {}
    for kind, detail in sorted(heard, key=lambda each: _precedence(each[1])):
        about = detail.get("s3ObjectDetails", {})
        content = (about.get("objectKey", detail["scanId"]), about.get("eTag"), detail.get("action"))
        found[kind, *content] = _timeless(detail)
    return found


def _precedence(detail):
    """Return by what receivers tell which event counts (docs/consequences.md)."""
    decision = detail.get("decision") or {}
    return decision.get("decidedAt", ""), detail.get("verdictTime") or detail.get("closedTime") or ""


def _timeless(detail):
    """Return a detail without times and version ids, which differ from world to world."""
    timeless = {name: value for name, value in detail.items() if not name.endswith("Time")}
    if detail.get("decision"):
        timeless["decision"] = detail["decision"]["judgement"]
    if "s3ObjectDetails" in detail:
        timeless["s3ObjectDetails"] = detail["s3ObjectDetails"] | {"versionId": None}
    return timeless
