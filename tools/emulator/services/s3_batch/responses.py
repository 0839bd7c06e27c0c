"""S3 Batch's requests: the job operations of s3control, which moto lacks; moto parses and serialises them by botocore's model."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.s3control import urls
from moto.s3control.responses import S3ControlResponse

from tools.emulator.core import AwsError, moto_hooks, xml_answer
from tools.emulator.services.s3_batch.backend import BatchOperations
from tools.emulator.services.s3_batch.errors import bad_request
from tools.emulator.services.s3_batch.request import check_account

_PATHS = tuple(
    r"{0}/v20180820/jobs" + rest + "$"
    for rest in ("", *(r"/(?P<id>[^/]+)" + leaf for leaf in ("", "/status", "/priority", "/tagging")))
)
_CREATE_MEMBERS = (
    "AccountId",
    "ConfirmationRequired",
    "Operation",
    "Report",
    "ClientRequestToken",
    "Manifest",
    "Description",
    "Priority",
    "RoleArn",
    "Tags",
    "ManifestGenerator",
)


class JobsResponse(S3ControlResponse):  # type: ignore[misc] # moto is untyped
    """Moto's s3control with job operations by an engine, which a subclass of each installation holds."""

    engine: BatchOperations

    def call_action(self) -> Any:  # noqa: ANN401 - moto's answer
        """Answer any operation; errors go out with AWS's code and status."""
        try:
            check_account(self._get_param("AccountId"), self.engine.settings.account_id)
            if self.region != self.engine.settings.region:
                raise bad_request(f"The offline world has one Region, {self.engine.settings.region}")
            return super().call_action()
        except AwsError as error:
            return xml_answer(error)

    def create_job(self) -> ActionResult:
        given = {name: self._get_param(name) for name in _CREATE_MEMBERS}
        return ActionResult({"JobId": self.engine.create_job({name: value for name, value in given.items() if value is not None})})

    def describe_job(self) -> ActionResult:
        return ActionResult({"Job": self.engine.describe_job(self._get_param("JobId"))})

    def list_jobs(self) -> ActionResult:
        statuses, most, token = (self._get_param(name) for name in ("JobStatuses", "MaxResults", "NextToken"))
        jobs, next_token = self.engine.list_jobs(statuses or (), most, token)
        return ActionResult({"Jobs": jobs, "NextToken": next_token})

    def update_job_status(self) -> ActionResult:
        names = ("JobId", "RequestedJobStatus", "StatusUpdateReason")
        return ActionResult(self.engine.update_job_status(*(self._get_param(name) for name in names)))

    def update_job_priority(self) -> ActionResult:
        return ActionResult(self.engine.update_job_priority(self._get_param("JobId"), self._get_param("Priority")))

    def get_job_tagging(self) -> ActionResult:
        tags = self.engine.job_tags(self._get_param("JobId"))
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags]})

    def put_job_tagging(self) -> ActionResult:
        self.engine.put_job_tags(self._get_param("JobId"), self._get_param("Tags") or [])
        return EmptyResult()

    def delete_job_tagging(self) -> ActionResult:
        self.engine.put_job_tags(self._get_param("JobId"), [])
        return EmptyResult()


def hooks(engine: BatchOperations) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks with which an engine answers the job operations."""
    installed: type[JobsResponse] = type("InstalledJobsResponse", (JobsResponse,), {"engine": engine})
    return tuple(moto_hooks.Route(urls, path, installed.dispatch) for path in _PATHS)
