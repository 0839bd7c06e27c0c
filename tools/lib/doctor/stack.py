"""Looking at the deployment itself: role, functions, lanes, topics, table, and whether starting is paused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.lib.doctor import policies
from tools.lib.doctor.case import MAPPING, REDEPLOY, TOPIC, Case
from tools.lib.doctor.findings import Finding, ok, stop, unless, warning

_ROLE = "batch role"
_TRUSTED = "batchoperations.s3.amazonaws.com"

# The table's indexes (docs/architecture.md#the-table).
INDEXES = ("work", "by_scan")


def batch_role(case: Case) -> list[Finding]:
    """Look whether the role exists, S3 Batch may take it, and it may read manifests, write reports and invoke the function."""
    deployment, iam = case.deployment, case.clients.iam
    name = deployment.batch_role_arn.rpartition("/")[2]
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return [stop(_ROLE, f"There is no role {name}: no job can be created.", REDEPLOY)]
    return unless(_role_faults(case, role), ok(_ROLE, "S3 Batch may take it, read manifests, write reports, invoke the function"))


def _role_faults(case: Case, role: Any) -> Iterator[Finding]:  # noqa: ANN401 - the stubs type the trust policy as a text
    deployment = case.deployment
    trust = str(role.get("AssumeRolePolicyDocument", ""))
    if _TRUSTED not in trust:
        yield stop(_ROLE, f"S3 Batch Operations may not take the role {role['RoleName']}: it does not trust {_TRUSTED}.", REDEPLOY)
    work = f"{deployment.bucket_arn(deployment.work_bucket)}/"
    statements = case.statements(role["RoleName"])
    for action, resource, what in (
        ("s3:GetObject", f"{work}manifests/x.csv", "read manifests"),
        ("s3:PutObject", f"{work}reports/x/job-1/manifest.json", "write reports"),
        ("lambda:InvokeFunction", deployment.batch_invoke_function_arn, "invoke the function"),
    ):
        if not policies.allows(statements, action, resource):
            yield stop(_ROLE, f"The role {role['RoleName']} may not {what}: no policy of its own allows {action}.", REDEPLOY)


def functions(case: Case) -> list[Finding]:
    """Look whether each function of the stack exists, is active, and was last updated successfully."""
    found = case.functions
    if not found:
        return [stop("functions", f"The stack {case.deployment.stack_name} has no functions.", REDEPLOY)]
    return unless(_function_faults(case), ok("functions", f"{len(found)} are there and active"))


def _function_faults(case: Case) -> Iterator[Finding]:
    for name, function in case.functions.items():
        if function is None:
            yield stop("functions", f"The function {name} is gone.", REDEPLOY)
            continue
        if (state := function.get("State", "Active")) != "Active":
            why = function.get("StateReason") or "no reason given"
            # An inactive function is one that was not used for weeks; the first invocation wakes it, and fails.
            yield stop("functions", f"The function {name} is {state} ({why}).", "Wait until it is active, or deploy it again.")
        if (update := function.get("LastUpdateStatus", "Successful")) == "Failed":
            why = function.get("LastUpdateStatusReason") or "no reason given"
            yield stop("functions", f"The last update of the function {name} failed ({why}).", REDEPLOY)
        elif update == "InProgress":
            yield warning("functions", f"The function {name} is being updated.", "Wait until the deployment is over.")


def lanes(case: Case) -> list[Finding]:
    """Look whether the mappings of the lanes to the starter are enabled: the sweeper disables them while starting is paused."""
    return unless(_lane_faults(case), ok("lanes", f"{len(case.resources.get(MAPPING, []))} event source mappings are enabled"))


def _lane_faults(case: Case) -> Iterator[Finding]:
    client = case.clients.functions
    identifiers = case.resources.get(MAPPING, [])
    if not identifiers:
        yield stop("lanes", "The stack has no event source mapping: no analysis would ever be started.", REDEPLOY)
    for uuid in identifiers:
        try:
            state = client.get_event_source_mapping(UUID=uuid).get("State", "")
        except client.exceptions.ResourceNotFoundException:
            yield stop("lanes", f"The event source mapping {uuid} is gone: its lane stands still.", REDEPLOY)
            continue
        if state not in {"Enabled", "Enabling", "Creating", "Updating"}:
            yield warning(
                "lanes",
                f"The event source mapping {uuid} is {state}: its lane stands still.",
                "`python tools/control_scan.py resume` turns it on, unless somebody turned it off in the console.",
            )


def topics(case: Case) -> list[Finding]:
    """Look whether the topics exist."""
    return unless(_topic_faults(case), ok("topics", f"{len(case.resources.get(TOPIC, []))} are there"))


def _topic_faults(case: Case) -> Iterator[Finding]:
    sns = case.clients.sns
    for arn in dict.fromkeys([case.deployment.alerts_topic_arn, *case.resources.get(TOPIC, [])]):
        try:
            sns.get_topic_attributes(TopicArn=arn)
        except sns.exceptions.NotFoundException:
            yield stop(
                "topics",
                f"The topic {arn} is gone: no function would be notified of an analysis' end, and no one of what it found.",
                REDEPLOY,
            )


def table(case: Case) -> list[Finding]:
    """Look whether the table and its indexes are active."""
    return unless(_table_faults(case), ok("table", f"{case.deployment.table_name} and its indexes are active"))


def _table_faults(case: Case) -> Iterator[Finding]:
    dynamodb, name = case.clients.dynamodb, case.deployment.table_name
    try:
        described = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        yield stop("table", f"There is no table {name}.", REDEPLOY)
        return
    if (status := described.get("TableStatus")) not in {"ACTIVE", "UPDATING"}:
        yield stop("table", f"The table {name} is {status}.", "Wait until it is active.")
    indexes = {index.get("IndexName"): index.get("IndexStatus") for index in described.get("GlobalSecondaryIndexes", [])}
    for index in INDEXES:
        if index not in indexes:
            yield stop("table", f"The table {name} has no index {index}.", REDEPLOY)
        elif indexes[index] not in {"ACTIVE", "UPDATING"}:
            yield stop("table", f"The index {index} of the table {name} is {indexes[index]}.", "Wait until it is active.")


def paused(case: Case) -> list[Finding]:
    """Look whether starting is paused: a scan would be registered and wait."""
    settings = case.table.control.settings()
    if settings is None or not settings.paused:
        return [ok("starting", "not paused")]
    why = f" by {settings.paused_by}: {settings.paused_reason}" if settings.paused_by else ""
    return [
        warning(
            "starting",
            f"Starting is paused{why}. A scan would be registered and wait.",
            "`python tools/control_scan.py resume` goes on.",
        )
    ]
