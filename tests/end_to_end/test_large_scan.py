"""Hundreds of videos in both lanes: each is analysed once, none is lost, and no account limit is exceeded.

The figures that a test prints (`pytest -s`) are those of this machine.
"""

import sys
import time
from collections import Counter

import pytest

STARTERS = 4  # two lanes, maximum concurrency 2 each
STARTS_A_SECOND = 5  # Rekognition's quota
LONG = {"analysis_base_seconds": 30.0}  # so that starters, however busy the machine is, meet the limit


class Scans:
    """A scan in each lane at the same time, submitted and followed to their ends by `submit_job.py --wait`."""

    def __init__(self, stage, *, normal, express):
        self.stage = stage
        self.made = {
            "normal": stage.put_videos("normal/", normal, flagged_every=8),
            "express": stage.put_videos("express/", express),
        }
        before, began = len(stage.world.ledger.calls()), time.monotonic()
        waiting = [self._submit("normal"), self._submit("express", "--express")]
        stage.until(lambda: len(stage.table.scans.scans()) == len(waiting), "both scans are submitted")
        self.ids = {scan.lane.value: scan.id for scan in stage.table.scans.scans()}
        for scan_id in self.ids.values():
            stage.until_final(scan_id)
        self.seconds = time.monotonic() - began
        stage.close(*self.ids.values())
        self.outputs = [stage.end(process) for process in waiting]
        self.calls = stage.world.ledger.calls()[before:]
        self.report()

    def _submit(self, lane, *more):
        arguments = ("--bucket", "amzn-s3-demo-bucket", "--prefix", f"{lane}/", "--yes", "--wait", *more)
        return self.stage.begin("submit_job.py", *arguments)

    def report(self):
        """Write what it took to stdout, which `pytest -s` shows."""
        videos = sum(map(len, self.made.values()))
        by_function = Counter(call.principal for call in self.calls).most_common()
        by_operation = Counter(f"{call.service}:{call.operation}" for call in self.calls).most_common(12)
        lines = [
            f"{videos} videos final after {self.seconds:.1f} s, {1000 * self.seconds / videos:.0f} ms each; requests per video:",
            *(f"  {count / videos:6.2f} {name}" for name, count in [*by_function, *by_operation]),
            f"  Starts were answered {dict(self.ledger.start_answers)}",
            f"  at most {self.ledger.max_open} jobs were open, {self.ledger.max_starts_in_a_second} started in a second",
        ]
        sys.stdout.write("\n" + "\n".join(lines) + "\n")

    @property
    def ledger(self):
        """The ledger of the emulated Rekognition."""
        return self.stage.world.rekognition.ledger


def assert_each_was_analysed_once(scans):
    """Compare the emulator's ledger, the table and the review with what was made."""
    for lane, made in scans.made.items():
        scan_id = scans.ids[lane]
        assert Counter(list(made)) == Counter(job.key for job in scans.stage.jobs(scan_id))
        assert made == scans.stage.states(scan_id)
        assert {record.lane.value for record in scans.stage.records(scan_id).values()} == {lane}
        review = scans.stage.review(scan_id)
        assert (review["status"], review["objects"], review["adds_up"]) == ("closed", len(made), True)
        assert {key for key, state in made.items() if state == "FLAGGED"} == {video["key"] for video in review["flagged"]}


@pytest.mark.timeout(600)
def test_a_scan_of_200_videos_over_both_lanes(stages):
    """Each of 200 videos is started once, gets its verdict and its mail if it needs one; Starts keep their pace."""
    scans = Scans(stages(), normal=160, express=40)

    assert_each_was_analysed_once(scans)
    assert scans.ledger.max_starts_in_a_second <= STARTS_A_SECOND
    assert scans.ledger.start_answers["Started"] == 200
    flagged = sum(list(made.values()).count("FLAGGED") for made in scans.made.values())
    assert flagged == len(list(scans.stage.flagged_mails()))


@pytest.mark.timeout(300)
def test_a_quota_of_five_jobs(stages):
    """With a quota of five jobs, all of them slots, at most five are open, and none is refused for long."""
    scans = Scans(stages(context={"account_jobs": 5, "slots": 5}, account_jobs=5, **LONG), normal=16, express=8)

    assert_each_was_analysed_once(scans)
    assert scans.ledger.max_open == 5
    assert scans.ledger.max_starts_in_a_second <= STARTS_A_SECOND


@pytest.mark.timeout(300)
def test_five_slots_of_twenty(stages):
    """Five slots of an account with twenty jobs are exceeded by at most the starters that counted at the same time."""
    stage = stages(**LONG)
    stage.set_slots(5)

    scans = Scans(stage, normal=16, express=8)

    assert_each_was_analysed_once(scans)
    assert 5 <= scans.ledger.max_open <= 5 + STARTERS - 1
