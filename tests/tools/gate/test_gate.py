"""`control_scan.py gate`: the policy of a bucket with its gate, as a difference and as JSON; nothing is installed."""

import json

import pytest
from click.testing import CliRunner

from handlers.domain.consequence import TAG_KEY
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record, Scan
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import ACCOUNT, BUCKET
from tools.control_scan import main
from tools.emulator.services.s3 import parse_policy
from tools.lib.cli import ProgramContext
from tools.lib.gate.policy_document import MAX_BYTES, byte_count

SCAN = "01K742SG00000G40R40M30E209"
REVIEWER = f"arn:aws:iam::{ACCOUNT}:role/reviewers/Reviewer"
ALL = ("deny-flagged", "deny-unless-clean", "only-this-stack-may-tag", "flagged-stays-tagged")
READS, TAGS = ["s3:GetObject", "s3:GetObjectVersion"], ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"]
TLS = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
PARTNER = {
    "Sid": "Partner \U0001f3ac <b>",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}


def gate(account, *arguments):
    """Run `control_scan.py gate` of the bucket and return click's result."""
    context = ProgramContext(connect=lambda _profile, _region: account.clients, clock=account.clock, interactive=False)
    return CliRunner().invoke(main, ["gate", BUCKET, *arguments], obj=context)


def merged(account, *arguments):
    """Return the policy that it prints with --json."""
    result = gate(account, *arguments, "--json")
    assert 0 == result.exit_code, result.stderr
    return json.loads(result.stdout)


def chosen(*policies):
    """Return the options that name policies."""
    return [word for policy in policies for word in ("--policy", policy)]


def sids(document):
    """Return the Sids of a policy in their order."""
    return [statement.get("Sid") for statement in document["Statement"]]


def exempt(document):
    """Return who is exempt, by the Sids of the gate."""
    return {
        each["Sid"]: each["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        for each in document["Statement"]
        if each["Sid"].startswith("VideoModeration")
    }


def install(account, document):
    """Give the bucket a policy."""
    account.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


@pytest.fixture(name="stack")
def _stack(account):
    """An account whose stack has a function that reads, one that reads and tags, and one that does neither; with versions."""
    account.roles = account.deploy_functions(reader=READS, tagger=[*READS, *TAGS], other=["s3:PutObject"])
    versions(account, "Enabled")
    return account


@pytest.fixture(name="untagged")
def _untagged(account):
    """An account whose stack has a function that reads, and none that tags."""
    account.roles = account.deploy_functions(reader=READS)
    versions(account, "Enabled")
    return account


def versions(account, status):
    """Enable or suspend the versions of the bucket."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


class TestMerged:
    def test_without_a_policy(self, stack):
        """A bucket without a policy gets one of these statements, whose Sids never change."""
        document = merged(stack, *chosen(*ALL))

        assert "2012-10-17" == document["Version"]
        assert [
            "VideoModerationDenyFlagged",
            "VideoModerationDenyUnlessClean",
            "VideoModerationOnlyThisStackMayTag",
            "VideoModerationOnlyThisStackMayUntag",
            "VideoModerationFlaggedStaysTagged",
        ] == sids(document)

    def test_accepted(self, stack):
        """S3 takes the policy, as far as its rules for policies are known."""
        document = merged(stack, *chosen(*ALL), "--reviewer", REVIEWER)

        assert 5 == len(parse_policy(json.dumps(document), BUCKET).statements)

    def test_others_stay(self, stack):
        """Statements of others stay as they are, in their order, with version and id; ours follow."""
        install(stack, {"Version": "2008-10-17", "Id": "Theirs", "Statement": [PARTNER, TLS]})

        document = merged(stack, *chosen("deny-flagged"))

        assert [PARTNER, TLS] == document["Statement"][:2]
        assert ["VideoModerationDenyFlagged"] == sids(document)[2:]
        assert ("2008-10-17", "Theirs") == (document["Version"], document["Id"])

    def test_a_single_statement(self, stack):
        """A policy may have its only statement without a list."""
        install(stack, {"Version": "2012-10-17", "Statement": TLS})

        assert ["Tls", "VideoModerationDenyFlagged"] == sids(merged(stack, *chosen("deny-flagged")))

    def test_twice(self, stack):
        """Once it is put, the same command changes nothing, and says so."""
        install(stack, {"Version": "2012-10-17", "Statement": [TLS]})
        document = merged(stack, *chosen(*ALL), "--reviewer", REVIEWER)
        install(stack, document)

        again = gate(stack, *chosen(*reversed(ALL)), "--reviewer", REVIEWER)

        assert document == merged(stack, *chosen(*ALL), "--reviewer", REVIEWER)
        assert (0, f"The policy of {BUCKET} is like this already.\n") == (again.exit_code, again.stdout)
        assert "Nothing was changed" not in again.stderr

    def test_in_another_form(self, stack):
        """A statement of ours that S3 returns in another form is not a difference."""
        document = merged(stack, *chosen("deny-flagged"), "--reviewer", REVIEWER)
        (statement,) = document["Statement"]
        statement["Resource"] = [statement["Resource"]]
        statement["Action"].reverse()
        statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].reverse()
        install(stack, document)

        assert document == merged(stack, *chosen("deny-flagged"), "--reviewer", REVIEWER)

    def test_replaced_in_place(self, stack):
        """A statement of ours whose roles are out of date is replaced where it is, and one that is there twice is kept once."""
        old = {**TLS, "Sid": "VideoModerationDenyFlagged"}
        install(stack, {"Version": "2012-10-17", "Statement": [old, TLS, old]})

        document = merged(stack, *chosen("deny-flagged"))

        assert ["VideoModerationDenyFlagged", "Tls"] == sids(document)
        assert [stack.roles["reader"], stack.roles["tagger"]] == exempt(document)["VideoModerationDenyFlagged"]

    def test_policies_that_are_not_named(self, stack):
        """What the gate has besides stays: no command opens what it does not name."""
        install(stack, merged(stack, *chosen("deny-flagged")))

        document = merged(stack, *chosen("flagged-stays-tagged"))

        assert ["VideoModerationDenyFlagged", "VideoModerationFlaggedStaysTagged"] == sids(document)

    def test_nothing_is_changed(self, stack):
        """Nothing is written to AWS."""
        stack.wire.calls.clear()

        gate(stack, *chosen(*ALL), "--reviewer", REVIEWER)

        assert [] == stack.wire.writes


class TestExempt:
    def test_by_what_they_do(self, stack):
        """Roles that read and reviewers may read, roles that tag may tag, and no other role is exempt."""
        document = merged(stack, *chosen(*ALL), "--reviewer", REVIEWER)

        reading = sorted([stack.roles["reader"], stack.roles["tagger"], REVIEWER])
        tagging = [stack.roles["tagger"]]
        assert {
            "VideoModerationDenyFlagged": reading,
            "VideoModerationDenyUnlessClean": reading,
            "VideoModerationOnlyThisStackMayTag": tagging,
            "VideoModerationOnlyThisStackMayUntag": tagging,
            "VideoModerationFlaggedStaysTagged": tagging,
        } == exempt(document)

    @pytest.mark.parametrize(
        "arn",
        [
            f"arn:aws:iam::{ACCOUNT}:user/Alice",
            "arn:aws-cn:iam::444455556666:role/Other",
            f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Reviewers_*",
        ],
    )
    def test_reviewers(self, stack, arn):
        """Users and roles of any account, and patterns for them, may be reviewers."""
        assert arn in exempt(merged(stack, *chosen("deny-flagged"), "--reviewer", arn))["VideoModerationDenyFlagged"]

    @pytest.mark.parametrize(
        ("arn", "part"),
        [
            (
                f"arn:aws:sts::{ACCOUNT}:assumed-role/Reviewer/alice@example.com",
                "iam get-role --role-name Reviewer --query Role.Arn",
            ),
            (f"arn:aws:iam::{ACCOUNT}:role/*", "is not the ARN"),
            (f"arn:aws:iam::{ACCOUNT}:root", "is not the ARN"),
            ("arn:aws:iam::*:role/Reviewer", "is not the ARN"),
            (f"arn:aws:iam::{ACCOUNT}:role/${{aws:username}}", "is not the ARN"),
            ("*", "is not the ARN"),
            ("Reviewer", "is not the ARN"),
        ],
    )
    def test_no_reviewers(self, stack, arn, part):
        """Sessions, accounts and patterns for everybody are refused; of a session it is said how to find its role."""
        result = gate(stack, *chosen("deny-flagged"), "--reviewer", arn)

        assert 2 == result.exit_code
        assert part in result.stderr


class TestShown:
    def test_difference(self, stack):
        """A person sees a difference: the statements of others without a mark, what is new with a plus."""
        install(stack, {"Version": "2012-10-17", "Statement": [PARTNER]})

        result = gate(stack, *chosen("deny-flagged"))

        lines = result.stdout.splitlines()
        assert 0 == result.exit_code
        assert [f"--- policy of {BUCKET} now", f"+++ policy of {BUCKET} with this"] == lines[:2]
        assert '+      "Sid": "VideoModerationDenyFlagged",' in lines
        assert f'+          "s3:ExistingObjectTag/{TAG_KEY}": "FLAGS_FOUND"' in lines
        assert [] == [line for line in lines[2:] if line.startswith("-") and line.strip("- ") != "}"]
        assert result.stdout.isascii()

    def test_talk(self, stack):
        """What is not the result goes to stderr: the size, and how to put the policy."""
        result = gate(stack, *chosen("deny-flagged"), "--json")

        json.loads(result.stdout)
        assert f"of the {MAX_BYTES:,} bytes" in result.stderr
        assert f"aws s3api put-bucket-policy --bucket {BUCKET}" in result.stderr

    @pytest.mark.parametrize(
        ("policy", "other"), [("deny-flagged", "flagged-stays-tagged"), ("deny-unless-clean", "only-this-stack-may-tag")]
    )
    def test_what_others_could_undo(self, stack, policy, other):
        """Where those who may tag could open objects, the policy that prevents it is named, unless it is there already."""
        hint = f"unless {other} is there as well"

        alone = gate(stack, *chosen(policy))
        both = gate(stack, *chosen(policy, other))
        install(stack, merged(stack, *chosen(other)))
        later = gate(stack, *chosen(policy))

        assert [True, False, False] == [hint in result.stderr for result in (alone, both, later)]


class TestRemoved:
    def test_all(self, stack):
        """Without names the whole gate is taken out, and nothing else."""
        install(stack, {"Version": "2012-10-17", "Statement": [TLS]})
        install(stack, merged(stack, *chosen(*ALL)))

        assert {"Version": "2012-10-17", "Statement": [TLS]} == merged(stack, "--remove")

    def test_named(self, stack):
        """With names these policies are taken out."""
        install(stack, merged(stack, *chosen(*ALL)))

        document = merged(stack, "--remove", *chosen("deny-unless-clean", "only-this-stack-may-tag"))

        assert ["VideoModerationDenyFlagged", "VideoModerationFlaggedStaysTagged"] == sids(document)

    def test_nothing_left(self, stack):
        """S3 takes no policy without statements, so it has to be deleted."""
        install(stack, merged(stack, *chosen("deny-flagged")))

        result = gate(stack, "--remove")

        assert f"aws s3api delete-bucket-policy --bucket {BUCKET}" in result.stderr
        assert [] == [line for line in result.stdout.splitlines()[3:] if not line.startswith("-")]

    def test_nothing_there(self, stack):
        """A bucket without a gate stays as it is."""
        assert f"The policy of {BUCKET} is like this already.\n" == gate(stack, "--remove").stdout

    def test_without_a_deployment(self, account):
        """A gate can be taken out when its stack is gone."""
        install(account, {"Version": "2012-10-17", "Statement": [TLS, {**TLS, "Sid": "VideoModerationDenyUnlessClean"}]})
        account.cloudformation.delete_stack(StackName="VideoModeration")

        assert [TLS] == merged(account, "--remove")["Statement"]


class TestUnreadable:
    def test_counted(self, stack):
        """What has no verdict as it is now would become unreadable: it is counted, of any suffix, and the exit code says so."""
        now = stack.clock.now()
        stack.table.scans.put_scan(Scan(SCAN, BUCKET, created_at=now, objects=4, status=ScanStatus.CLOSED))
        stack.put("new.mp4", "notes.txt")
        for key, state in (("clean.mp4", State.CLEAN), ("flagged.mp4", State.FLAGGED), ("failed.mp4", State.FAILED)):
            version = stack.s3.put_object(Bucket=BUCKET, Key=key, Body=b"video")["VersionId"]
            facts = ObjectFacts("etag", 5, version)
            stack.table.records.register(Record(Video(BUCKET, key, version), SCAN, state, facts=facts, queued_at=now), None)

        result = gate(stack, *chosen("deny-unless-clean"))

        assert 3 == result.exit_code
        assert f"3 objects of 5 in {BUCKET} would become unreadable" in result.stderr
        assert "Of the other 2, those tagged VideoModerationStatus=NO_FLAGS_FOUND stay readable" in result.stderr
        assert "VideoModerationDenyUnlessClean" in result.stdout

    def test_none(self, stack):
        """An empty bucket has none, and the exit code is 0."""
        result = gate(stack, *chosen("deny-unless-clean"))

        assert 0 == result.exit_code
        assert "0 objects of 0" in result.stderr

    def test_other_policies(self, stack):
        """Without deny-unless-clean nothing is listed: untagged objects stay as they are."""
        stack.put("new.mp4")
        stack.wire.calls.clear()

        result = gate(stack, *chosen("deny-flagged", "only-this-stack-may-tag", "flagged-stays-tagged"))

        assert 0 == result.exit_code
        assert [] == stack.wire.of("ListObjectVersions") + stack.wire.of("ListObjectsV2")


class TestRefused:
    @pytest.mark.parametrize("status", [None, "Suspended"])
    def test_without_versions(self, account, status):
        """Where a tag can come to lie on another content, deny-unless-clean is refused with the reason and the cure."""
        account.deploy_functions(tagger=[*READS, *TAGS])
        if status:
            versions(account, status)

        result = gate(account, *chosen("deny-unless-clean"))

        assert (1, "") == (result.exit_code, result.stdout)
        assert "the new content would carry the tag of the old one" in result.stderr
        assert f"put-bucket-versioning --bucket {BUCKET} --versioning-configuration Status=Enabled" in result.stderr

    @pytest.mark.parametrize("policy", ALL[1:])
    def test_no_function_tags(self, untagged, policy):
        """What depends on tags of ours is refused where no function writes them."""
        result = gate(untagged, *chosen("deny-flagged", policy))

        assert (1, "") == (result.exit_code, result.stdout)
        assert f"may tag the objects of {BUCKET}: {policy} would" in result.stderr
        assert "Cure:" in result.stderr

    def test_deny_flagged_before_tags(self, untagged):
        """Deny-flagged can be prepared, with a word that it closes nothing yet."""
        result = gate(untagged, *chosen("deny-flagged"))

        assert 0 == result.exit_code
        assert "until one does, deny-flagged closes nothing" in result.stderr
        assert untagged.roles["reader"] in result.stdout

    def test_no_function_reads(self, account):
        """A stack whose roles may not read the bucket would be shut out for good."""
        account.deploy_functions(other=["s3:PutObject"])

        result = gate(account, *chosen("deny-flagged"))

        assert (1, "") == (result.exit_code, result.stdout)
        assert "No function of the stack VideoModeration has a role that may read" in result.stderr

    @pytest.mark.parametrize("arguments", [chosen("deny-flagged"), ["--remove"]], ids=["merge", "remove"])
    def test_policy_may_not_be_read(self, stack, errors, arguments):
        """A policy that may not be read is not merged into: putting the result would delete the statements of others."""
        stack.wire.answer("GetBucketPolicy", lambda _: errors.http("AccessDenied", 403, "Access Denied"))

        result = gate(stack, *arguments)

        assert (1, "") == (result.exit_code, result.stdout)
        assert "would delete its statements" in result.stderr
        assert "s3:GetBucketPolicy" in result.stderr

    def test_too_large(self, stack):
        """A policy of more than 20 KB, which S3 would not take, is refused with its size."""
        document = {"Version": "2012-10-17", "Statement": []}
        while byte_count(document) < MAX_BYTES - 400:
            document["Statement"].append({**TLS, "Sid": f"Tls{len(document['Statement'])}"})
        install(stack, document)

        result = gate(stack, *chosen("deny-flagged"))

        assert (1, "") == (result.exit_code, result.stdout)
        assert f"S3 takes {MAX_BYTES:,} (20 KB)" in result.stderr

    @pytest.mark.parametrize("arguments", [chosen("deny-flagged"), ["--remove"]], ids=["merge", "remove"])
    def test_no_such_bucket(self, stack, arguments):
        """A bucket that does not exist is an error with its cure."""
        stack.s3.delete_bucket(Bucket=BUCKET)

        result = gate(stack, *arguments)

        assert 1 == result.exit_code
        assert f"There is no bucket named {BUCKET}." in result.stderr
        assert "Cure:" in result.stderr

    def test_not_a_source_bucket(self, stack):
        """A bucket that the stack may not read by its settings is refused before anything else."""
        stack.deploy("Elsewhere", SourceBuckets="other-bucket")

        result = gate(stack, *chosen("deny-flagged"), "--stack", "Elsewhere")

        assert 1 == result.exit_code
        assert "may not read the bucket" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--reviewer", REVIEWER, "--remove"],
            ["--reviewer", REVIEWER, *chosen("flagged-stays-tagged")],
            chosen("deny-everything"),
        ],
    )
    def test_usage(self, stack, arguments):
        """A gate without a policy, and reviewers where none is let through, are wrong usage."""
        result = gate(stack, *arguments)

        assert (2, "") == (result.exit_code, result.stdout)
