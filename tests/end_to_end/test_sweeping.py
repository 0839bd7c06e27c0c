"""The sweeper and control_scan.py on real scans in the offline world: the real template, functions and programs."""

import json
import time
from contextlib import closing
from email import message_from_bytes, policy

import pytest

from tests.end_to_end.conftest import LeapingClock, run_tool
from tools.emulator.samples import CardAt, Clip, encode
from tools.emulator.services.rekognition.faults import Faults
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
SPEED = 60.0
WALL_SECONDS = 400
"""For so long a test waits for something to happen: nothing here takes a tenth of it on an idle machine."""
pytestmark = pytest.mark.timeout(900)


class Deployment:
    """A world with the stack in it, and a person who runs the tools."""

    def __init__(self, world, manifests):
        self.world = world
        self.manifests = manifests
        self.outputs = {}

    def tool(self, name, *arguments):
        """Run one of the tools to its end and return its output."""
        variables = {"VIDEO_MODERATION_MANIFESTS": str(self.manifests), **self.world.environment()}
        return run_tool(name, arguments, variables, (0, 3))

    def submit(self, prefix, *, videos=1, seconds=2.0, cards=()):
        """Upload videos below a prefix, submit a scan of them, and return its id."""
        body = encode(Clip(seconds, cards, fps=2))
        for number in range(videos):
            self.world.client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/{number}.mp4", Body=body)
        return self.tool("submit_job.py", "--bucket", BUCKET, "--prefix", f"{prefix}/", "--yes")["scan_id"]

    def control(self, *arguments):
        """Run control_scan.py."""
        return self.tool("control_scan.py", *arguments)

    def until(self, true, what):
        """Wait for something, and return what it returned."""
        end = time.monotonic() + WALL_SECONDS
        while time.monotonic() < end:
            if found := true():
                return found
            time.sleep(0.2)
        raise AssertionError(f"never happened: {what}")

    def sweep(self, count):
        """Let some minutes pass, each until a sweep that began in it is over."""
        functions = self.world.client("lambda").list_functions()["Functions"]
        (sweeper,) = (each["FunctionName"] for each in functions if each["Handler"].split(".")[1] == "sweeper")
        for _ in range(count):
            since = self.world.clock.now()
            self.world.clock.leap(60.0)
            self.until(
                lambda since=since: any(run.started > since and run.ended for run in self.world.functions.ledger.all(sweeper)),
                "a sweep is over",
            )

    def item(self, pk, sk):
        """Return an item of the table as DynamoDB has it."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return (
            self.world.client("dynamodb")
            .get_item(TableName=self.outputs["TableName"], Key=key, ConsistentRead=True)
            .get("Item", {})
        )

    def scan(self, scan_id):
        """Return the item of a scan."""
        return self.item("SCANS", scan_id)

    def closed(self, scan_id):
        """Wait until a scan is over, and return its status."""
        self.until(lambda: "closed_at" in self.scan(scan_id), f"{scan_id} is over")
        return self.control("status", scan_id)

    def jobs(self, prefix):
        """Return Rekognition's own ledger of the jobs on the videos below a prefix."""
        return [job for job in self.world.rekognition.ledger.jobs if job.key.startswith(f"{prefix}/")]

    def mails(self, text):
        """Return the subjects of the mails whose body holds a text."""
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(self.world.outbox.glob("*.eml"))]
        return [str(mail["Subject"]) for mail in mails if text in mail.get_content()]


@pytest.fixture(scope="module", name="deployed")
def _deployed(assembly, tmp_path_factory):
    """Deploy the stack into a fast world that permits one mail about a flagged video per scan."""
    root = tmp_path_factory.mktemp("sweeping")
    settings = EmulatorSettings(speed=SPEED, analysis_base_seconds=30.0, function_wall_seconds=20.0, snap_start=True)
    clock = LeapingClock(SPEED)
    with closing(clock), World(settings, directory=root / "world", clock=clock) as world:
        deployment = Deployment(world, root / "manifests")
        deployment.outputs = world.deploy(assembly(mails_per_scan=1), STACK)
        world.client("s3").create_bucket(Bucket=BUCKET)
        yield deployment


def test_a_lost_notice_is_repaired(deployed):
    """A video whose notice is lost is finished, analysed once, and its scan closes with a digest."""
    deployed.world.rekognition.faults.lose_notices(1)

    closed = deployed.closed(deployed.submit("lost"))
    deployed.until(lambda: deployed.mails(closed["scan"]), "the digest is mailed")

    assert (1, "closed", 1) == (closed["videos"]["CLEAN"], closed["status"], len(deployed.jobs("lost")))
    assert ["Scan finished: 1 video, 0 flagged, 0 failed"] == deployed.mails(closed["scan"])


def test_mails_end_at_the_limit(deployed):
    """One flagged video is mailed, a mail announces the limit, and the digest names them all."""
    scan = deployed.submit("flagged", videos=3, cards=(CardAt("Weapons", 95.0, 0.0, 2.0),))

    closed = deployed.closed(scan)

    assert 3 == closed["videos"]["FLAGGED"]
    deployed.until(lambda: len(deployed.mails(scan)) >= 3, "the digest is mailed")
    subjects = deployed.mails(scan)
    assert (1, 1, 1) == tuple(sum(text in subject for subject in subjects) for text in ("Flagged", "No more mails", "3 flagged"))


def test_pause_and_resume_everything(deployed):
    """While starting is paused the lanes are not polled and nothing starts; after a resume it continues."""
    deployed.control("pause")
    functions = deployed.world.client("lambda")

    def states():
        return {mapping["State"] for mapping in functions.list_event_source_mappings()["EventSourceMappings"]}

    deployed.until(lambda: states() == {"Disabled"}, "the lanes are switched off")
    scan = deployed.submit("paused")
    deployed.until(lambda: deployed.control("status", scan)["objects"] == 1, "the scan is there")
    deployed.sweep(4)
    before = deployed.jobs("paused")

    deployed.control("resume")
    closed = deployed.closed(scan)

    assert ([], {"Enabled"}, 1) == (before, states(), closed["videos"]["CLEAN"])


def test_pause_and_resume_a_scan(deployed):
    """The messages of a paused scan are dropped, and sent again when it is resumed."""
    deployed.control("pause")
    scan = deployed.submit("held")
    deployed.control("pause", scan)
    deployed.control("resume")
    deployed.sweep(4)
    before = deployed.jobs("held")

    deployed.control("resume", scan)
    closed = deployed.closed(scan)

    assert ([], 1, 1) == (before, closed["videos"]["CLEAN"], len(deployed.jobs("held")))


def test_cancel(deployed):
    """Waiting videos of a cancelled scan are not analysed, running ones finish, and every video ends in one state."""
    deployed.control("slots", "1")
    scan = deployed.submit("cancelled", videos=4, seconds=1_800.0)
    deployed.until(lambda: deployed.jobs("cancelled"), "the first video runs")
    deployed.until(lambda: "Complete" in json.dumps(deployed.scan(scan)), "all videos are registered")

    deployed.control("cancel", scan, "--yes")
    deployed.world.clock.leap(1_800.0)
    closed = deployed.closed(scan)
    deployed.control("slots", "18")

    videos = closed["videos"]
    assert (4, "cancelled") == (sum(videos.values()), closed["status"])
    assert 1 <= videos["CANCELLED"] == 4 - len(deployed.jobs("cancelled"))


def test_slots(deployed):
    """With two slots at most two analyses run at a time, by Rekognition's ledger."""
    deployed.control("slots", "2")

    deployed.closed(deployed.submit("slots", videos=5))
    deployed.control("slots", "18")

    jobs = deployed.jobs("slots")
    assert 5 == len(jobs)
    moments = [job.opened_at for job in jobs]
    # Four starters read the count at the same time: at most three more than the slots.
    assert max(sum(job.opened_at <= at < job.closed_at for job in jobs) for at in moments) <= 2 + 3


def test_redrive(deployed):
    """An event that completion failed for good is redriven from its dead letters."""
    name = deployed.outputs["CompletionFunctionArn"].rpartition(":")[2]
    faults = deployed.world.functions.faults
    # The sweeper hands the same job over while Lambda repeats the notice: more than three tries fail before one event is dead.
    faults.fail(name, times=100)
    scan = deployed.submit("redriven")
    sqs, url = deployed.world.client("sqs"), deployed.outputs["CompletionDeadLettersUrl"]
    names = ["ApproximateNumberOfMessages"]
    deployed.until(
        lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]] != "0", "it is a dead letter"
    )
    faults.clear()

    redriven = deployed.control("redrive")
    closed = deployed.closed(scan)

    assert (True, 1) == (redriven["done"]["function"] >= 1, closed["videos"]["CLEAN"])


def test_breaker(deployed):
    """Twenty videos refused for a fault of ours pause all starting and mail the operator once; after a resume nothing is lost."""
    # A message comes back after a minute: on a busy machine some videos are refused again before others are refused once.
    deployed.world.rekognition.faults.refuse_starts("AccessDeniedException", count=1_000)
    scan = deployed.submit("breaker", videos=20)
    deployed.until(lambda: deployed.control("status", scan)["paused"], "starting is paused")
    deployed.until(lambda: deployed.mails("circuit breaker"), "the operator is mailed")
    deployed.world.rekognition.faults = Faults()

    deployed.control("resume")
    closed = deployed.closed(scan)

    assert ["Starting is paused: AccessDeniedException: Ordered by a test."] == deployed.mails("circuit breaker")
    assert (20, 20) == (closed["videos"]["CLEAN"], len(deployed.jobs("breaker")))
