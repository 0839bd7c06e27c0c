"""`--suspended`: the job waits for a confirmation."""

import json

from tests.harness.line import ACCOUNT, BUCKET


def test_a_suspended_job_waits_for_a_confirmation(runs):
    """With --suspended nothing is handed over before somebody confirms the job."""
    output = json.loads(runs.submit("--bucket", BUCKET, "--suspended", "--json").stdout)
    s3control = runs.line.client("s3control")
    job = {"AccountId": ACCOUNT, "JobId": output["job_id"]}
    runs.line.clock.advance(120.0)
    before = s3control.describe_job(**job)["Job"]["Status"]

    s3control.update_job_status(**job, RequestedJobStatus="Ready")
    runs.line.clock.advance(120.0)

    assert ("Suspended", "Complete") == (before, s3control.describe_job(**job)["Job"]["Status"])
