"""Scans that together take every branch of the functions; people in them react to what they see, not to the time."""

from dataclasses import replace

from handlers.adapters.object_marks import WRITES
from handlers.adapters.table import items, open_table
from handlers.adapters.table.expressions import deserialized_item, serialized_item
from handlers.adapters.table.scan_items import running_item, sampling_item, starting_item
from handlers.domain import upload, watch
from handlers.domain.consequence import MAX_TAGS
from handlers.domain.consequence_event import SOURCE
from handlers.domain.decision import Decision, Judgement
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.record import FEW_LOST_NOTICES, Progress, Record
from handlers.domain.states import ScanStatus, State
from handlers.flows import sample_rules
from handlers.flows.breaker import BREAKER_VIDEOS
from handlers.flows.sweep.repeat_starts import REPEAT_SECONDS
from tests.harness.line import BUCKET
from tests.harness.media import image
from tests.harness.videos import MP4, unreadable, video

WEAPONS = (2_000, "Weapons", 99.0)
SCAN, OTHER, THIRD = (f"01JDEM{number:020}" for number in (1, 2, 3))
# A bucket of which Rekognition cannot read.
FOREIGN = "amzn-s3-demo-bucket2"
VERSIONED = "amzn-s3-demo-versions"
PADDING = b" " * 400_000
LONGEST_SECONDS = 100_000.0
QUIET_SECONDS = 130.0
WAIT_SECONDS = 300.0
# A killed invocation's messages of uploads come back within 12 minutes: what is to happen on a day happens before it ends.
LAST_SECONDS = 1_200.0


def verdicts(line):
    """Every end of a video, and a video that is retried after its scan was closed."""
    line.put("clean.mp4")
    line.put("flagged.mp4", video(*[(number * 500, "Weapons", 99.0) for number in range(501)], seconds=1))
    line.put("broken.mp4", unreadable())
    line.put("notes.mp4", b"just text")
    line.put("empty.mp4", b"")
    line.client("s3").put_object(Bucket=BUCKET, Key="archived.mp4", Body=MP4, StorageClass="GLACIER")
    keys = ("clean.mp4", "flagged.mp4", "broken.mp4", "notes.mp4", "empty.mp4", "archived.mp4", "missing.mp4", "clean.mp4")
    line.between(puts_record, lambda: copy_of_the_call(line))
    create(line, line.upload_manifest(*(f"{BUCKET},{key}" for key in keys)))
    quiet(line)
    line.put("broken.mp4", video(WEAPONS))
    create(line, retry_of(line, "broken.mp4", "clean.mp4"))
    quiet(line)


def starts(line):
    """Every outcome of a Start, and lost notices and results."""
    line.client("s3").create_bucket(Bucket=FOREIGN)
    line.put("unreadable.mp4", bucket=FOREIGN)
    line.storage.forbidden.add(FOREIGN)
    for key in ("gone.mp4", "a.mp4", "b.mp4"):
        line.put(key)
    line.put("vanished.mp4", video(seconds=200))
    keys = ("gone.mp4", "a.mp4", "b.mp4", "vanished.mp4")
    line.table.control.pause("reviewer", "to have a look at what is registered")
    line.rekognition.faults.refuse_starts("AccessDeniedException")
    line.rekognition.faults.lose_start_answers(1)
    line.rekognition.faults.lose_notices(1)

    def try_again():
        create(line, retry_of(line, "a.mp4"))
        line.when(lambda: jobs_over(line), go_on)

    def go_on():
        line.client("s3").delete_object(Bucket=BUCKET, Key="gone.mp4")
        line.table.control.resume()

    create(line, line.upload_manifest(*(f"{BUCKET},{key}" for key in keys)))
    create(line, line.upload_manifest(f"{FOREIGN},unreadable.mp4", scan_id=OTHER))
    line.when(lambda: jobs_over(line) and len(records(line)) == 5, try_again)
    line.when(lambda: "vanished.mp4" in line.analysed, lambda: forget_job(line, "vanished.mp4"))
    quiet(line)


def mails(line):
    """Three flagged videos in a scan that may send one mail and loses its notices, and one in a scan that was deleted."""
    line.redeploy("sweeper", MAILS_PER_SCAN="1")
    for key in ("a.mp4", "b.mp4", "c.mp4"):
        line.put(key, video(WEAPONS))
    # A killed starter repeats a Start, whose notice is not expected: two others are still missed.
    line.rekognition.faults.lose_notices(3)
    line.table.control.pause("reviewer", "until the scan is deleted")
    line.between(closes_scan, lambda: line.table.scans.note_progress(SCAN, Progress(line.clock.now(), 0)))

    def delete():
        line.client("dynamodb").delete_item(TableName=line.table.name, Key={"pk": {"S": "SCANS"}, "sk": {"S": OTHER}})
        for _ in range(FEW_LOST_NOTICES - 1):
            line.table.scans.count_handed_over(SCAN)
        line.table.control.resume()

    create(line, line.upload_manifest(*(f"{BUCKET},{key}" for key in ("a.mp4", "b.mp4", "c.mp4"))))
    create(line, line.upload_manifest(f"{BUCKET},a.mp4", scan_id=OTHER))
    line.when(lambda: jobs_over(line) and len(records(line)) == 4 and line.table.scans.scan(SCAN).progress, delete)
    quiet(line)


def holds(line):
    """A scan that is paused while one of its videos waits for a slot, and resumed; then a lane that is purged."""
    for key in ("a.mp4", "b.mp4"):
        line.put(key, video(seconds=2))
    line.put("long.mp4", video(seconds=12))

    def pause():
        if refused(line):
            line.table.scans.pause_scan(SCAN, "by reviewer")
            line.when(lambda: held(line) and not messages(line), lambda: line.table.scans.resume_scan(SCAN))

    create(line, line.upload_manifest(f"{BUCKET},long.mp4", f"{BUCKET},a.mp4"))
    # A killed function may have kept the videos so far apart that none had to wait.
    line.when(lambda: refused(line) or (jobs_over(line) and not waiting(line)), pause)
    quiet(line)

    def purge():
        line.table.scans.pause_scan(OTHER, "by reviewer")
        # A killed starter may have hidden a message, so that the lane seems too small to be purged.
        until = line.clock.now() + WAIT_SECONDS
        line.when(lambda: line.called("sqs.PurgeQueue") or line.clock.now() > until, go_on)

    def go_on():
        line.table.control.resume()
        line.table.scans.resume_scan(OTHER)

    line.table.control.pause("reviewer", "until the lane is full")
    create(line, line.upload_manifest(f"{BUCKET},a.mp4", f"{BUCKET},b.mp4", scan_id=OTHER))
    line.when(lambda: jobs_over(line) and waiting(line) == 2, purge)
    quiet(line)


def ends(line):
    """A scan that is cancelled while an analysis of it may run, and one whose job was cancelled in the console."""
    line.put("unknown.mp4")
    line.put("a.mp4")
    line.rekognition.faults.lose_start_answers(1)
    line.rekognition.faults.lose_notices(1)

    def cancel():
        purge_lanes(line)
        line.table.scans.cancel_scan(SCAN, "by reviewer")
        line.clock.call_later(REPEAT_SECONDS, line.stop_sweeping())

    create(line, line.upload_manifest(f"{BUCKET},unknown.mp4"))
    line.when(lambda: "unknown.mp4" in line.analysed, cancel)
    quiet(line)
    line.table.control.pause("reviewer", "until the job is cancelled")
    create(line, line.upload_manifest(f"{BUCKET},a.mp4", scan_id=OTHER))
    line.when(lambda: jobs_over(line) and waiting(line) == 1, lambda: cancel_in_console(line))
    line.when(
        lambda: held(line) and not line.table.scans.scan(OTHER).mails_due,
        lambda: line.table.scans.cancel_scan(OTHER, "by reviewer"),
    )
    line.when(lambda: cancelled(line) and not waiting(line), line.table.control.resume)
    quiet(line)
    # Nothing waits now: the broken job is settled, and the scan closes.
    cancel_in_console(line)
    quiet(line)


def lost(line):
    """A lane that has lost the message of a video."""
    line.put("a.mp4")
    line.table.control.pause("reviewer", "until the message is lost")

    def lose():
        purge_lanes(line)
        line.table.control.resume()

    create(line, line.upload_manifest(f"{BUCKET},a.mp4"))
    line.when(lambda: jobs_over(line) and waiting(line) == 1, lose)
    quiet(line)


def breaker(line):
    """Starts that are refused for a fault of ours, until an operator reads the mail and repairs it."""
    for number in range(19):
        line.table.control.count_refused(f"video {number}")
    line.put("a.mp4")
    line.rekognition.faults.refuse_starts("AccessDeniedException", count=1_000)

    def fix():
        line.rekognition.faults.starts._refusals.clear()
        line.table.control.resume()

    create(line, line.upload_manifest(f"{BUCKET},a.mp4"))
    line.when(lambda: (found := line.table.control.settings()).paused and not found.mail_due, fix)
    quiet(line)


def leftovers(line):
    """The items of analyses whose records someone deleted, and fewer slots while a starter waits for a job."""
    long_ago = line.clock.now() - 3_000.0
    deleted = Record(Video(BUCKET, "deleted.mp4"), SCAN, State.RUNNING)
    for item in (running_item(deleted, "0" * 64, long_ago, repeated=False), starting_item(deleted, long_ago)):
        line.client("dynamodb").put_item(TableName=line.table.name, Item=serialized_item(item))
    line.put("waits.mp4")
    line.rekognition.faults.refuse_starts("LimitExceededException", count=6)

    def fewer():
        line.table.control.set_slots(0)
        # As if a version without the list of active scans had written the scan.
        for name in ("#CHECKED", SCAN):
            line.client("dynamodb").delete_item(TableName=line.table.name, Key={"pk": {"S": "ACTIVE"}, "sk": {"S": name}})
        line.when(lambda: not items_of(line, "STARTING"), lambda: line.table.control.set_slots(18))

    create(line, line.upload_manifest(f"{BUCKET},waits.mp4"))
    line.when(lambda: line.called("rekognition.StartContentModeration"), fewer)
    quiet(line)


def uploads(line):
    """A watched bucket: a watch that is paused, the limit of a day, uploads that are replaced, no videos, missed, and retried."""
    s3, watches = line.client("s3"), line.table.watches
    until_midnight(line)
    use_up_the_day(line)
    watches.begin(BUCKET, line.clock.now())
    line.put("missed.mp4", video(WEAPONS))
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    watches.pause_uploads(BUCKET, "reviewer")
    dead = line.outputs["UploadsDeadLettersUrl"]
    line.client("sqs").send_message(QueueUrl=dead, MessageBody="none of ours")
    for key, body in (("notes.mp4", b"just text"), ("broken.mp4", unreadable()), ("a.mp4", video(WEAPONS))):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def replace():
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=video(WEAPONS, seconds=45))
        line.when(lambda: waiting(line) == 3, lambda: watches.resume_uploads(BUCKET))

    line.when(lambda: waiting(line) == 2, replace)
    quiet(line)
    line.client("sqs").purge_queue(QueueUrl=dead)
    (broken,) = (record for record in map(record_of, records(line)) if record.video.key == "broken.mp4")
    line.client("sqs").send_message(QueueUrl=line.outputs["UploadsQueueUrl"], MessageBody=upload.retry_body(broken, 1))
    quiet(line)


def frames(line):
    """A film by frames that needs two invocations, images, and what cannot be analysed; others are refused for a fault of ours."""
    short_invocations(line)
    line.put("image.jpg", image("Weapons", 99.0))
    line.put("broken.mp4", unreadable())
    line.put("gone.mp4")
    # So long that not all of it is read at once.
    line.put("long.mp4", video(*[(at_ms, "Weapons", 99.0) for at_ms in (2_000, 7_000, 150_000, 290_000)], seconds=300) + PADDING)
    line.images.faults.refuse("AccessDeniedException", count=1_000)
    line.table.control.pause("reviewer", "to have a look at what is registered")

    def go_on():
        line.client("s3").delete_object(Bucket=BUCKET, Key="gone.mp4")
        line.table.control.resume()
        for number in range(BREAKER_VIDEOS - 1):
            line.table.control.count_refused(f"video {number}")
        line.when(lambda: (found := line.table.control.settings()).paused and not found.mail_due, fix)

    def fix():
        line.images.faults._refusals.clear()
        line.table.control.resume()
        line.table.control.count_refused("the last video")

    keys = ("image.jpg", "broken.mp4", "gone.mp4", "long.mp4")
    create(line, by_frames(line.upload_manifest(*(f"{BUCKET},{key}" for key in keys))))
    line.when(lambda: jobs_over(line) and len(records(line)) == len(keys), go_on)
    quiet(line)


def frames_held(line):
    """Films under way by frames in scans that are paused and resumed, paused and cancelled, or cancelled; one has no record."""
    long_ago = line.clock.now() - 3_000.0
    deleted = Record(Video(BUCKET, "deleted.mp4"), SCAN, State.RUNNING, engine=Engine.FRAMES)
    line.client("dynamodb").put_item(
        TableName=line.table.name, Item=serialized_item(sampling_item(deleted, long_ago, "a worker", long_ago))
    )
    line.put("resumed.mp4", video((2_000, "Weapons", 99.0), (120_000, "Weapons", 99.0), seconds=150))
    line.put("paused.mp4", video(seconds=151))
    line.put("cancelled.mp4", video(seconds=152))
    scans = line.table.scans
    line.between(progress_of("resumed.mp4"), lambda: scans.pause_scan(SCAN, "by reviewer"))
    line.between(progress_of("paused.mp4"), lambda: scans.pause_scan(OTHER, "by reviewer"))
    line.between(progress_of("cancelled.mp4"), lambda: scans.cancel_scan(THIRD, "by reviewer"))

    def go_on():
        scans.resume_scan(SCAN)
        scans.cancel_scan(OTHER, "by reviewer")

    for key, scan_id in (("resumed.mp4", SCAN), ("paused.mp4", OTHER), ("cancelled.mp4", THIRD)):
        create(line, by_frames(line.upload_manifest(f"{BUCKET},{key}", scan_id=scan_id)))
    line.when(lambda: [scan.status for scan in scans.scans()].count(ScanStatus.PAUSED) == 2 and not messages(line), go_on)
    quiet(line)


def consequences(line):
    """Tags, annotations and events of scans and decisions.

    One object is in two scans, one is replaced, one has ten tags, one has another writer.
    """
    s3 = line.client("s3")
    s3.create_bucket(Bucket=VERSIONED)
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    line.put("flagged.mp4", video(WEAPONS))
    line.put("contested.mp4", video(WEAPONS, seconds=31))
    line.put("replaced.mp4", video(WEAPONS, seconds=32))
    line.put("full.mp4", video(seconds=33))
    tag(line, "full.mp4", *map(str, range(MAX_TAGS)))
    s3.put_object(Bucket=VERSIONED, Key="kept.mp4", Body=video(WEAPONS, seconds=34))
    line.between(asks_of("s3.PutObjectTagging", "replaced.mp4"), lambda: line.put("replaced.mp4", video(seconds=35)))
    contest(line, "contested.mp4", times=WRITES)
    keys = ("flagged.mp4", "contested.mp4", "replaced.mp4", "full.mp4")
    create(line, line.upload_manifest(*(f"{BUCKET},{key}" for key in keys)))
    create(line, line.upload_manifest(f"{VERSIONED},kept.mp4", scan_id=OTHER))
    quiet(line)
    create(line, line.upload_manifest(f"{BUCKET},flagged.mp4", scan_id=THIRD))
    quiet(line)
    line.table.outbox.put_again([line.record("flagged.mp4", SCAN), line.record("flagged.mp4", THIRD)])
    quiet(line)
    s3.put_object(Bucket=VERSIONED, Key="kept.mp4", Body=video(seconds=36))
    decide(line, line.record("flagged.mp4", SCAN))
    decide(line, line.record("kept.mp4", OTHER, bucket=VERSIONED))
    quiet(line)


def repaired(line):
    """A scan whose failures by the completion report are submitted again."""
    line.put("a.mp4", video(WEAPONS))
    line.put("b.mp4")
    create(line, line.upload_manifest(f"{BUCKET},a.mp4", f"{BUCKET},b.mp4"))
    quiet(line)
    if any(job.failed for job in line.batch._jobs.values()):
        create(line, retry_of(line, "a.mp4", "b.mp4"))
        quiet(line)


def long_wait(line):
    """A video that is analysed for longer than a dead starter's message stays hidden."""
    line.put("a.mp4", video(seconds=1_500))
    create(line, line.upload_manifest(f"{BUCKET},a.mp4"))
    quiet(line)


# --- what scenarios are made of ------------------------------------------------------------------------------------------


def listen(line):
    """Return a list that gets the detail-type and the detail of each event that a program puts on the bus."""
    heard, send = [], line.events.send

    def heard_and_sent(source, detail_type, detail, *others):
        if source == SOURCE:
            heard.append((detail_type, dict(detail)))
        return send(source, detail_type, detail, *others)

    line.events.send = heard_and_sent
    return heard


def asks_of(operation, key):
    """Return what tells whether a call asks something of an object."""
    return lambda name, parameters: (name, parameters.get("Key")) == (operation, key)


def tag(line, key, *names):
    """Give an object other tags."""
    tags = [{"Key": name, "Value": "of others"} for name in names]
    line.client("s3").put_object_tagging(Bucket=BUCKET, Key=key, Tagging={"TagSet": tags})


def contest(line, key, times):
    """Let another program replace an object's tags each time before they are read again."""

    def replace_tags():
        tag(line, key, "team")
        if times > 1:
            contest(line, key, times - 1)

    def written(name, parameters):
        # What is read first has not been written yet.
        return asks_of("s3.GetObjectTagging", key)(name, parameters) and any(
            asks_of("s3.PutObjectTagging", key)(call.name, call.parameters) for call in line.calls
        )

    line.between(written, replace_tags)


def decide(line, record):
    """Decide that a video was flagged by mistake."""
    table = open_table(line.client("dynamodb"), line.outputs["TableName"], line.clock, has_outbox=True)
    about = {"video": record.video, "etag": record.facts.etag, "scan_id": record.scan_id, "attempt": record.attempt}
    by = {"note": "", "decided_by": "Ada", "decided_at": line.clock.now()}
    table.decisions.note_decisions([Decision(judgement=Judgement.FALSE_ALARM, **about, **by)])


def until_midnight(line):
    """Let the day pass but for its last minutes, which no function sees."""
    sweep_again = line.stop_sweeping()
    line.clock.longest_seconds = LONGEST_SECONDS
    line.clock.advance(watch.end_of(watch.day_of(line.clock.now())) - LAST_SECONDS - line.clock.now())
    sweep_again()


def use_up_the_day(line):
    """Let the limit of minutes of the day be reached."""
    day = {"pk": f"UPLOADS#{BUCKET}", "sk": f"DAY#{watch.day_of(line.clock.now())}", "started_ms": 120_000}
    line.client("dynamodb").put_item(TableName=line.table.name, Item=serialized_item(day))


def short_invocations(line):
    """Let invocations of `sample_frames` end after 50 images."""
    function = line.function("sample_frames")
    line.functions.put(replace(function, timeout=sample_rules.LAST_SECONDS + 50 / 5.0))


def by_frames(request):
    """Return a request for a job whose films go by frames."""
    request["Operation"]["LambdaInvoke"]["UserArguments"] |= {"engine": "frames", "interval_ms": "5000"}
    return request


def progress_of(key):
    """Return what tells whether a call writes how far a film by frames has got."""
    video_id = Video(BUCKET, key).id

    def writes_progress(name, parameters):
        updates = [action["Update"]["Key"] for action in parameters.get("TransactItems", ()) if "Update" in action]
        return any(item["pk"] == {"S": "SAMPLING"} and item["sk"]["S"].startswith(video_id) for item in updates)

    return writes_progress


def record_of(item):
    """Return the record that an item holds."""
    return items.record_from(deserialized_item(item))


def create(line, request):
    """Create a batch job."""
    return line.client("s3control").create_job(**request)["JobId"]


def records(line):
    """Return the items of all records."""
    rows = line.tables.table(line.table.name).rows.scan()
    return [row.item for row in rows if row.item["sk"]["S"].startswith("SCAN#") and row.item["sk"]["S"].count("#") == 1]


def items_of(line, partition):
    """Return the items of a partition of the table."""
    return [row.item for row in line.tables.table(line.table.name).rows.scan() if row.item["pk"]["S"] == partition]


def outbox_of(line):
    """Return the keys of what is in the outbox."""
    return [row.item["sk"] for row in line.tables.table(line.table.name).rows.scan() if row.item["pk"]["S"].startswith("OUTBOX#")]


def jobs_over(line):
    """Tell whether all batch jobs are over."""
    return all(job.status in ("Complete", "Failed", "Cancelled") for job in line.batch._jobs.values())


def retry_of(line, *keys):
    """Return a request for a job that retries videos of the scan."""
    request = line.upload_manifest(*(f"{BUCKET},{key}" for key in keys))
    request["Operation"]["LambdaInvoke"]["UserArguments"]["retry"] = "1"
    return request


def puts_record(name, parameters):
    """Tell whether a call writes the record of a waiting video."""
    return name == "dynamodb.PutItem" and parameters["Item"].get("state") == {"S": "WAITING"}


def copy_of_the_call(line):
    """Make the call in advance, as if the SDK repeated it because its answer was lost."""
    call = line.calls[-1]
    line.tables.call("PutItem", call.parameters)


def closes_scan(name, parameters):
    """Tell whether a call closes a scan."""
    puts = [action["Put"]["Item"] for action in parameters.get("TransactItems", ()) if "Put" in action]
    return name == "dynamodb.TransactWriteItems" and any(item.get("status") == {"S": "closed"} for item in puts)


def cancel_in_console(line):
    """Clone the scan's job and cancel the clone before it begins."""
    clone = line.upload_manifest(f"{BUCKET},a.mp4", scan_id=OTHER) | {"ConfirmationRequired": True}
    job_id = create(line, clone)
    line.clock.call_later(30.0, lambda: line.batch.update_job_status(job_id, "Cancelled"))
    line.table.scans.add_job(OTHER, job_id)


def purge_lanes(line):
    """Delete all messages, as in the console."""
    for url in lanes(line):
        line.client("sqs").purge_queue(QueueUrl=url)


def refused(line):
    """Tell whether Rekognition has refused a Start because all its jobs were in use."""
    return line.rekognition.ledger.start_answers["LimitExceededException"] > 0


def held(line):
    """Tell whether a scan is paused."""
    return any(scan.status is ScanStatus.PAUSED for scan in line.table.scans.scans())


def cancelled(line):
    """Tell whether the other scan is cancelled."""
    scan = line.table.scans.scan(OTHER)
    return scan is not None and scan.status is ScanStatus.CANCELLED


def messages(line):
    """Return how many messages the lanes hold."""
    return sum(depth.visible + depth.in_flight + depth.delayed for depth in line.lanes.values())


def waiting(line):
    """Return how many videos wait."""
    return sum(item["state"]["S"] == "WAITING" for item in records(line))


def lanes(line):
    """Return the URLs of both lanes."""
    environment = line.function("sweeper").environment
    return environment["NORMAL_QUEUE_URL"], environment["EXPRESS_QUEUE_URL"]


def forget_job(line, key):
    """Let Rekognition forget a job while it runs."""
    (entry,) = (entry for entry in line.rekognition.ledger.jobs if entry.key == key)
    del line.rekognition._jobs[entry.job_id]


def quiet(line):
    """Let the world continue until nothing is left to do: scans over, mails sent, lanes empty."""
    line.clock.longest_seconds = line.clock.now() - 1_700_000_000.0 + LONGEST_SECONDS
    for _ in range(2):
        line.clock.advance(QUIET_SECONDS)
        while not is_quiet(line):
            line.clock.advance(60.0)


def is_quiet(line):
    """Tell whether nothing is left to do."""
    due = [item for item in records(line) if "work_pk" in item or item["state"]["S"] == "RUNNING"]
    over = all(not scan.live and not scan.mails_due for scan in line.table.scans.scans())
    lease = line.tables.table(line.table.name).rows.get("LEASE", ("SWEEPER",))
    may_run = [*items_of(line, "STARTING"), *items_of(line, "RUNNING")]
    return not (due or may_run or outbox_of(line) or line.awaited or messages(line)) and over and lease is None and jobs_over(line)
