"""How many concurrent Lambda invocations S3 Batch has for itself, and how many a deployment should reserve for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tools.lib.aws import Clients, deployment
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# A lane starts fewer than two videos a second and a registration takes a second or two: more would only fill the lane sooner.
ENOUGH = 10

# Invocations that must stay unreserved in an account (docs/aws.md#10-lambda).
UNRESERVED = 100


def reserved(functions: LambdaClient, function: str) -> int | None:
    """Return the reserved concurrency of a function, None if it has none."""
    # The stubs say that the member is always there.
    answer: Mapping[str, Any] = functions.get_function_concurrency(FunctionName=function)
    return answer.get("ReservedConcurrentExecutions")


def to_reserve(clients: Clients, stack_name: str) -> tuple[int | None, str]:
    """Return how many to reserve, None where the account allows none, and a sentence."""
    limit = clients.functions.get_account_settings()["AccountLimit"]
    free = limit.get("UnreservedConcurrentExecutions", 0) + _reserved_now(clients, stack_name)
    if free <= UNRESERVED:
        return None, (
            f"The account has {free:,} concurrent Lambda invocations to spare, and {UNRESERVED} cannot be reserved: "
            "S3 Batch may use all of them. Service Quotas takes requests for a higher limit."
        )
    number = min(ENOUGH, free - UNRESERVED)
    return number, (
        f"Reserving {number:,} of the account's {free:,} free concurrent Lambda invocations for S3 Batch, so that other "
        'functions keep the rest; "batch_concurrency" in cdk.json sets another number.'
    )


def _reserved_now(clients: Clients, stack_name: str) -> int:
    """Return what a deployment already reserves, which the account's number of free invocations lacks."""
    try:
        function = deployment.find(clients.cloudformation, stack_name).batch_invoke_function_arn
    except ToolError:  # the first deployment, or one that failed
        return 0
    return reserved(clients.functions, function) or 0
