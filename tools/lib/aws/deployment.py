"""Finding the deployment: all that the tools know of it comes from its stack's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import code_of
from handlers.domain import watch
from handlers.domain.watch import Watch
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

DEFAULT_STACK = "VideoModeration"

# The stack's outputs that are taken as they are, by the name that they have here.
_TEXTS = {
    "table_name": "TableName",
    "work_bucket": "WorkBucketName",
    "batch_invoke_function_arn": "BatchInvokeFunctionArn",
    "batch_role_arn": "BatchRoleArn",
    "alerts_topic_arn": "AlertsTopicArn",
    "completion_function_arn": "CompletionFunctionArn",
    "completion_dead_letters_url": "CompletionDeadLettersUrl",
    "undelivered_notices_url": "UndeliveredNoticesUrl",
    "sweeper_dead_letters_url": "SweeperDeadLettersUrl",
}
_LANES = ("NormalDeadLettersUrl", "ExpressDeadLettersUrl")

# The stack's outputs that the tools read; a contract test holds them against the template.
OUTPUTS = (*_TEXTS.values(), "SourceBuckets", *_LANES, "Slots", "AccountJobs")

# Outputs that a deployment of an earlier version lacks.
NEWER_OUTPUTS = ("Language",)

# Outputs that only a deployment with watched buckets has.
WATCH_OUTPUTS = ("UploadsQueueUrl", "UploadsDeadLettersUrl", "WatchedBuckets", "WatchRuleNames")

# Outputs that only a deployment with frames has.
_FRAMES_LANES = ("FramesDeadLettersUrl", "FramesExpressDeadLettersUrl")
FRAMES_OUTPUTS = (*_FRAMES_LANES, "ImagesPerSecond")

# Outputs that only a deployment has whose verdicts have consequences.
OUTBOX_OUTPUTS = ("OutboxQueueUrl", "OutboxDeadLettersUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How a deployment takes new uploads of the buckets that it watches.

    Attributes:
        queue_url: The queue that the uploads of all its buckets go through.
        watches: What is watched, by bucket.
        rules: The names of the EventBridge rules, by bucket.
    """

    queue_url: str
    dead_letters_url: str
    watches: Mapping[str, Watch]
    rules: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployed stack.

    Attributes:
        source_buckets: The buckets that the functions may read; `*` matches any characters, as in IAM.
        lane_dead_letters_urls: The dead-letter queues of all lanes.
        completion_dead_letters_url: Events on which the function completion finally failed.
        undelivered_notices_url: Notices that SNS could not deliver to it.
        sweeper_dead_letters_url: Sweeps that failed.
        slots: How many of the account's jobs are used unless the table's settings override it.
        account_jobs: How many jobs the account has.
        language: The code of the language of its mails; deployments older than 0.2.0 have no such output.
        watching: How it takes new uploads; None if it watches no bucket.
        images_per_second: The most images a second that all workers together send to Rekognition; None if it was deployed without
            frames.
        outbox_queue_url: Messages about consequences to be carried out; None if verdicts have none.
        outbox_dead_letters_url: Those on which the function failed; None if verdicts have none.
    """

    stack_name: str
    partition: str
    region: str
    account_id: str
    table_name: str
    work_bucket: str
    batch_invoke_function_arn: str
    batch_role_arn: str
    alerts_topic_arn: str
    source_buckets: tuple[str, ...]
    completion_function_arn: str
    lane_dead_letters_urls: tuple[str, ...]
    completion_dead_letters_url: str
    undelivered_notices_url: str
    sweeper_dead_letters_url: str
    slots: int
    account_jobs: int
    language: str = "en"
    watching: Watching | None = None
    images_per_second: float | None = None
    outbox_queue_url: str | None = None
    outbox_dead_letters_url: str | None = None

    @property
    def has_frames(self) -> bool:
        """Tell whether frames and images are analysed."""
        return self.images_per_second is not None

    @property
    def has_outbox(self) -> bool:
        """Tell whether verdicts and decisions have consequences."""
        return self.outbox_dead_letters_url is not None

    def may_read(self, bucket: str) -> bool:
        """Tell whether the deployed functions may read this bucket."""
        return any(fnmatchcase(bucket, pattern) for pattern in self.source_buckets)

    def bucket_arn(self, bucket: str) -> str:
        """Return a bucket's ARN in this deployment's partition."""
        return f"arn:{self.partition}:s3:::{bucket}"


def find(cloudformation: CloudFormationClient, stack_name: str) -> Deployment:
    """Return the deployment of this name in the client's account and Region.

    Raises:
        ToolError: The stack does not exist, is being deleted, or lacks outputs.
    """
    stack = _describe(cloudformation, stack_name)
    status = stack["StackStatus"]
    if status.startswith("DELETE_"):
        raise ToolError(
            f"The stack {stack_name} is in state {status}.", cure="Deploy it again with `make deploy` once it has been deleted."
        )
    outputs = {output.get("OutputKey", ""): output.get("OutputValue", "") for output in stack.get("Outputs", [])}
    optional = [name for names in (WATCH_OUTPUTS, FRAMES_OUTPUTS, OUTBOX_OUTPUTS) if outputs.keys() & set(names) for name in names]
    missing = [name for name in (*OUTPUTS, *optional) if not outputs.get(name)]
    if missing:
        raise ToolError(
            f"The stack {stack_name} ({status}) lacks the outputs {', '.join(missing)}: not this project's, or of another version.",
            cure="Deploy it again with `make deploy`, or name another stack with --stack.",
        )
    return _deployment(stack_name, stack.get("StackId", ""), outputs)


def _describe(cloudformation: CloudFormationClient, stack_name: str) -> StackTypeDef:
    try:
        return cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no specific code for a missing stack.
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            region = cloudformation.meta.region_name
            raise ToolError(
                f"There is no stack named {stack_name} in {region} in this account.",
                cure="Deploy it with `make deploy`, or name another one with --stack, --region and --profile.",
            ) from error
        raise


def _deployment(stack_name: str, stack_id: str, outputs: dict[str, str]) -> Deployment:
    # arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<uuid>: saves a call to STS.
    _, partition, _, region, account_id, _ = stack_id.split(":", 5)
    return Deployment(
        stack_name=stack_name,
        partition=partition,
        region=region,
        account_id=account_id,
        **{name: outputs[output] for name, output in _TEXTS.items()},
        source_buckets=tuple(name.strip() for name in outputs["SourceBuckets"].split(",") if name.strip()),
        lane_dead_letters_urls=tuple(outputs[lane] for lane in (*_LANES, *_FRAMES_LANES) if lane in outputs),
        slots=int(outputs["Slots"]),
        account_jobs=int(outputs["AccountJobs"]),
        language=outputs.get("Language") or "en",
        watching=_watching(outputs),
        images_per_second=float(outputs["ImagesPerSecond"]) if "ImagesPerSecond" in outputs else None,
        outbox_queue_url=outputs.get("OutboxQueueUrl"),
        outbox_dead_letters_url=outputs.get("OutboxDeadLettersUrl"),
    )


def _watching(outputs: Mapping[str, str]) -> Watching | None:
    if "WatchedBuckets" not in outputs:
        return None
    return Watching(
        queue_url=outputs["UploadsQueueUrl"],
        dead_letters_url=outputs["UploadsDeadLettersUrl"],
        watches=watch.parse(outputs["WatchedBuckets"]),
        rules=json.loads(outputs["WatchRuleNames"]),
    )
