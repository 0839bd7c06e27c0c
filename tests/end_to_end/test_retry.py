"""Retry, end to end: what failed is repaired and retried under the same scan, and nothing else is started twice."""

from collections import Counter

import pytest

from tests.end_to_end.conftest import run_tool
from tools.emulator.samples import CardAt, Clip, cut_short, encode, tiny_clip
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
SETTINGS = EmulatorSettings(
    speed=60.0,
    analysis_base_seconds=3.0,
    batch_preparing_seconds=1.0,
    account_concurrency=100,
    function_wall_seconds=30.0,
    snap_start=True,
)
"""A world in a hurry on a busy machine: no invocation is to meet a limit that is the machine's."""

CLEAN = "clean, 100% + \u202e.mp4"
FLAGGED = "flagged <script>.mp4"
EMPTY = "empty.mp4"
ARCHIVED = '=archived, "at first";.mp4'
CUT = "cut short 🎬.mp4"


class Company:
    """A world with a deployed stack, and a person who runs the tools."""

    def __init__(self, world, directory):
        self.world = world
        self.s3 = world.client("s3")
        self._directory = directory

    def put(self, key, body, **more):
        """Store an object."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)

    def run(self, *arguments):
        """Run one of the tools to its end and return its output."""
        folders = {"VIDEO_MODERATION_MANIFESTS": str(self._directory / "manifests")}
        variables = {"VIDEO_MODERATION_POLL_SECONDS": "0.5", **folders, **self.world.environment()}
        return run_tool(arguments[0], arguments[1:], variables, (0, 3))

    def started(self):
        """Return how many Rekognition jobs were ever opened for each key."""
        return Counter(job.key for job in self.world.rekognition.ledger.jobs)


@pytest.fixture(scope="module", name="company")
def _company(assembly, tmp_path_factory):
    """Deploy the stack into a world with a small library, two videos of which cannot be analysed as they are."""
    directory = tmp_path_factory.mktemp("company")
    with World(SETTINGS, directory=directory / "world") as world:
        world.deploy(assembly(), STACK)
        company = Company(world, directory)
        company.s3.create_bucket(Bucket=BUCKET)
        company.put(CLEAN, tiny_clip())
        company.put(FLAGGED, tiny_clip("Weapons"))
        company.put(EMPTY, b"")
        company.put(ARCHIVED, tiny_clip(), StorageClass="GLACIER")
        company.put(CUT, cut_short(Clip(1.0)))
        yield company


@pytest.mark.timeout(900)
def test_retry(company):
    """A scan, a retry of what is retryable, and one of all failures: each object ends right, each analysis is paid for once."""
    submitted = company.run("submit_job.py", "--bucket", BUCKET, "--yes", "--wait")
    first = company.run("review_report.py")
    begun = company.started()

    company.put(ARCHIVED, encode(Clip(2.0, (CardAt("Weapons", 96.0, 0.0, 1.0),))))
    company.put(CUT, tiny_clip())
    retryable = company.run("review_report.py", "retry", "--yes", "--wait")
    second = company.run("review_report.py")
    everything = company.run("review_report.py", "retry", "--all-failed", "--yes", "--wait")
    third = company.run("review_report.py")

    assert {ARCHIVED: "archived", CUT: "analysis-failed", EMPTY: "empty"} == reasons(first)
    assert {CLEAN: 1, FLAGGED: 1, CUT: 1} == begun
    assert {"archived": 1} == {group["reason"]: group["objects"] for group in retryable["plan"]["retried"]}
    assert {CUT: "analysis-failed", EMPTY: "empty"} == reasons(second)
    assert {FLAGGED, ARCHIVED} == {flagged["key"] for flagged in second["flagged"]}
    assert [1, 2] == [plan["plan"]["retry"] for plan in (retryable, everything)]
    assert {EMPTY: "empty"} == reasons(third)
    assert (5, True, "closed") == (third["objects"], third["adds_up"], third["status"])
    assert {submitted["scan_id"]} == {shown["scan"] for shown in (first, second, third)}
    assert {CLEAN: 1, FLAGGED: 1, ARCHIVED: 1, CUT: 2} == company.started()
    assert_history(company, submitted["scan_id"])


def assert_history(company, scan_id):
    """The retried video's history shows its attempt, and the list of scans counts it once."""
    history = company.run("review_report.py", "video", f"s3://{BUCKET}/{CUT}")
    listed = company.run("review_report.py", "list", "--since", "1d")

    [version] = history["versions"]
    assert [(scan_id, "clean", 2)] == [(record["scan"], record["state"], record["attempt"]) for record in version["records"]]
    assert [(scan_id, {"clean": 2, "flagged": 2, "failed": 0, "ineligible": 1, "cancelled": 0})] == [
        (scan["scan"], scan["videos"]) for scan in listed["scans"]
    ]


def reasons(shown):
    """Return why each failed video failed."""
    return {each["key"]: each["reason"] for each in shown["failed"] + shown["ineligible"]}
