"""What the printed statements do to the roles of a whole stack and to strangers: each value of the tag, each action."""

import itertools

import pytest
from click.testing import CliRunner

from handlers.adapters.table import open_table
from handlers.domain.consequence import TAG_KEY, ObjectStatus
from tests.harness.fixtures import opened
from tests.harness.line import ACCOUNT, BUCKET, STACK
from tools.control_scan import main
from tools.emulator.services.s3 import ANYBODY, Decision, Requester, access, parse_policy
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import find
from tools.lib.cli import ProgramContext
from tools.lib.doctor import Case, Level, findings_of
from tools.lib.doctor.gates import gates
from tools.lib.gate import GatePolicy

# The functions whose roles read videos, and the one that tags them, which looks at them before and after.
READ = {"batch_invoke", "start_analysis", "new_upload", "sample_frames", "publish_verdict"}
TAGS = {"publish_verdict"}
REVIEWER = f"arn:aws:iam::{ACCOUNT}:role/reviewers/Reviewer"
STRANGERS = {
    "another role": Requester.session(f"arn:aws:iam::{ACCOUNT}:role/other", "session"),
    "a user": Requester(f"arn:aws:iam::{ACCOUNT}:user/bob"),
    "the root": Requester.root(ACCOUNT),
    "another account": Requester.session("arn:aws:iam::444455556666:role/reviewers/Reviewer", "session"),
    "who does not sign": ANYBODY,
}
VALUES = (None, *ObjectStatus)
OURS, ANOTHER_CASE, OTHERS = {TAG_KEY: "NO_FLAGS_FOUND"}, {TAG_KEY.upper(): "NO_FLAGS_FOUND", "a": "b"}, {"Project": "x"}
READING, PUTTING = ("s3:GetObject", "s3:GetObjectVersion"), ("s3:PutObjectTagging", "s3:PutObjectVersionTagging")
DELETING = ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")
REQUESTS = [
    *((action, None) for action in (*READING, *DELETING, "s3:DeleteObject", "s3:GetObjectTagging", "s3:ListBucket")),
    *itertools.product(("s3:PutObject", *PUTTING), (None, OURS, ANOTHER_CASE, OTHERS)),
]


@pytest.fixture(scope="module", name="line")
def _line(tmp_path_factory, assembly, session):
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        line = make({"source_buckets": [BUCKET], "watch": [{"bucket": BUCKET}], "frames": True, "tag_objects": True})
        line.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield line


def role_of(line, module):
    """Return the ARN of the role of a function."""
    return line.client("lambda").get_function_configuration(FunctionName=line.function(module).name)["Role"]


@pytest.fixture(scope="module", name="requesters")
def _requesters(line):
    """Everyone by name: the functions by their modules, the stack's other roles, a reviewer, strangers."""
    functions = {role_of(line, module): module for module in (*READ, *TAGS, "sweeper")}
    roles = [role["Arn"] for page in line.client("iam").get_paginator("list_roles").paginate() for role in page["Roles"]]
    ours = {functions.get(arn, arn): Requester.session(arn, "function") for arn in roles}
    assert {*functions.values()} <= ours.keys()
    assert len(ours) > len(functions)  # those of S3 Batch and of Rekognition's notices
    return {**ours, "a reviewer": Requester.session(REVIEWER, "alice@example.com"), **STRANGERS}


def text_of(line, *policies):
    """Return the policy that the command prints."""
    context = ProgramContext(connect=lambda _profile, _region: Clients(line.session), clock=line.clock, interactive=False)
    words = [word for policy in policies for word in ("--policy", policy.value)]
    reviewers = ["--reviewer", REVIEWER] if any(policy.on_reading for policy in policies) else []
    result = CliRunner().invoke(main, ["gate", BUCKET, *words, *reviewers, "--json"], obj=context)
    assert 0 == result.exit_code, result.stderr
    return result.stdout


def printed(line, *policies):
    """Return the parsed policy that the command prints."""
    return parse_policy(text_of(line, *policies), BUCKET)


def is_denied(policy, name, action, brought, value):
    """Tell what docs/gate.md promises."""
    names_the_tag = any(key.lower() == TAG_KEY.lower() for key in brought or ())
    match policy:
        case GatePolicy.DENY_FLAGGED:
            return action in READING and value == "FLAGS_FOUND" and name not in {*READ, "a reviewer"}
        case GatePolicy.DENY_UNLESS_CLEAN:
            return action in READING and value != "NO_FLAGS_FOUND" and name not in {*READ, "a reviewer"}
        case GatePolicy.ONLY_THIS_STACK_MAY_TAG:
            removes = action in DELETING and value is not None
            return (removes or names_the_tag) and name not in TAGS
        case GatePolicy.FLAGGED_STAYS_TAGGED:
            return action in {*PUTTING, *DELETING} and value == "FLAGS_FOUND" and name not in TAGS
    raise AssertionError(policy)


def decided(parsed, requester, action, brought, value):
    """Tell whether a policy denies a request on an object with a value of the tag, or without it."""
    key = None if action == "s3:ListBucket" else "a"
    existing = {"Project": "x"} if value is None else {TAG_KEY: value, "Project": "x"}
    asked = access(requester, action, BUCKET, key, existing_tags=existing, request_tags=brought)
    return parsed.decide(asked) is Decision.DENIED


@pytest.mark.parametrize("policy", GatePolicy)
def test_each_policy(line, requesters, policy):
    """A policy denies what the documents say to whom they say, and nothing else to anybody."""
    parsed = printed(line, policy)

    wrong = [
        (name, action, brought, value)
        for (name, requester), (action, brought), value in itertools.product(requesters.items(), REQUESTS, VALUES)
        if decided(parsed, requester, action, brought, value) is not is_denied(policy, name, action, brought, value)
    ]

    assert [] == wrong


def test_all_together(line, requesters):
    """Together they deny what one of them denies: no statement takes from another."""
    parsed = printed(line, *GatePolicy)

    wrong = [
        (name, action, brought, value)
        for (name, requester), (action, brought), value in itertools.product(requesters.items(), REQUESTS, VALUES)
        if decided(parsed, requester, action, brought, value)
        is not any(is_denied(policy, name, action, brought, value) for policy in GatePolicy)
    ]

    assert [] == wrong


def test_no_function_is_shut_out(line, requesters):
    """With the whole gate every function that reads can read, and the one that tags can tag, whatever the tag is."""
    parsed = printed(line, *GatePolicy)

    assert not any(
        decided(parsed, requesters[module], action, None, value)
        for module, action, value in itertools.product(READ, READING, VALUES)
    )
    assert not any(
        decided(parsed, requesters[module], action, OURS, value)
        for module, action, value in itertools.product(TAGS, PUTTING, VALUES)
    )


@pytest.mark.parametrize("exempt", [True, False])
def test_the_doctor_agrees(line, exempt):
    """With the gate as it is printed the doctor is content; without the exemption of the role that tags it names that role."""
    role = role_of(line, *TAGS)
    policy = text_of(line, *GatePolicy)
    line.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy if exempt else policy.replace(role, f"{role}-before"))
    clients = Clients(line.session)
    deployment = find(clients.cloudformation, STACK)
    table = open_table(clients.dynamodb, deployment.table_name, line.clock)

    findings = tuple(findings_of("gates", gates, Case(clients, deployment, table, BUCKET)))

    line.client("s3").delete_bucket_policy(Bucket=BUCKET)
    assert {Level.OK if exempt else Level.WARNING} == {finding.level for finding in findings}
    assert exempt or all(role in finding.text for finding in findings)
    assert len(findings) == (1 if exempt else len(GatePolicy))
