"""The doctor: what it finds in a sound deployment, and in one in which just one thing is broken."""

import json
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from moto.awslambda.models import lambda_backends

from handlers.adapters.table import open_table
from handlers.domain.record import Scan
from tests.handlers.doubles import client_error
from tests.harness.line import ACCOUNT, BUCKET, STACK
from tools.lib.aws import deployment
from tools.lib.aws.clients import Clients
from tools.lib.cli import ExitCode
from tools.lib.doctor import Case, Level, account, buckets, examine, findings_of, people, stack
from tools.lib.errors import ToolError
from tools.lib.text import counted

REGION = "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


# What `make deploy` reserves for S3 Batch.
RESERVED = 10


def reserve(account, number):
    """Reserve invocations for the function that S3 Batch invokes, or none."""
    client, name = account.client("lambda"), function_name(account, "batch_invoke")
    if number is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)


@pytest.fixture(scope="module", autouse=True)
def _reserved(refusing_line):
    reserve(refusing_line, RESERVED)


@pytest.fixture
def look(refusing_line):
    """Return a function from changes of the deployment (or of the bucket) to what the doctor finds."""
    found = deployment.find(refusing_line.client("cloudformation"), STACK)

    def examined(bucket=BUCKET, *, unconfirmed_mail=False, prefixes=("",), resources=None, **changed):
        clients = Clients(refusing_line.session)
        table = open_table(clients.dynamodb, found.table_name, refusing_line.clock)
        case = Case(clients, replace(found, **changed), table, bucket, unconfirmed_mail, prefixes)
        if resources is not None:
            vars(case)["resources"] = {**case.resources, **resources}
        return examine(case)

    return examined


def encrypted_with(key):
    """Return what the doctor finds about a bucket whose default key is named like this, where the functions may use KEY."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3 = SimpleNamespace(get_bucket_encryption=lambda **_: {"ServerSideEncryptionConfiguration": {"Rules": [rule]}})
    allowed = [
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [KEY]},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
    ]
    case = SimpleNamespace(
        bucket=BUCKET,
        clients=SimpleNamespace(s3=s3),
        deployment=SimpleNamespace(
            partition="aws", region=REGION, account_id=ACCOUNT, bucket_arn=lambda bucket: f"arn:aws:s3:::{bucket}"
        ),
        functions={"reads": {"Role": "reader", "Environment": {"Variables": {"REKOGNITION_ROLE_ARN": "notifier"}}}},
        statements=lambda _: allowed,
    )
    return findings_of("encryption", buckets.encryption, case)


def line_of(findings, subject):
    """Return the only finding about a subject."""
    (finding,) = (each for each in findings if each.subject == subject)
    return finding


def assert_only(findings, subject, level, part):
    """Assert that there is just this one problem, and that it has a cure."""
    (finding,) = (each for each in findings if each.level is not Level.OK)
    assert (subject, level) == (finding.subject, finding.level), finding
    assert part in finding.text
    assert finding.cure


@contextmanager
def changed(take, back):
    """Change something for the block."""
    take()
    try:
        yield
    finally:
        back()


def function_name(account, module):
    """Return the name of a function by the module of its handler."""
    return account.function(module).name


class TestSound:
    def test_all_is_well(self, look):
        """Of a sound deployment every line is ok, and nothing stops a scan."""
        findings = look()

        assert {Level.OK} == {finding.level for finding in findings}, findings.sentences()
        assert ExitCode.DONE is findings.exit_code
        assert () == findings.warnings
        findings.require_none_stops()

    def test_both_renderings(self, look):
        """A person reads a line for each thing and the counts; a program gets the same."""
        findings = look("missing-bucket")

        lines, values = findings.sentences(), findings.as_json()

        assert len(list(findings)) == len(values["findings"])
        counts = [counted(values["warning"], "warning"), counted(values["stop"], "stop")]
        assert f"{len(findings.of(Level.OK))} ok, {', '.join(counts)}" == lines[-1]
        assert any(line.startswith("stop    bucket ") for line in lines)
        assert ExitCode.FAILED is findings.exit_code

    def test_nothing_is_changed(self, look, refusing_line):
        """Looking changes nothing: every call is one that reads."""
        refusing_line.calls.clear()

        look()

        reading = ("Get", "List", "Describe", "Head", "Query")
        assert refusing_line.calls
        assert [] == [call.name for call in refusing_line.calls if not call.name.split(".")[1].startswith(reading)]


class TestBuckets:
    def test_missing(self, look):
        """A bucket that is not there stops a scan; what else of it cannot be seen is said too."""
        findings = look("missing-bucket")

        assert Level.STOP is line_of(findings, "bucket").level
        with pytest.raises(ToolError, match="no bucket named missing-bucket") as stopped:
            findings.require_none_stops()
        assert stopped.value.cure

    def test_not_a_source(self, look):
        """So does one that the functions may not read."""
        assert_only(look(source_buckets=("other",)), "bucket", Level.STOP, "may not read the bucket")

    def test_other_region(self, look, refusing_line):
        """And one in another Region than the stack."""
        s3 = refusing_line.client("s3")
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        with changed(lambda: s3.create_bucket(Bucket="elsewhere", **elsewhere), lambda: s3.delete_bucket(Bucket="elsewhere")):
            assert_only(look("elsewhere"), "bucket", Level.STOP, "is in eu-west-1")

    def test_own_requester_pays(self, look, refusing_line):
        """A Requester Pays bucket of this account is named as one, and may be scanned."""
        s3 = refusing_line.client("s3")

        def paid_by(payer):
            s3.put_bucket_request_payment(Bucket=BUCKET, RequestPaymentConfiguration={"Payer": payer})

        owners = line_of(look(), "payer")
        with changed(lambda: paid_by("Requester"), lambda: paid_by("BucketOwner")):
            findings = look()

        assert [(Level.OK, False), (Level.OK, True)] == [
            (one.level, "Requester Pays" in one.text) for one in (owners, line_of(findings, "payer"))
        ]
        assert [] == findings.of(Level.STOP)

    def test_requester_pays_of_others(self):
        """One of another account stops a scan: S3 refuses whoever does not offer to pay."""

        def refuse(**_):
            raise client_error("403", 403)

        s3 = SimpleNamespace(get_bucket_request_payment=lambda **_: {"Payer": "Requester"}, head_bucket=refuse)
        case = SimpleNamespace(bucket=BUCKET, clients=SimpleNamespace(s3=s3))

        (finding,) = findings_of("payer", buckets.payer, case)

        assert Level.STOP is finding.level
        assert "--request-payer requester" in finding.cure

    @pytest.mark.parametrize(
        ("statement", "warned"),
        [
            ({"Effect": "Deny", "Action": "s3:GetObject*"}, True),
            ({"Effect": "Deny", "NotAction": "s3:ListBucket", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, True),
            ({"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
            ({"Effect": "Deny", "Action": "s3:PutObject"}, False),
            ({"Effect": "Allow", "Action": "s3:GetObject"}, False),
        ],
    )
    def test_policy(self, look, refusing_line, statement, warned):
        """A policy that denies reading is warned of, for it may hit the functions; one that asks for TLS is not."""
        s3 = refusing_line.client("s3")
        resource = f"arn:aws:s3:::{BUCKET}/*"
        document = {"Version": "2012-10-17", "Statement": [{"Sid": "One", "Principal": "*", "Resource": resource, **statement}]}
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))
        try:
            finding = line_of(look(), "bucket policy")
        finally:
            s3.delete_bucket_policy(Bucket=BUCKET)

        assert (Level.WARNING if warned else Level.OK) is finding.level
        assert ("(One)" in finding.text) is warned

    def test_key(self, look, refusing_line):
        """A key of the account's own, with which the functions may not decrypt, stops a scan: both readers are named.

        What AWS asks for besides is a warning: for the caller of Start and for the role of its notification channel.
        """
        s3 = refusing_line.client("s3")
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
        with changed(
            lambda: s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]}),
            lambda: s3.delete_bucket_encryption(Bucket=BUCKET),
        ):
            findings = look()

        faults = [finding for finding in findings if finding.level is not Level.OK]
        assert {"encryption"} == {finding.subject for finding in faults}
        named = {function_name(refusing_line, module) for module in ("batch_invoke", "start_analysis")}
        stops = findings.of(Level.STOP)
        assert named == {name for name in named if any(name in finding.text for finding in stops)}
        assert len(named) == len(stops)
        missing = "may not use kms:Decrypt and kms:GenerateDataKey."
        assert [
            f"New objects of {BUCKET} are encrypted with {KEY}, on which {who} {missing}"
            for who in (function_name(refusing_line, "start_analysis"), "Rekognition's role")
        ] == [finding.text for finding in findings.of(Level.WARNING)]

    @pytest.mark.parametrize("form", [KEY, KEY.rpartition("/")[2]], ids=["ARN", "id"])
    def test_key_that_may_be_used(self, form):
        """A key that the functions may use is found by its ARN and by its id alone, as a bucket may name it."""
        assert [Level.OK] == [finding.level for finding in encrypted_with(form)]

    @pytest.mark.parametrize("form", ["alias/videos", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/videos"])
    def test_alias_of_a_key(self, form):
        """Which key an alias stands for is not known, so no scan is stopped; the person is told how to look it up."""
        (finding,) = encrypted_with(form)

        assert Level.WARNING is finding.level
        assert f"aws kms describe-key --key-id {form}" in finding.cure

    def test_work_bucket_is_missing(self, look):
        """Without a work bucket there is no place for manifests."""
        finding = line_of(look(work_bucket="missing-bucket"), "work bucket")

        assert Level.STOP is finding.level

    def test_work_bucket_is_locked(self, look, refusing_line):
        """Into a bucket with a default retention S3 Batch delivers no report."""
        s3 = refusing_line.client("s3")
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
        s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        try:
            without = line_of(look(work_bucket="locked"), "work bucket")
            s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=lock)
            finding = line_of(look(work_bucket="locked"), "work bucket")
        finally:
            s3.delete_bucket(Bucket="locked")

        assert (Level.OK, Level.STOP) == (without.level, finding.level)
        assert "Object Lock" in finding.text


class TestStack:
    def test_role_is_gone(self, look):
        """Without its role no job can be created."""
        assert_only(look(batch_role_arn=f"arn:aws:iam::{ACCOUNT}:role/gone"), "batch role", Level.STOP, "no role gone")

    def test_role_is_not_trusted(self, look, refusing_line):
        """A role that does not trust S3 Batch is of no use."""
        iam, name = refusing_line.client("iam"), refusing_line.outputs["BatchRoleArn"].rpartition("/")[2]
        before = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        other = json.loads(json.dumps(before).replace("batchoperations.s3.amazonaws.com", "lambda.amazonaws.com"))
        with changed(
            lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(other)),
            lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(before)),
        ):
            assert_only(look(), "batch role", Level.STOP, "does not trust")

    @pytest.mark.parametrize(
        ("action", "part"),
        [("s3:GetObject", "read manifests"), ("s3:PutObject", "write reports"), ("lambda:InvokeFunction", "invoke the function")],
    )
    def test_role_may_not(self, look, refusing_line, action, part):
        """What the job must do its role must be allowed; no object is written to try it."""
        iam, name = refusing_line.client("iam"), refusing_line.outputs["BatchRoleArn"].rpartition("/")[2]
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        kept = [each for each in document["Statement"] if each["Action"] != action]
        with changed(
            lambda: iam.put_role_policy(
                RoleName=name, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": kept})
            ),
            lambda: iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document)),
        ):
            assert_only(look(), "batch role", Level.STOP, part)

    def test_function_is_inactive(self, look, refusing_line):
        """A function that is not active stops a scan."""
        function = lambda_backends[ACCOUNT][REGION].get_function(function_name(refusing_line, "completion"))
        with changed(lambda: setattr(function, "state", "Failed"), lambda: setattr(function, "state", "Active")):
            assert_only(look(), "functions", Level.STOP, f"{function.function_name} is Failed")

    @pytest.mark.parametrize(("status", "level"), [("Failed", Level.STOP), ("InProgress", Level.WARNING), ("Successful", Level.OK)])
    def test_last_update(self, status, level):
        """A failed update stops a scan, one that is in progress is warned of (moto's updates are always over)."""
        case = SimpleNamespace(functions={"completion": {"State": "Active", "LastUpdateStatus": status}}, deployment=None)

        (finding,) = findings_of("functions", stack.functions, case)

        assert level is finding.level

    def test_every_function_is_looked_at(self):
        """Each function that is not as it should be is named, whatever is wrong with those before it."""
        active = {"State": "Active", "LastUpdateStatus": "Successful"}
        found = {"a": None, "b": active | {"State": "Pending"}, "c": active, "d": active | {"LastUpdateStatus": "Failed"}}
        case = SimpleNamespace(functions=found, deployment=None)

        findings = findings_of("functions", stack.functions, case)

        assert [Level.STOP] * 3 == [finding.level for finding in findings]
        assert ["a is gone", "b is Pending", "d failed"] == [
            next(part for part in ("a is gone", "b is Pending", "d failed") if part in finding.text) for finding in findings
        ]

    def test_function_is_gone(self, look):
        """So does a function that is gone."""
        assert_only(look(resources={"AWS::Lambda::Function": ["gone"]}), "functions", Level.STOP, "gone is gone")

    def test_lane_is_off(self, look, refusing_line):
        """A lane whose mapping is disabled is warned of: nothing of it would start."""
        client = refusing_line.client("lambda")
        uuid = client.list_event_source_mappings()["EventSourceMappings"][0]["UUID"]

        # The clock stands still: the next sweep would turn it on again.
        with changed(
            lambda: client.update_event_source_mapping(UUID=uuid, Enabled=False),
            lambda: client.update_event_source_mapping(UUID=uuid, Enabled=True),
        ):
            assert_only(look(), "lanes", Level.WARNING, uuid)

    def test_lane_is_gone(self, look):
        """A mapping that is gone, or a stack without one, stops a scan."""
        gone = "00000000-0000-4000-8000-000000000000"

        assert_only(look(resources={"AWS::Lambda::EventSourceMapping": [gone]}), "lanes", Level.STOP, gone)
        assert_only(look(resources={"AWS::Lambda::EventSourceMapping": []}), "lanes", Level.STOP, "no event source mapping")

    def test_topic_is_gone(self, look):
        """A topic that is gone stops a scan."""
        gone = f"arn:aws:sns:{REGION}:{ACCOUNT}:gone"

        assert_only(look(resources={"AWS::SNS::Topic": [gone]}), "topics", Level.STOP, gone)

    def test_table_is_gone(self, look):
        """Without its table nothing works."""
        assert_only(look(table_name="gone"), "table", Level.STOP, "no table gone")

    def test_table_without_indexes(self, look, refusing_line):
        """Nor without its indexes, each of which is named."""
        dynamodb = refusing_line.client("dynamodb")
        names = ("pk", "sk")
        dynamodb.create_table(
            TableName="bare",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=True)],
        )

        findings = [finding for finding in look(table_name="bare") if finding.subject == "table"]

        assert [Level.STOP, Level.STOP] == [finding.level for finding in findings]
        assert ["work", "by_scan"] == [finding.text.split("index ")[1].rstrip(".") for finding in findings]

    def test_paused(self, look, refusing_line):
        """That starting is paused is warned of, with who did it and why."""
        with changed(lambda: refusing_line.table.control.pause("alice", "lunch"), refusing_line.table.control.resume):
            assert_only(look(), "starting", Level.WARNING, "alice: lunch")


class TestAccount:
    @pytest.mark.parametrize(("used", "free"), [(0, "1,000"), (901, "99")])
    def test_nothing_is_reserved(self, look, refusing_line, used, free):
        """However many invocations are free, S3 Batch takes them all unless some are reserved for it."""
        client, name = refusing_line.client("lambda"), function_name(refusing_line, "sweeper")
        reserve(refusing_line, None)
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=used)
        with changed(
            lambda: None, lambda: (client.delete_function_concurrency(FunctionName=name), reserve(refusing_line, RESERVED))
        ):
            assert_only(look(), "concurrency", Level.WARNING, f"all of the account's {free} free concurrent invocations")

    @pytest.mark.parametrize(("reserved", "level"), [(1, Level.OK), (50, Level.OK), (0, Level.STOP)])
    def test_batch_concurrency(self, look, refusing_line, reserved, level):
        """With a concurrency of its own the function takes no one else's; with one of 0 it never runs."""
        with changed(lambda: reserve(refusing_line, reserved), lambda: reserve(refusing_line, RESERVED)):
            assert level is line_of(look(), "concurrency").level

    def test_privacy(self, look):
        """What AWS may do with the videos is said, with where an organization opts out; that does not stop a scan."""
        finding = line_of(look(), "privacy")

        assert Level.OK is finding.level
        assert "unless the organization has opted out" in finding.text
        assert finding.text.endswith("/orgs_manage_policies_ai-opt-out.html")

    def test_quota(self, look):
        """More jobs than AWS's default, which Service Quotas does not confirm, are a warning."""
        assert_only(look(account_jobs=25), "rekognition quota", Level.WARNING, "counts on 25 jobs")

    @pytest.mark.parametrize(("quota", "level"), [(10.0, Level.WARNING), (20.0, Level.OK), (40.0, Level.OK)])
    def test_listed_quota(self, quota, level):
        """A quota below the number of jobs that the deployment counts on is a warning."""
        quotas = [
            {"QuotaName": "Transactions per second per account of StartContentModeration", "Value": 5.0},
            {"QuotaName": "Maximum concurrent jobs for stored video per account", "Value": quota},
        ]
        client = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Quotas": quotas}]))

        case = SimpleNamespace(clients=SimpleNamespace(quotas=client), deployment=SimpleNamespace(account_jobs=20))

        (finding,) = findings_of("rekognition quota", account.analysis_jobs, case)

        assert level is finding.level

    @pytest.mark.parametrize(
        ("pace", "region", "quota", "level"),
        [
            (None, "eu-central-1", None, Level.OK),
            (5.0, "eu-central-1", None, Level.OK),
            (6.0, "eu-central-1", None, Level.WARNING),
            (50.0, "us-east-1", None, Level.OK),
            (51.0, "us-east-1", None, Level.WARNING),
            (20.0, "us-east-1", 10.0, Level.WARNING),
            (20.0, "eu-central-1", 20.0, Level.OK),
        ],
    )
    def test_image_quota(self, pace, region, quota, level):
        """More images a second than the account may have, by Service Quotas or else by AWS's default, are a warning."""
        quotas = [
            {"QuotaName": "Transactions per second per account for the operation DetectLabels", "Value": 1.0},
            *([] if quota is None else [{"QuotaName": "Transactions per second for DetectModerationLabels", "Value": quota}]),
        ]
        client = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Quotas": quotas}]))
        deployment = SimpleNamespace(images_per_second=pace, region=region)

        (finding,) = findings_of(
            "image quota", account.image_pace, SimpleNamespace(clients=SimpleNamespace(quotas=client), deployment=deployment)
        )

        assert level is finding.level

    def test_region_without_videos(self, look):
        """A Region in which Rekognition analyses no videos stops a scan; one that boto3 does not know is warned of."""
        stopped, unknown = (line_of(look(region=name), "region") for name in ("il-central-1", "mars-west-1"))

        assert (Level.STOP, Level.WARNING) == (stopped.level, unknown.level)

    def test_batch_jobs(self, look, refusing_line):
        """When as many jobs are in progress as may be active, another one would wait."""
        request = refusing_line.upload_manifest(f"{BUCKET},a.mp4") | {"ConfirmationRequired": True}
        control = refusing_line.client("s3control")
        jobs = [control.create_job(**request | {"ClientRequestToken": f"doctor-{number}"})["JobId"] for number in range(6)]
        refusing_line.clock.advance(60)

        def cancel():
            for job in jobs:
                control.update_job_status(AccountId=ACCOUNT, JobId=job, RequestedJobStatus="Cancelled")
            refusing_line.clock.advance(60)

        with changed(lambda: None, cancel):
            assert_only(look(), "batch jobs", Level.WARNING, "6 in progress")


class TestPeople:
    def test_open_scan(self, look, refusing_line):
        """A scan of the same bucket that is in progress is warned of by its id; one of another bucket is not."""
        same, other = "01JDABCDEFGHJKMNPQRSTVWXYZ", "01JDABCDEFGHJKMNPQRSTVWXY0"
        for scan_id, bucket in ((same, BUCKET), (other, "other-bucket")):
            refusing_line.table.scans.put_scan(Scan(scan_id, bucket, created_at=refusing_line.clock.now()))

        def close():
            for scan_id in (same, other):
                refusing_line.table.scans.close_scan(refusing_line.table.scans.scan(scan_id))

        with changed(lambda: None, close):
            assert_only(look(), "open scans", Level.WARNING, same)

    def test_open_scan_of_a_day(self, look, refusing_line):
        """The uploads of a day are not waited for: what is analysed of them can be left out."""
        day = Scan("01JDABCDEFGHJKMNPQRSTVWXY2", BUCKET, created_at=refusing_line.clock.now(), day="2026-11-29")

        def close():
            refusing_line.table.scans.close_scan(refusing_line.table.scans.scan(day.id))

        with changed(lambda: refusing_line.table.scans.put_scan(day), close):
            finding = line_of(look(), "open scans")

        assert Level.WARNING is finding.level
        assert "the uploads of 2026-11-29" in finding.text
        assert "--skip-unchanged" in finding.cure
        assert "wait" not in finding.cure

    @pytest.mark.parametrize(
        ("theirs", "ours", "meets"),
        [
            (None, ("2024/",), True),
            (("",), ("2024/",), True),
            (("2024/",), ("",), True),
            (("2024/",), ("2024/05/",), True),
            (("2024/05/",), ("2023/", "2024/"), True),
            (("2024/",), ("2024/",), True),
            (("2024/", "2022/"), ("2023/", "2025/"), False),
            (("2024/05/",), ("2024/06/",), False),
        ],
    )
    def test_open_scan_of_other_keys(self, look, refusing_line, theirs, ours, meets):
        """Two scans whose keys cannot be the same are none of the same objects; what is not known may be."""
        scan_id = "01JDABCDEFGHJKMNPQRSTVWXY1"

        def begin():
            refusing_line.table.scans.put_scan(Scan(scan_id, BUCKET, created_at=refusing_line.clock.now(), prefixes=theirs))

        def end():
            key = {"pk": {"S": "SCANS"}, "sk": {"S": scan_id}}
            refusing_line.client("dynamodb").delete_item(TableName=refusing_line.outputs["TableName"], Key=key)

        with changed(begin, end):
            finding = line_of(look(prefixes=ours), "open scans")

        assert (Level.WARNING if meets else Level.OK) is finding.level
        assert meets or "1 scan of other objects uses the slots, too" in finding.text

    def test_no_one_is_mailed(self, look, refusing_line):
        """If no one is mailed, that is a warning."""
        topic = refusing_line.client("sns").create_topic(Name="lonely")["TopicArn"]

        assert_only(look(alerts_topic_arn=topic), "mail", Level.WARNING, "No one is mailed")

    def test_unconfirmed(self):
        """Addresses that have not confirmed stop a scan, unless it is wanted all the same."""
        pending = [{"Protocol": "email", "Endpoint": "reviewer@example.com", "SubscriptionArn": "PendingConfirmation"}]
        sns = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Subscriptions": pending}]))
        clients, deployed = SimpleNamespace(sns=sns), SimpleNamespace(alerts_topic_arn="arn")

        cases = [SimpleNamespace(clients=clients, deployment=deployed, unconfirmed_mail=accepted) for accepted in (False, True)]

        found = [findings_of("mail", people.mail, case) for case in cases]

        assert [Level.STOP, Level.WARNING] == [finding.level for (finding,) in found]


def test_nothing_may_be_seen(look, refusing_line):
    """Who may see nothing gets a warning for each thing that is unknown, and no error."""
    listener = refusing_line.session.listener

    def deny(*_):
        raise client_error("AccessDenied", 403)

    denying = SimpleNamespace(asked=listener.asked, calling=deny, answered=listener.answered)
    with changed(
        lambda: setattr(refusing_line.session, "listener", denying), lambda: setattr(refusing_line.session, "listener", listener)
    ):
        findings = look()

    known = {finding.subject for finding in findings if finding.level is Level.OK}
    assert {"privacy", "region", "rekognition quota", "image quota"} == known
    assert {Level.WARNING} == {finding.level for finding in findings if finding.subject not in {*known, "bucket"}}
    assert all(finding.cure for finding in findings if finding.level is not Level.OK)
