"""Checks of the deployment itself: role, functions, lanes, topics, table, and whether starting is paused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.lib.doctor import policies
from tools.lib.doctor.case import MAPPING, REDEPLOY, TOPIC, Case
from tools.lib.doctor.findings import Finding, ok, stop, warning

_TRUSTED = "batchoperations.s3.amazonaws.com"

# The table's indexes (docs/architecture.md#the-table).
INDEXES = ("work", "by_scan")


def batch_role(case: Case) -> Iterator[Finding]:
    """Check whether the role exists, S3 Batch may assume it, and its policies allow what the job does."""
    deployment, iam = case.deployment, case.clients.iam
    name = deployment.batch_role_arn.rpartition("/")[2]
    try:
        role: Any = iam.get_role(RoleName=name)["Role"]  # the stubs type the trust policy as a text
    except iam.exceptions.NoSuchEntityException:
        yield stop(f"There is no role {name}: no job can be created.", REDEPLOY)
        return
    if _TRUSTED not in str(role.get("AssumeRolePolicyDocument", "")):
        yield stop(f"S3 Batch Operations may not assume the role {name}: it does not trust {_TRUSTED}.", REDEPLOY)
    work = f"{deployment.bucket_arn(deployment.work_bucket)}/"
    statements = case.statements(name)
    for action, resource, what in (
        ("s3:GetObject", f"{work}manifests/x.csv", "read manifests"),
        ("s3:PutObject", f"{work}reports/x/job-1/manifest.json", "write reports"),
        ("lambda:InvokeFunction", deployment.batch_invoke_function_arn, "invoke the function"),
    ):
        if not policies.allows(statements, action, resource):
            yield stop(f"The role {name} may not {what}: none of its inline policies allows {action}.", REDEPLOY)
    yield ok("S3 Batch may assume it, read manifests, write reports, invoke the function")


def functions(case: Case) -> Iterator[Finding]:
    """Check whether each function of the stack exists, is active, and was last updated successfully."""
    if not case.functions:
        yield stop(f"The stack {case.deployment.stack_name} has no functions.", REDEPLOY)
    for name, function in case.functions.items():
        if function is None:
            yield stop(f"The function {name} is gone.", REDEPLOY)
            continue
        if (state := function.get("State", "Active")) != "Active":
            why = function.get("StateReason") or "no reason given"
            # Lambda makes a function inactive after weeks without use; the first invocation wakes it, and fails.
            yield stop(f"The function {name} is {state} ({why}).", "Wait until it is active, or deploy it again.")
        if (update := function.get("LastUpdateStatus", "Successful")) == "Failed":
            why = function.get("LastUpdateStatusReason") or "no reason given"
            yield stop(f"The last update of the function {name} failed ({why}).", REDEPLOY)
        elif update == "InProgress":
            yield warning(f"The function {name} is being updated.", "Wait until the deployment is complete.")
    yield ok(f"{len(case.functions)} exist and are active")


def lanes(case: Case) -> Iterator[Finding]:
    """Check whether the event source mappings are enabled: the sweeper disables those of the lanes while starting is paused."""
    client = case.clients.functions
    identifiers = case.resources.get(MAPPING, [])
    if not identifiers:
        yield stop("The stack has no event source mapping: no analysis would ever be started.", REDEPLOY)
    for uuid in identifiers:
        try:
            mapping = client.get_event_source_mapping(UUID=uuid)
        except client.exceptions.ResourceNotFoundException:
            yield stop(f"The event source mapping {uuid} is gone: nothing reads its queue.", REDEPLOY)
            continue
        if (state := mapping.get("State", "")) not in {"Enabled", "Enabling", "Creating", "Updating"}:
            yield _disabled(case, uuid, state, mapping.get("EventSourceArn", ""))
    yield ok(f"{len(identifiers)} event source mappings are enabled")


def _disabled(case: Case, uuid: str, state: str, queue_arn: str) -> Finding:
    watching = case.deployment.watching
    if watching and watching.queue_url.rpartition("/")[2] == queue_arn.rpartition(":")[2]:
        return warning(
            f"The event source mapping {uuid} is {state}: no new upload is registered.",
            f"`aws lambda update-event-source-mapping --uuid {uuid} --enabled` enables it.",
        )
    return warning(
        f"The event source mapping {uuid} is {state}: its lane starts no analyses.",
        "`python tools/control_scan.py resume` enables it, unless someone disabled it in the console.",
    )


def topics(case: Case) -> Iterator[Finding]:
    """Check whether the topics exist."""
    sns, arns = case.clients.sns, case.resources.get(TOPIC, [])
    for arn in dict.fromkeys([case.deployment.alerts_topic_arn, *arns]):
        try:
            sns.get_topic_attributes(TopicArn=arn)
        except sns.exceptions.NotFoundException:
            yield stop(f"The topic {arn} is gone: Rekognition's notices, or the mails, would be lost.", REDEPLOY)
    yield ok(f"{len(arns)} exist")


def table(case: Case) -> Iterator[Finding]:
    """Check whether the table and its indexes are active."""
    dynamodb, name = case.clients.dynamodb, case.deployment.table_name
    try:
        described = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        yield stop(f"There is no table {name}.", REDEPLOY)
        return
    if (status := described.get("TableStatus")) not in {"ACTIVE", "UPDATING"}:
        yield stop(f"The table {name} is {status}.", "Wait until it is active.")
    indexes = {index.get("IndexName"): index.get("IndexStatus") for index in described.get("GlobalSecondaryIndexes", [])}
    for index in INDEXES:
        if index not in indexes:
            yield stop(f"The table {name} has no index {index}.", REDEPLOY)
        elif indexes[index] not in {"ACTIVE", "UPDATING"}:
            yield stop(f"The index {index} of the table {name} is {indexes[index]}.", "Wait until it is active.")
    yield ok(f"{name} and its indexes are active")


def paused(case: Case) -> Iterator[Finding]:
    """Check whether starting is paused: a scan would be registered and wait."""
    settings = case.table.control.settings()
    if settings is not None and settings.paused:
        why = f" by {settings.paused_by}: {settings.paused_reason}" if settings.paused_by else ""
        yield warning(
            f"Starting is paused{why}. A scan would be registered and wait.",
            "`python tools/control_scan.py resume` lets it start.",
        )
    yield ok("not paused")
