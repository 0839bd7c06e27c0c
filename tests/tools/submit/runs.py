"""Running `submit_job.py` in a line, interrupted wherever a test wants, and looking at what it left."""

import itertools
import json
import re
from types import SimpleNamespace
from unittest import mock

from click.testing import CliRunner

from tests.harness.line import ACCOUNT, BUCKET
from tools import control_scan, review_report, submit_job
from tools.lib import doctor
from tools.lib.aws.clients import Clients
from tools.lib.cli import ProgramContext


class Breaking:
    """A boto3 client that counts the calls of all of them and breaks one off, before or after it was made."""

    def __init__(self, client, counter):
        self._client = client
        self._counter = counter

    def __getattr__(self, name):
        """Return what the client has; an operation with the break in it."""
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found

        def call(*args, **kwargs):
            place = next(self._counter.numbers)
            if (self._counter.at, self._counter.after) == (place, False):
                raise KeyboardInterrupt
            answer = found(*args, **kwargs)
            if (self._counter.at, self._counter.after) == (place, True):
                raise KeyboardInterrupt
            return answer

        return call


class Runs:
    """Programs run in one line."""

    def __init__(self, line, checks=doctor.CHECKS):
        self.line = line
        self._checks = checks
        self.folder = line.directory / "manifests"

    def submit(self, *arguments, at=None, after=False, **given):
        """Run `submit_job.py`; with `at` it gets Ctrl-C at its AWS call of that number, before it or after."""
        counter = SimpleNamespace(numbers=itertools.count(), at=at, after=after)

        def client(service, config=None):
            made = self.line.session.client(service, config=config)
            # The listing's own client works in threads; Ctrl-C comes to the main one.
            return made if config.parameter_validation is False else Breaking(made, counter)

        clients = Clients(SimpleNamespace(client=client))
        program_context = ProgramContext(connect=lambda _profile, _region: clients, clock=self.line.clock, interactive=False)
        measured = [] if {"--measure", "--run-plan"} & set(arguments) else ["--measure", "none"]
        arguments = ["--manifests", str(self.folder), "--yes", *measured, *arguments]
        with mock.patch.object(doctor, "CHECKS", self._checks):
            return CliRunner().invoke(submit_job.main, arguments, obj=program_context, catch_exceptions=False, **given)

    def control(self, *arguments):
        """Run `control_scan.py`."""
        return self.line._command(control_scan.main, *arguments)

    def review(self, scan_id):
        """Return the truth table of a scan: what `review_report.py --json` counts."""
        return json.loads(self.line._command(review_report.main, "--json", "--scan", scan_id).stdout)

    def truth(self, *arguments, **given):
        """Submit, wait for the end, and return the counts of the truth table and whether they add up."""
        done = self.submit(*arguments, "--wait", "--json", **given)
        assert done.exit_code in (0, 3), done.stderr
        review = self.review(json.loads(done.stdout)["scan_id"])
        return review["states"], review["adds_up"]

    def jobs(self):
        """Return the jobs there are, as (description, rows of the manifest), sorted."""
        s3control, s3 = self.line.client("s3control"), self.line.client("s3")
        found = []
        for listed in s3control.list_jobs(AccountId=ACCOUNT)["Jobs"]:
            job = s3control.describe_job(AccountId=ACCOUNT, JobId=listed["JobId"])["Job"]
            bucket, key = job["Manifest"]["Location"]["ObjectArn"].removeprefix("arn:aws:s3:::").split("/", 1)
            rows = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
            found.append((job["Description"], rows))
        return sorted(found)

    def forget(self):
        """Forget all jobs, scans and files, so that the next run begins anew."""
        self.line.batch.reset()
        table, client = self.line.outputs["TableName"], self.line.client("dynamodb")
        for scan in self.line.table.scans.scans():
            client.delete_item(TableName=table, Key={"pk": {"S": "SCANS"}, "sk": {"S": scan.id}})
        for path in self.folder.glob("*"):
            path.unlink()


def going_on(result):
    """Return the plan that a broken run says it can be gone on with, or None."""
    found = re.search(r"To continue: python tools/submit_job\.py --run-plan (\S+)", result.stderr)
    return found and found[1]


__all__ = ["BUCKET", "Breaking", "Runs", "going_on"]
