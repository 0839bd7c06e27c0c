"""Checks of the account and its Region: concurrency, quotas, jobs in progress, and whether Rekognition is available."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.domain.console import console_site
from tools.lib.aws import ACTIVE_JOBS, open_jobs
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.doctor.reservation import ENOUGH, reserved
from tools.lib.text import counted, per_second

# Rekognition's default quota of concurrent stored-video jobs in an account (docs/aws.md#7-rekognition).
ACCOUNT_JOBS = 20

# Rekognition's default quota of DetectModerationLabels calls a second, in these Regions and in all others (the same page).
IMAGES_PER_SECOND = {"us-east-1": 50, "us-west-2": 50, "eu-west-1": 50}
IMAGES_PER_SECOND_ELSEWHERE = 5

# Regions that have Rekognition without its video operations (docs/aws.md#7-rekognition).
WITHOUT_VIDEO = frozenset({"ca-central-1", "il-central-1"})

# https://docs.aws.amazon.com/rekognition/latest/dg/security-data-encryption.html
_OPT_OUT = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out.html"


def concurrency(case: Case) -> Iterator[Finding]:
    """Check whether S3 Batch has invocations of its own: it takes every free one (docs/aws.md#1-s3-batch-and-lambda)."""
    client = case.clients.functions
    cure = (
        f"Run `make deploy`, which reserves {ENOUGH} where the account allows it; a new account must have its limit raised first: "
        f"{console_site(client.meta.region_name)}/servicequotas/home/services/lambda/quotas"
    )
    number = reserved(client, case.deployment.batch_invoke_function_arn)
    if number is not None:
        if not number:
            yield stop("The function that S3 Batch invokes has a reserved concurrency of 0.", cure)
        yield ok(f"S3 Batch gets {number:,} concurrent invocations (batch_concurrency)")
        return
    free = client.get_account_settings()["AccountLimit"].get("UnreservedConcurrentExecutions", 0)
    yield warning(
        f"Nothing is reserved for S3 Batch: while a scan begins it takes all of the account's {free:,} free concurrent "
        "invocations, and other functions are throttled.",
        cure,
    )


def privacy(case: Case) -> Iterator[Finding]:  # noqa: ARG001 # only the organization's own accounts can be asked
    """Say what AWS may do with the videos; a policy of the organization decides, which no permission of the tools covers."""
    yield ok(
        "Rekognition may keep videos and use them to improve AWS's services, unless the organization has opted out of that; "
        f"this was not checked. See {_OPT_OUT}"
    )


def analysis_jobs(case: Case) -> Iterator[Finding]:
    """Check whether the account has as many Rekognition jobs as the deployment counts on; Service Quotas may not list them."""
    ours, quota = case.deployment.account_jobs, _listed_quota(case, _is_of_jobs)
    if quota is not None and quota < ours:
        yield warning(
            f"The deployment counts on {counted(ours, 'job')} at a time; the account has {quota:,.0f}.",
            f'Set "account_jobs" in cdk.json to {quota:,.0f} and run `make deploy`.',
        )
    if quota is None and ours > ACCOUNT_JOBS:
        yield warning(
            f"The deployment counts on {counted(ours, 'job')} at a time; AWS's default is {ACCOUNT_JOBS}, and Service Quotas lists "
            "no value.",
            "Make sure that AWS Support has raised the quota.",
        )
    yield ok(f"{counted(ours, 'job')} at a time ({_source(quota)})")


def image_pace(case: Case) -> Iterator[Finding]:
    """Check whether the account's quota of images a second covers the deployment's pace, which matters with frames only."""
    ours = case.deployment.images_per_second
    if ours is None:
        yield ok("not used: deployed without frames")
        return
    quota = _listed_quota(case, _is_of_images)
    allowed = IMAGES_PER_SECOND.get(case.deployment.region, IMAGES_PER_SECOND_ELSEWHERE) if quota is None else quota
    if ours > allowed:
        yield warning(
            f"The deployment analyses up to {per_second(ours, 'image')}; the account's quota is {allowed:,.0f} ({_source(quota)}).",
            f'Set "images_per_second" in cdk.json to {allowed:,.0f} and run `make deploy`, or have AWS Support raise the quota.',
        )
    yield ok(f"{per_second(ours, 'image')} of {allowed:,.0f} ({_source(quota)})")


def _source(quota: float | None) -> str:
    return "AWS's default; Service Quotas lists no value" if quota is None else f"Service Quotas says {quota:,.0f}"


def _listed_quota(case: Case, is_meant: Callable[[str], bool]) -> float | None:
    """Return a quota of Rekognition by its name in lower case, None where Service Quotas lists none or may not be asked."""
    try:
        pages = case.clients.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="rekognition")
        quotas: list[Any] = [quota for page in pages for quota in page["Quotas"]]
    except (ClientError, BotoCoreError):
        return None
    return min((quota["Value"] for quota in quotas if is_meant(str(quota.get("QuotaName", "")).lower())), default=None)


def _is_of_jobs(name: str) -> bool:
    return "concurrent" in name and "job" in name and "stored video" in name


def _is_of_images(name: str) -> bool:
    return "detectmoderationlabels" in name


def batch_jobs(case: Case) -> Iterator[Finding]:
    """Check how many S3 Batch jobs of the account are in progress."""
    count = open_jobs(case.clients.s3control, case.deployment.account_id)
    text = f"{count} in progress in the account, of {ACTIVE_JOBS} that may be active"
    if count >= ACTIVE_JOBS:
        yield warning(f"{text}: another one would wait.", "Wait for one to end, or cancel it in the console.")
    yield ok(text)


def region(case: Case) -> Iterator[Finding]:
    """Check whether Rekognition analyses videos in the deployment's Region."""
    here = case.deployment.region
    if here in WITHOUT_VIDEO:
        yield stop(
            f"Rekognition does not analyse videos in {here}.",
            "Deploy where it does, for instance in us-east-1 or eu-west-1; the videos must be in the same Region.",
        )
    elif here not in case.clients.regions("rekognition"):
        yield warning(
            f"boto3 does not know of Rekognition in {here}.",
            "See https://docs.aws.amazon.com/general/latest/gr/rekognition.html, or upgrade boto3 if it is there.",
        )
    yield ok(f"Rekognition is in {here}")
