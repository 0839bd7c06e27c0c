"""Looking at the account and its Region: concurrency, quotas, jobs in progress, and whether Rekognition is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.lib.aws.batch_jobs import ACTIVE_JOBS, open_jobs
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, unless, warning

# S3 Batch takes every free invocation of the account (docs/aws.md#1-s3-batch-and-lambda): fewer leave too little for others.
LEAST_FREE = 100

# Rekognition's stored-video jobs of an account at a time (docs/aws.md#7-rekognition).
ACCOUNT_JOBS = 20

# Regions that have Rekognition but none of its video operations (docs/aws.md#7-rekognition).
WITHOUT_VIDEO = frozenset({"ca-central-1", "il-central-1"})


def concurrency(case: Case) -> list[Finding]:
    """Look how many invocations at a time are left to others while S3 Batch takes what is free."""
    client = case.clients.functions
    function = case.deployment.batch_invoke_function_arn
    # The stubs say that the member is always there; where nothing is reserved it is not.
    answer: Mapping[str, Any] = client.get_function_concurrency(FunctionName=function)
    if "ReservedConcurrentExecutions" in answer:
        reserved = answer["ReservedConcurrentExecutions"]
        if not reserved:
            return [stop("concurrency", "The function that S3 Batch invokes has a reserved concurrency of 0.", _CONCURRENCY_CURE)]
        return [ok("concurrency", f"S3 Batch gets {reserved:,} invocations at a time (batch_concurrency)")]
    free = client.get_account_settings()["AccountLimit"].get("UnreservedConcurrentExecutions", 0)
    if free < LEAST_FREE:
        return [
            warning(
                "concurrency",
                f"The account may run {free:,} functions at a time, and S3 Batch takes all of them: others would be throttled.",
                _CONCURRENCY_CURE,
            )
        ]
    return [ok("concurrency", f"{free:,} invocations at a time are free; S3 Batch takes what it can of them")]


_CONCURRENCY_CURE = (
    'Set "batch_concurrency" in cdk.json (50) and run `make deploy`; a new account must have its limit raised first: '
    "https://console.aws.amazon.com/servicequotas/home/services/lambda/quotas"
)


def analysis_jobs(case: Case) -> list[Finding]:
    """Look whether the account has as many Rekognition jobs as the deployment counts on; Service Quotas may not tell."""
    ours, told = case.deployment.account_jobs, _told_jobs(case)
    if told is not None and told < ours:
        return [
            warning(
                "rekognition quota",
                f"The deployment counts on {ours} jobs at a time, the account has {told:,.0f}.",
                f'Set "account_jobs" in cdk.json to {told:,.0f} and run `make deploy`.',
            )
        ]
    if told is None and ours > ACCOUNT_JOBS:
        return [
            warning(
                "rekognition quota",
                f"The deployment counts on {ours} jobs at a time; AWS's default is {ACCOUNT_JOBS}, Service Quotas does not tell.",
                "Make sure that AWS Support has raised the quota.",
            )
        ]
    seen = f"Service Quotas says {told:,.0f}" if told is not None else "unknown: Service Quotas does not tell; AWS's default"
    return [ok("rekognition quota", f"{ours} jobs at a time ({seen})")]


def _told_jobs(case: Case) -> float | None:
    """Return the quota if Service Quotas lists one for jobs on stored videos; not to be told is nothing to warn of."""
    try:
        pages = case.clients.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="rekognition")
        quotas: list[Any] = [quota for page in pages for quota in page["Quotas"]]
    except (ClientError, BotoCoreError):
        return None
    values = [quota["Value"] for quota in quotas if _is_of_jobs(str(quota.get("QuotaName", "")).lower())]
    return min(values, default=None)


def _is_of_jobs(name: str) -> bool:
    return "concurrent" in name and "job" in name and "stored video" in name


def batch_jobs(case: Case) -> list[Finding]:
    """Look how many batch jobs of the account are in progress."""
    count = open_jobs(case.clients.s3control, case.deployment.account_id)
    text = f"{count} in progress in the account, of {ACTIVE_JOBS} that may be active"
    if count >= ACTIVE_JOBS:
        return [warning("batch jobs", f"{text}: another one would wait.", "Wait for one to end, or cancel it in the console.")]
    return [ok("batch jobs", text)]


def region(case: Case) -> list[Finding]:
    """Look whether Rekognition analyses videos in the deployment's Region."""
    here = case.deployment.region
    return unless(_region_faults(case), ok("region", f"Rekognition is in {here}"))


def _region_faults(case: Case) -> Iterator[Finding]:
    here = case.deployment.region
    if here in WITHOUT_VIDEO:
        yield stop(
            "region",
            f"Rekognition analyses no videos in {here}.",
            "Deploy where it does, us-east-1 or eu-west-1 for instance; the videos must be in the same Region.",
        )
    elif here not in case.clients.regions("rekognition"):
        yield warning(
            "region",
            f"boto3 does not know of Rekognition in {here}.",
            "See https://docs.aws.amazon.com/general/latest/gr/rekognition.html, or upgrade boto3 if it is there.",
        )
