"""A bucket whose gate is closed, in a world that enforces it: the functions and Rekognition read in it, others do not."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from handlers.domain.consequence import TAG_KEY, ObjectStatus
from tests.end_to_end.conftest import BUCKET
from tools.emulator.samples import tiny_clip

OTHER = "arn:aws:iam::111122223333:role/other"
VIDEOS = {"closed/clean.mp4": ("CLEAN", tiny_clip()), "closed/flagged.mp4": ("FLAGGED", tiny_clip("Weapons"))}
UNMEASURED = ("--measure", "none", "--unconfirmed-mail")


@pytest.fixture(name="stage", scope="module")
def _stage(stages):
    """A stage whose bucket has two videos, both tagged as flagged, and the gate that `control_scan.py` prints."""
    stage = stages()
    for key, (_, body) in VIDEOS.items():
        stage.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Tagging=f"{TAG_KEY}={ObjectStatus.FLAGS_FOUND}")
    install(stage, stage.run("control_scan.py", "gate", BUCKET, "--policy", "deny-flagged"))
    return stage


def install(stage, document):
    """Give the bucket a policy."""
    stage.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


def as_role(world, arn):
    """Return a client of S3 that calls as a session of a role."""
    keys = world.keys.session(arn, "session")
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=world.endpoint,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.session_token,
        config=Config(proxies={}),
    )


@pytest.mark.parametrize("key", VIDEOS)
def test_others_are_shut_out(stage, key):
    """Neither another role nor the account's own user reads what is tagged as flagged."""
    for s3 in (as_role(stage.world, OTHER), stage.s3):
        with pytest.raises(ClientError, match="403"):
            s3.head_object(Bucket=BUCKET, Key=key)


def test_a_scan_is_not(stage):
    """A scan analyses every video in the closed bucket, and finds what is in it."""
    scan_id = stage.scan("closed/", *UNMEASURED)

    assert {key: state for key, (state, _) in VIDEOS.items()} == stage.states(scan_id)


def test_without_our_roles(stage):
    """The same gate without our roles shuts the functions out, which the doctor says beforehand."""
    document = json.loads(stage.s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    document["Statement"][0]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = [OTHER]
    install(stage, document)

    findings = stage.run("control_scan.py", "doctor", "--bucket", BUCKET, "--unconfirmed-mail")["findings"]
    scan_id = stage.scan("closed/", *UNMEASURED)

    assert ["warning"] == [each["level"] for each in findings if each["subject"] == "gates"]
    assert dict.fromkeys(VIDEOS, "forbidden") == {key: record.problem.code for key, record in stage.records(scan_id).items()}
