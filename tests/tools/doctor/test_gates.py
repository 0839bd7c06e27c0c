"""The doctor's line about gates: whether those that are installed exempt the functions' roles as they are now."""

import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from handlers.adapters.table import open_table
from handlers.domain.record import Scan
from tests.handlers.doubles import client_error
from tests.harness.line import ACCOUNT, BUCKET, STACK
from tools.control_scan import main
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import find
from tools.lib.cli import ProgramContext
from tools.lib.doctor import Case, Level, examine
from tools.lib.gate import GatePolicy
from tools.lib.gate.statements import statements

OTHER = "amzn-s3-demo-bucket2"
READERS = ("batch_invoke", "start_analysis")


@pytest.fixture
def look(refusing_line):
    """Return a function that examines the bucket and returns the findings about gates."""
    found = find(refusing_line.client("cloudformation"), STACK)

    def examined(subject="gates"):
        clients = Clients(refusing_line.session)
        case = Case(clients, found, open_table(clients.dynamodb, found.table_name, refusing_line.clock), BUCKET)
        return [finding for finding in examine(case) if finding.subject == subject]

    return examined


def role_of(line, module):
    """Return the ARN of the role of a function."""
    return line.client("lambda").get_function_configuration(FunctionName=line.function(module).name)["Role"]


def gate(bucket, policy, *arns):
    """Return the policy of a bucket with one policy of the gate."""
    return {"Version": "2012-10-17", "Statement": statements(policy, f"arn:aws:s3:::{bucket}", arns)}


@contextmanager
def installed(line, document, bucket=BUCKET):
    """Give a bucket a policy for the block."""
    line.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    try:
        yield
    finally:
        line.client("s3").delete_bucket_policy(Bucket=bucket)


@contextmanager
def granted(line, module, action, bucket=BUCKET):
    """Allow an action on a bucket's objects to the role of a function for the block."""
    name = role_of(line, module).rpartition("/")[2]
    statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    line.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)
    try:
        yield
    finally:
        line.client("iam").delete_role_policy(RoleName=name, PolicyName="more")


def printed(line, *policies):
    """Return what `control_scan.py gate` prints for the bucket."""
    context = ProgramContext(connect=lambda _profile, _region: Clients(line.session), clock=line.clock, interactive=False)
    words = [word for policy in policies for word in ("--policy", policy.value)]
    result = CliRunner().invoke(main, ["gate", BUCKET, *words, "--json"], obj=context)
    assert 0 == result.exit_code, result.stderr
    return json.loads(result.stdout)


def test_none(look):
    """Where no bucket has a gate, the line says how many were looked at."""
    (finding,) = look()

    assert (Level.OK, "none in 1 bucket") == (finding.level, finding.text)


def test_as_printed(look, refusing_line):
    """A gate as it is printed fits the deployed roles, all that read; nor does it count as a policy that may deny them reading."""
    with granted(refusing_line, "completion", "s3:PutObjectTagging"):
        document = printed(refusing_line, *(policy for policy in GatePolicy if policy is not GatePolicy.DENY_UNLESS_CLEAN))
        with installed(refusing_line, document):
            (finding,), (other,) = look(), look("bucket policy")

    exempt = document["Statement"][0]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert sorted(role_of(refusing_line, module) for module in READERS) == exempt
    assert [role_of(refusing_line, "completion")] == document["Statement"][-1]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert (Level.OK, f"{BUCKET} has one, which exempts the functions' roles") == (finding.level, finding.text)
    assert Level.OK is other.level


def test_another_policy(look, refusing_line):
    """Another denial next to the gate is warned of as before, by its own name."""
    document = gate(BUCKET, GatePolicy.DENY_FLAGGED, *(role_of(refusing_line, module) for module in READERS))
    document["Statement"].append({**document["Statement"][0], "Sid": "Theirs"})
    with installed(refusing_line, document):
        (finding,) = look("bucket policy")

    assert Level.WARNING is finding.level
    assert "(Theirs)" in finding.text


def test_a_role_is_missing(look, refusing_line):
    """A role that reads and is not exempt is named, with the command that prints the gate with it."""
    kept, missing = (role_of(refusing_line, module) for module in READERS)
    with installed(refusing_line, gate(BUCKET, GatePolicy.DENY_FLAGGED, kept, f"arn:aws:iam::{ACCOUNT}:role/gone")):
        (finding,) = look()

    assert Level.WARNING is finding.level
    assert f"The gate of {BUCKET} (deny-flagged) does not exempt {missing}: what it closes cannot be analysed." == finding.text
    assert f"gate {BUCKET} --policy deny-flagged" in finding.cure


def test_patterns(look, refusing_line):
    """Roles may be exempt by a pattern."""
    with installed(refusing_line, gate(BUCKET, GatePolicy.DENY_FLAGGED, f"arn:aws:iam::{ACCOUNT}:role/*")):
        (finding,) = look()

    assert Level.OK is finding.level


@pytest.mark.parametrize("condition", [{}, {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/gone"}}])
def test_changed_by_hand(look, refusing_line, condition):
    """A statement of the gate that was changed by hand, and exempts none of the roles, is warned of."""
    document = gate(BUCKET, GatePolicy.DENY_FLAGGED, f"arn:aws:iam::{ACCOUNT}:role/gone")
    document["Statement"][0]["Condition"] = condition
    with installed(refusing_line, {**document, "Statement": document["Statement"][0]}):
        (finding,) = look()

    assert Level.WARNING is finding.level
    assert all(role_of(refusing_line, module) in finding.text for module in READERS)


@pytest.mark.parametrize("policy", [GatePolicy.ONLY_THIS_STACK_MAY_TAG, GatePolicy.FLAGGED_STAYS_TAGGED])
def test_tagging_role_is_missing(look, refusing_line, policy):
    """Where the role that tags is shut out, verdicts cannot be written as tags; it is named once for all statements."""
    tagger = role_of(refusing_line, "completion")
    with (
        granted(refusing_line, "completion", "s3:PutObjectTagging"),
        installed(refusing_line, gate(BUCKET, policy, f"arn:aws:iam::{ACCOUNT}:role/gone")),
    ):
        (finding,) = look()

    assert Level.WARNING is finding.level
    assert f"({policy}) does not exempt {tagger}: they cannot tag what it closes." in finding.text


def test_closed_without_tags(look, refusing_line):
    """Deny-unless-clean closes all new objects for good where no function tags them."""
    document = gate(BUCKET, GatePolicy.DENY_UNLESS_CLEAN, *(role_of(refusing_line, module) for module in READERS))
    with installed(refusing_line, document):
        (finding,) = look()

    assert Level.WARNING is finding.level
    assert "closes every object without a tag, and no function of the stack tags objects" in finding.text
    assert f"gate {BUCKET} --remove" in finding.cure


def test_buckets_scanned_lately(look, refusing_line):
    """The gate of another bucket that was scanned is looked at, too; one that is gone is no finding."""
    refusing_line.client("s3").create_bucket(Bucket=OTHER)
    for number, bucket in enumerate((OTHER, "gone-bucket")):
        scan_id = f"01K742SG00000000000000000{number}"
        refusing_line.table.scans.put_scan(Scan(scan_id, bucket, created_at=refusing_line.clock.now(), objects=1))
    try:
        document = gate(OTHER, GatePolicy.DENY_FLAGGED, f"arn:aws:iam::{ACCOUNT}:role/gone")
        with granted(refusing_line, "start_analysis", "s3:GetObject", OTHER), installed(refusing_line, document, OTHER):
            findings = look()
        (fine,) = look()
    finally:
        refusing_line.client("s3").delete_bucket(Bucket=OTHER)
        for number in range(2):
            refusing_line.client("dynamodb").delete_item(
                TableName=refusing_line.outputs["TableName"],
                Key={"pk": {"S": "SCANS"}, "sk": {"S": f"01K742SG00000000000000000{number}"}},
            )

    assert [(Level.WARNING, True)] == [(each.level, f"The gate of {OTHER} " in each.text) for each in findings]
    assert "none in 3 buckets" == fine.text


def test_policy_may_not_be_read(look, refusing_line):
    """A policy that may not be read is a warning with the missing permission, not an error."""

    def refuse():
        raise client_error("AccessDenied", 403)

    refusing_line.before("s3.GetBucketPolicy", lambda: None, refuse)
    (finding,) = look()

    assert Level.WARNING is finding.level
    assert f"The policy of {BUCKET} may not be read" in finding.text
    assert "s3:GetBucketPolicy" in finding.cure
