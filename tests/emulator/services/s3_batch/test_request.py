import pytest

from tools.emulator.core import AwsError

ROLE = "arn:aws:iam::111122223333:role/batch"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:batch-invoke"


def _refused(bench, **members):
    with pytest.raises(AwsError) as caught:
        bench.submit(**members)
    return caught.value


def _invoke(**members):
    return {"LambdaInvoke": {"FunctionArn": FUNCTION, **members}}


def _report(**members):
    report = {"Enabled": True, "Bucket": "arn:aws:s3:::work", "Format": "Report_CSV_20180820", "ReportScope": "AllTasks"}
    return {**report, **members}


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"AccountId": "12"}, "AccountId"),
        ({"ClientRequestToken": ""}, "ClientRequestToken"),
        ({"ClientRequestToken": "x" * 65}, "ClientRequestToken"),
        ({"Priority": None}, "Priority"),
        ({"Priority": -1}, "Priority"),
        ({"Priority": 2_147_483_648}, "Priority"),
        ({"RoleArn": None}, "RoleArn"),
        ({"RoleArn": "arn:aws:iam::111122223333:user/batch"}, "RoleArn"),
        ({"Description": ""}, "Description"),
        ({"Description": "x" * 257}, "Description"),
        ({"Operation": None}, "Operation is required"),
        ({"Operation": {}}, "Exactly one operation"),
        ({"Operation": {"LambdaInvoke": {}, "S3PutObjectTagging": {}}}, "Exactly one operation"),
        ({"Operation": {"LambdaInvoke": {}}}, "FunctionArn"),
        ({"Operation": {"LambdaInvoke": {"FunctionArn": "arn:aws:sns:us-east-1:111122223333:topic"}}}, "FunctionArn"),
        ({"Operation": _invoke(InvocationSchemaVersion="3.0")}, "InvocationSchemaVersion"),
        ({"Operation": _invoke(UserArguments={"a": "b"})}, "InvocationSchemaVersion 2.0"),
        ({"Operation": _invoke(InvocationSchemaVersion="1.0", UserArguments={"a": "b"})}, "InvocationSchemaVersion 2.0"),
        ({"Operation": _invoke(InvocationSchemaVersion="2.0", UserArguments={})}, "1 to 10 entries"),
        ({"Operation": _invoke(InvocationSchemaVersion="2.0", UserArguments={str(n): "" for n in range(11)})}, "1 to 10 entries"),
        ({"Operation": _invoke(InvocationSchemaVersion="2.0", UserArguments={"a" * 65: "b"})}, "1 to 64"),
        ({"Operation": _invoke(InvocationSchemaVersion="2.0", UserArguments={"a": "b" * 1025})}, "up to 1024"),
        ({"Report": None}, "Report is required"),
        ({"Report": {}}, "Report.Enabled is required"),
        ({"Report": _report(Bucket=None)}, "Bucket"),
        ({"Report": _report(Bucket="work")}, "Report.Bucket"),
        ({"Report": _report(Format=None)}, "Report.Format"),
        ({"Report": _report(ReportScope="Some")}, "Report.ReportScope"),
        ({"Report": _report(Prefix="x" * 513)}, "Prefix"),
        ({"Report": _report(ExpectedBucketOwner="me")}, "ExpectedBucketOwner"),
        ({"Manifest": None}, "Manifest or ManifestGenerator is required"),
        ({"ManifestGenerator": {}}, "not both"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "unique"),
        ({"Tags": [{"Key": "", "Value": "1"}]}, "Key"),
        ({"Tags": [{"Key": "a", "Value": "<b>"}]}, "Tags.Value"),
    ],
)
def test_bad_request(bench, members, part):
    """What S3 refuses is refused before a job exists, with a message that names the parameter."""
    error = _refused(bench, **members)

    assert ("BadRequestException", 400) == (error.code, error.status)
    assert part in error.message
    assert ([], None) == bench.engine.list_jobs()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"Location": {"ObjectArn": "arn:aws:s3:::work", "ETag": "e"}}, "ObjectArn"),
        ({"Location": {"ObjectArn": "arn:aws:s3:::work/m.csv"}}, "ETag"),
        ({"Location": {"ObjectArn": "arn:aws:s3:::work/m.csv", "ETag": "e", "ObjectVersionId": ""}}, "ObjectVersionId"),
        ({"Location": None}, "Manifest.Location is required"),
        ({"Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Name"]}}, "Fields"),
    ],
)
def test_bad_manifest_member(bench, changes, part):
    """The members of Manifest are checked as well."""
    error = _refused(bench, Manifest={**bench.request()["Manifest"], **changes})

    assert "BadRequestException" == error.code
    assert part in error.message


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"Operation": {"S3PutObjectTagging": {"TagSet": []}}}, "S3PutObjectTagging"),
        (
            {
                "Manifest": {
                    "Spec": {"Format": "S3InventoryReport_CSV_20161130"},
                    "Location": {"ObjectArn": "arn:aws:s3:::work/m.json", "ETag": "e"},
                }
            },
            "S3InventoryReport_CSV_20161130",
        ),
    ],
)
def test_not_implemented(bench, members, name):
    """What the emulator lacks is refused by name."""
    error = _refused(bench, **members)

    assert ("NotImplemented", 501) == (error.code, error.status)
    assert name in error.message


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"AccountId": "444455556666"}, "Access Denied"),
        ({"RoleArn": ROLE.replace("1111", "4444")}, "Cross-account pass role is not allowed"),
    ],
)
def test_other_account(bench, members, message):
    """Another account's jobs and roles are denied."""
    error = _refused(bench, **members)

    assert ("AccessDenied", 403, message) == (error.code, error.status, error.message)


@pytest.mark.parametrize(
    "arn",
    [FUNCTION, f"{FUNCTION}:live", f"{FUNCTION}:$LATEST", f"{FUNCTION}:12", FUNCTION.replace("arn:aws:", "arn:aws-us-gov:")],
)
def test_function_arns(bench, arn):
    """A function may have an alias, a version or $LATEST in its ARN; it is invoked by the ARN of the request."""
    bench.run(Operation={"LambdaInvoke": {"FunctionArn": arn}})

    assert {arn} == bench.functions.arns


def test_too_many_tags(bench):
    """A job has 50 tags at most."""
    error = _refused(bench, Tags=[{"Key": str(number), "Value": ""} for number in range(51)])

    assert "TooManyTagsException" == error.code
