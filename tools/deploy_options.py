"""The CDK options that depend on the account, for `make deploy`: stdout has them, stderr says why."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from tools.lib.aws import DEFAULT_STACK, Clients, connect, deployment, explain
from tools.lib.cli import ExitCode
from tools.lib.errors import ToolError

ROOT = Path(__file__).resolve().parents[1]

# A lane starts fewer than two videos a second and a registration takes a second or two: more would only fill the lane sooner.
ENOUGH = 10

# Invocations that must stay unreserved in an account (docs/aws.md#10-lambda).
UNRESERVED = 100


def batch_concurrency(clients: Clients, stack_name: str) -> tuple[int | None, str]:
    """Return how many concurrent invocations to reserve for S3 Batch, None where the account allows none, and a sentence."""
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
        # The stubs say that the member is always there; where nothing is reserved it is not.
        answer: Mapping[str, Any] = clients.functions.get_function_concurrency(FunctionName=function)
    except ToolError:  # the first deployment, or one that failed
        return 0
    return int(answer.get("ReservedConcurrentExecutions", 0))


def main(arguments: Sequence[str], clients: Clients | None = None) -> int:
    """Print the options that complete those of `arguments`, which are for the CDK CLI.

    None where a number is set already, or where the caller may not see what the account allows.
    """
    options, _ = _parser().parse_known_args(arguments)
    context = {**_context(), **dict(pair.partition("=")[::2] for pair in options.context)}
    if context.get("batch_concurrency") not in (None, ""):
        return ExitCode.DONE
    try:
        number, why = batch_concurrency(clients or connect(options.profile, None), str(context.get("stack_name", DEFAULT_STACK)))
    except ToolError as error:
        return _failed(error)
    except (BotoCoreError, ClientError) as error:
        cause = explain(error)
        if fault_of(error) is not Fault.FORBIDDEN:
            return _failed(cause)
        number, why = None, f'{cause} No concurrency is reserved for S3 Batch; set "batch_concurrency" in cdk.json to reserve some.'
    sys.stderr.write(f"{why}\n")
    if number is not None:
        sys.stdout.write(f"-c batch_concurrency={number}\n")
    return ExitCode.DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/deploy_options.py", description="Complete the CDK's options.", allow_abbrev=False)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="as the CDK CLI takes it")
    parser.add_argument("--profile", help="the AWS profile, as the CDK CLI takes it")
    return parser


def _failed(error: ToolError) -> int:
    sys.stderr.write(f"Error: {error}\nCure:  {error.cure}\n")
    return ExitCode.FAILED


def _context() -> Mapping[str, Any]:
    """Return the context of cdk.json; where it is not valid JSON nothing, because `app.py` names the fault."""
    try:
        content: dict[str, Mapping[str, Any]] = json.loads((ROOT / "cdk.json").read_text("utf-8"))
    except ValueError:
        return {}
    return content.get("context", {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
