"""S3 Batch's requests: the job operations of s3control, which moto lacks.

moto itself parses and serializes, by botocore's model. When its backend is reset, the engine forgets its jobs at the next request:
the mark that the engine leaves in the backend's state is gone then.
"""

from __future__ import annotations

from typing import Any, ClassVar

from moto.core.responses import ActionResult, EmptyResult
from moto.s3control import s3control_backends, urls
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
_MARK = "batch_operations_of_the_offline_world"


class JobsResponse(S3ControlResponse):  # type: ignore[misc]  # moto's annotations are not followed (pyproject)
    """Answers the job operations; every other one is moto's. `hooks` makes a subclass that has the `engine`."""

    engine: ClassVar[BatchOperations]
    marked: ClassVar[bool] = False

    def call_action(self) -> Any:  # noqa: ANN401 -- moto's own type for a response
        """Answer one request; a refusal goes out with AWS's code and status."""
        try:
            self._look_for_reset()
            check_account(self._get_param("AccountId"), self.engine.settings.account_id)
            if self.region != self.engine.settings.region:
                raise bad_request(f"The offline world has one Region, {self.engine.settings.region}")
            return super().call_action()
        except AwsError as error:
            return xml_answer(error)

    def create_job(self) -> ActionResult:
        """Answer CreateJob."""
        given = {name: self._get_param(name) for name in _CREATE_MEMBERS}
        return ActionResult({"JobId": self.engine.create_job({name: value for name, value in given.items() if value is not None})})

    def describe_job(self) -> ActionResult:
        """Answer DescribeJob."""
        return ActionResult({"Job": self.engine.describe_job(self._get_param("JobId"))})

    def list_jobs(self) -> ActionResult:
        """Answer ListJobs."""
        statuses, most, token = (self._get_param(name) for name in ("JobStatuses", "MaxResults", "NextToken"))
        jobs, next_token = self.engine.list_jobs(statuses or (), most, token)
        return ActionResult({"Jobs": jobs, "NextToken": next_token})

    def update_job_status(self) -> ActionResult:
        """Answer UpdateJobStatus."""
        names = ("JobId", "RequestedJobStatus", "StatusUpdateReason")
        return ActionResult(self.engine.update_job_status(*(self._get_param(name) for name in names)))

    def update_job_priority(self) -> ActionResult:
        """Answer UpdateJobPriority."""
        return ActionResult(self.engine.update_job_priority(self._get_param("JobId"), self._get_param("Priority")))

    def get_job_tagging(self) -> ActionResult:
        """Answer GetJobTagging."""
        tags = self.engine.job_tags(self._get_param("JobId"))
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags]})

    def put_job_tagging(self) -> ActionResult:
        """Answer PutJobTagging."""
        self.engine.put_job_tags(self._get_param("JobId"), self._get_param("Tags") or [])
        return EmptyResult()

    def delete_job_tagging(self) -> ActionResult:
        """Answer DeleteJobTagging."""
        self.engine.put_job_tags(self._get_param("JobId"), [])
        return EmptyResult()

    def _look_for_reset(self) -> None:
        state = s3control_backends[self.engine.settings.account_id][self.partition].__dict__
        if state.get(_MARK) is self.engine:
            return
        if self.marked:
            self.engine.reset()
        state[_MARK] = self.engine
        type(self).marked = True


def hooks(engine: BatchOperations) -> tuple[moto_hooks.Hook, ...]:
    """Return what has the job operations answered by an engine."""
    installed: type[JobsResponse] = type("InstalledJobsResponse", (JobsResponse,), {"engine": engine})
    return tuple(moto_hooks.Route(urls, path, installed.dispatch) for path in _PATHS)
