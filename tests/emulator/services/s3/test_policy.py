"""What a bucket's policy says about a request, and which policies S3 takes; without a world.

Semantics from https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
reference_policies_condition-single-vs-multi-valued-context-keys.html.
"""

import json

import pytest

from tools.emulator.core import AwsError, UnsupportedError
from tools.emulator.services.s3 import ANYBODY, Decision, Requester, access, parse_policy, permits

BUCKET = "amzn-s3-demo-bucket"
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"
ACCOUNT = "111122223333"
ROOT = Requester.root(ACCOUNT)
USER = Requester(f"arn:aws:iam::{ACCOUNT}:user/alice")
READER = Requester.session(f"arn:aws:iam::{ACCOUNT}:role/reader", "function")
OTHER = Requester.session(f"arn:aws:iam::{ACCOUNT}:role/path/other", "function")
STRANGER = Requester.session("arn:aws:iam::444455556666:role/reader", "function")
EVERYBODY = (ROOT, USER, READER, OTHER, STRANGER, ANYBODY)


def policy(*statements):
    """Return a policy of statements that deny GetObject to everybody, but for what they say."""
    usual = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}
    made = []
    for statement in statements:
        removed = {f"Not{name}": name for name in ("Principal", "Action", "Resource")}
        whole = usual | statement
        made.append({name: value for name, value in whole.items() if name not in [removed.get(one) for one in statement]})
    return {"Version": "2012-10-17", "Statement": made}


def parse(*statements):
    """Parse such a policy."""
    return parse_policy(json.dumps(policy(*statements)), BUCKET)


def decide(statement, requester=READER, action="s3:GetObject", key="a", **keys):
    """Return what a policy of one statement says."""
    return parse(statement).decide(access(requester, action, BUCKET, key, **keys))


def holds(condition, **keys):
    """Tell whether a condition of a statement on PutObjectTagging holds."""
    statement = {"Action": "s3:PutObjectTagging", "Condition": condition}
    return decide(statement, action="s3:PutObjectTagging", **keys) is Decision.DENIED


def denied(bucket_policy, requesters, **keys):
    """Return who may not read an object."""
    parsed = parse_policy(json.dumps(bucket_policy), BUCKET)
    return [one for one in requesters if not permits(parsed, access(one, "s3:GetObject", BUCKET, "a", **keys), ACCOUNT)]


def test_without_a_policy_the_account_may_do_everything():
    """A bucket without a policy is open to its account, and closed to all others."""
    answers = [permits(None, access(one, "s3:GetObject", BUCKET, "a"), ACCOUNT) for one in EVERYBODY]

    assert [True, True, True, True, False, False] == answers


def test_a_denial_outweighs_everything():
    """A statement that denies counts more than one that allows, in any order; one that allows opens the bucket to others."""
    allow, deny = {"Effect": "Allow"}, {"Principal": {"AWS": USER.arn}}

    for statements in ((allow, deny), (deny, allow)):
        assert [USER] == denied(policy(*statements), EVERYBODY)


# GuardDuty's policy for objects that were not found clean, from its guide (tag-based-access-s3-malware-protection).
_CLEAN = {
    "Sid": "NoReadExceptForClean",
    "NotPrincipal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", READER.arn, READER.role]},
    "Action": ["s3:GetObject", "s3:GetObjectVersion"],
    "Condition": {"StringNotEquals": {"s3:ExistingObjectTag/GuardDutyMalwareScanStatus": "NO_THREATS_FOUND"}},
}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, [USER, OTHER]),
        ({"GuardDutyMalwareScanStatus": "THREATS_FOUND"}, [USER, OTHER]),
        ({"GuardDutyMalwareScanStatus": "no_threats_found"}, [USER, OTHER]),
        ({"GuardDutyMalwareScanStatus": "NO_THREATS_FOUND"}, []),
    ],
)
def test_deny_unless_clean(tags, expected):
    """Who is not named cannot read what is not tagged clean; who is named with account, role and session can."""
    assert expected == denied(policy(_CLEAN), [ROOT, USER, READER, OTHER], existing_tags=tags)


# Of cdk-serverless-clamscan.
_INFECTED = {
    "Condition": {
        "StringEquals": {"s3:ExistingObjectTag/scan-status": ["IN PROGRESS", "INFECTED", "ERROR"]},
        "ArnNotEquals": {"aws:PrincipalArn": [READER.role, READER.arn]},
    }
}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [({}, []), ({"scan-status": "CLEAN"}, []), ({"scan-status": "INFECTED"}, [ROOT, USER, OTHER])],
)
def test_deny_flagged(tags, expected):
    """Untagged objects stay readable; a session is exempt by the ARN of its role."""
    assert expected == denied(policy(_INFECTED), [ROOT, USER, READER, OTHER], existing_tags=tags)


@pytest.mark.parametrize(
    ("names", "exempt"),
    [
        ([READER.role], False),  # the account and the session would have to be named too
        ([READER.role, READER.arn], False),
        ([READER.role, READER.arn, ACCOUNT], True),
        ([READER.arn, ACCOUNT], False),
    ],
)
def test_not_principal_names_account_role_and_session(names, exempt):
    """NotPrincipal exempts a session only if it names all by which it may be seen; it never exempts an anonymous request."""
    statement = {"NotPrincipal": {"AWS": names}}

    assert exempt is (decide(statement) is Decision.UNDECIDED)
    assert Decision.DENIED is decide(statement, ANYBODY)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", EVERYBODY),
        ({"AWS": "*"}, EVERYBODY),
        ({"AWS": ACCOUNT}, (ROOT, USER, READER, OTHER)),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, (ROOT, USER, READER, OTHER)),
        ({"AWS": [USER.arn, OTHER.role]}, (USER, OTHER)),
        ({"AWS": READER.arn}, (READER,)),
        ({"Service": "batchoperations.s3.amazonaws.com"}, ()),
    ],
)
def test_principals(principal, expected):
    """A principal is everybody, an account with all that is in it, a user, a role with its sessions, or one session."""
    assert list(expected) == [one for one in EVERYBODY if decide({"Principal": principal}, one) is Decision.DENIED]


@pytest.mark.parametrize(
    ("statement", "action", "key", "expected"),
    [
        ({"Action": "s3:*"}, "s3:GetObject", "a", True),
        ({"Action": "S3:getobject"}, "s3:GetObject", "a", True),
        ({"Action": "s3:Get*Version"}, "s3:GetObjectVersion", "a", True),
        ({"Action": "s3:GetObject"}, "s3:GetObjectVersion", "a", False),
        ({"NotAction": "s3:GetObject"}, "s3:GetObjectVersion", "a", True),
        ({"NotAction": "s3:GetObject"}, "s3:GetObject", "a", False),
        ({"Resource": f"arn:aws:s3:::{BUCKET}/in/*"}, "s3:GetObject", "in/a/b", True),
        ({"Resource": f"arn:aws:s3:::{BUCKET}/in/?.mp4"}, "s3:GetObject", "in/a.mp4", True),
        ({"Resource": f"arn:aws:s3:::{BUCKET}/in/*"}, "s3:GetObject", "IN/a", False),
        ({"Resource": f"arn:aws:s3:::{BUCKET}*"}, "s3:GetObject", "a\nb", True),
        ({"NotResource": f"arn:aws:s3:::{BUCKET}/in/*"}, "s3:GetObject", "in/a", False),
        ({"NotResource": f"arn:aws:s3:::{BUCKET}/in/*"}, "s3:GetObject", "out/a", True),
        ({"Action": "s3:*"}, "s3:ListBucket", None, False),  # the bucket is none of its objects
        ({"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"}, "s3:ListBucket", None, True),
    ],
)
def test_actions_and_resources(statement, action, key, expected):
    """Actions have no case, keys do; both have wildcards."""
    assert expected is (decide(statement, action=action, key=key) is Decision.DENIED)


TAG = "s3:ExistingObjectTag/k"
HAS = {"existing_tags": {"k": "Some/value"}}


@pytest.mark.parametrize(
    ("condition", "keys", "expected"),
    [
        ({"StringEquals": {TAG: "Some/value"}}, HAS, True),
        ({"StringEquals": {TAG: ["x", "Some/value"]}}, HAS, True),
        ({"StringEquals": {TAG: "some/value"}}, HAS, False),
        ({"StringEquals": {TAG: "Some*"}}, HAS, False),
        ({"StringEquals": {TAG: "x"}}, {}, False),
        ({"StringNotEquals": {TAG: "x"}}, {}, True),  # a negated operator holds where there is no such key
        ({"StringNotEquals": {TAG: ["x", "Some/value"]}}, HAS, False),  # none of them
        ({"StringNotEquals": {TAG: ["x", "y"]}}, HAS, True),
        ({"StringEqualsIfExists": {TAG: "x"}}, {}, True),
        ({"StringEqualsIfExists": {TAG: "x"}}, HAS, False),
        ({"StringNotEqualsIfExists": {TAG: "Some/value"}}, {}, True),
        ({"StringNotEqualsIfExists": {TAG: "Some/value"}}, HAS, False),
        ({"StringEqualsIgnoreCase": {TAG: "SOME/VALUE"}}, HAS, True),
        ({"StringNotEqualsIgnoreCase": {TAG: "SOME/VALUE"}}, HAS, False),
        ({"StringLike": {TAG: "S?me/*"}}, HAS, True),
        ({"StringNotLike": {TAG: "S?me/*"}}, HAS, False),
        ({"Null": {TAG: "true"}}, {}, True),
        ({"Null": {TAG: "true"}}, HAS, False),
        ({"Null": {TAG: False}}, HAS, True),
        ({"StringEquals": {TAG: "Some/value"}, "Null": {TAG: "true"}}, HAS, False),  # all operators
        ({"StringEquals": {TAG: "Some/value", "s3:ExistingObjectTag/j": "1"}}, HAS, False),  # all keys
        ({"StringEquals": {"S3:existingobjecttag/K": "Some/value"}}, HAS, True),  # names of keys have no case
        ({"ArnEquals": {"aws:PrincipalArn": READER.role}}, {}, True),
        ({"ArnEquals": {"aws:PrincipalArn": READER.arn}}, {}, False),  # of a session it is the role
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/r*"}}, {}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}}, {}, False),  # six parts, each by itself
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"}}, {}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/other"}}, {}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:PrincipalType": "AssumedRole"}}, {}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"more": {"aws:SecureTransport": ("true",)}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, {"more": {"aws:SecureTransport": ("true",)}}, True),
        ({"BoolIfExists": {"aws:SecureTransport": "false"}}, {}, True),
    ],
)
def test_conditions(condition, keys, expected):
    """Each operator holds as IAM's reference says."""
    assert expected is holds(condition, **keys)


KEYS = "s3:RequestObjectTagKeys"


@pytest.mark.parametrize(
    ("condition", "tags", "expected"),
    [
        ({"ForAnyValue:StringEquals": {KEYS: ["a", "b"]}}, {"a": "", "x": ""}, True),
        ({"ForAnyValue:StringEquals": {KEYS: ["a", "b"]}}, {"x": ""}, False),
        ({"ForAnyValue:StringEquals": {KEYS: ["a"]}}, {}, False),
        ({"ForAnyValue:StringNotEquals": {KEYS: ["a"]}}, {"a": "", "x": ""}, True),
        ({"ForAnyValue:StringNotEquals": {KEYS: ["a"]}}, {}, False),
        ({"ForAllValues:StringEquals": {KEYS: ["a", "b"]}}, {"a": ""}, True),
        ({"ForAllValues:StringEquals": {KEYS: ["a", "b"]}}, {"a": "", "x": ""}, False),
        ({"ForAllValues:StringEquals": {KEYS: ["a"]}}, {}, True),  # also without any
        ({"ForAllValues:StringNotEquals": {KEYS: ["a"]}}, {"x": "", "y": ""}, True),
        ({"ForAllValues:StringNotEquals": {KEYS: ["a"]}}, {"a": "", "y": ""}, False),
        ({"ForAllValues:StringLike": {KEYS: ["Owner", "CreationDate*"]}}, {"CreationDate1": ""}, True),
        ({"Null": {KEYS: "true"}}, {}, True),
        ({"StringEquals": {"s3:RequestObjectTag/a": "1"}}, {"a": "1"}, True),
        ({"StringEquals": {"s3:RequestObjectTag/a": "1"}}, {"b": "1"}, False),
        ({"StringNotEquals": {"s3:RequestObjectTag/a": "1"}}, {}, True),
    ],
)
def test_conditions_on_the_tags_of_a_request(condition, tags, expected):
    """Any and all of several values, and the value of one tag."""
    assert expected is holds(condition, request_tags=tags)


@pytest.mark.parametrize(
    ("action", "known"),
    [("s3:GetObjectTagging", True), ("s3:PutObjectTagging", True), ("s3:GetObjectVersion", True), ("s3:DeleteObject", False)],
)
def test_which_actions_know_the_tags_of_an_object(action, known):
    """Writing and deleting cannot be made to depend on the tags that an object has [S3:tagging-and-policies]."""
    statement = {"Action": "s3:*", "Condition": {"StringEquals": {TAG: "1"}}}

    assert known is (decide(statement, action=action, existing_tags={"k": "1"}) is Decision.DENIED)


def test_of_tags_that_differ_in_case_the_one_asked_for_is_meant():
    """Another tag in another case does not stand for that which has the right case."""
    condition = {"StringEquals": {"s3:ExistingObjectTag/Status": "bad"}}

    for tags in ({"Status": "bad", "status": "good"}, {"status": "good", "Status": "bad"}):
        assert holds(condition, existing_tags=tags)


def test_the_root_keeps_the_policy():
    """Whatever a policy denies, the root of the account may read, replace and delete it [S3API:API_PutBucketPolicy]; no more."""
    parsed = parse({"Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}", OBJECTS]})

    def may(one, action):
        return permits(parsed, access(one, action, BUCKET), ACCOUNT)

    assert [True, True, True] == [may(ROOT, f"s3:{verb}BucketPolicy") for verb in ("Get", "Put", "Delete")]
    assert [False, False] == [may(ROOT, "s3:ListBucket"), may(USER, "s3:PutBucketPolicy")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first byte must be '{'"),
        ("[]", "first byte must be '{'"),
        ("{", "invalid Json"),
        ('{"Statement": [], "Statement": []}', "invalid Json"),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Statement is empty!"),
        ('{"Statement": "x"}', "Invalid policy syntax"),
        ('{"Version": "2020-01-01", "Statement": []}', "valid version string"),
        ('{"Stetment": []}', "Unknown field Stetment"),
    ],
)
def test_documents_that_s3_refuses(text, message):
    """What is no policy is malformed."""
    with pytest.raises(AwsError, match=message) as refused:
        parse_policy(text, BUCKET)

    assert ("MalformedPolicy", 400) == (refused.value.code, refused.value.status)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Effect": "deny"}, "Invalid effect: deny"),
        ({"Principle": "*"}, "Unknown field Principle"),
        ({"Principal": "everybody"}, "Invalid principal in policy"),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, "Invalid principal in policy"),
        ({"Principal": {"User": "x"}}, "Invalid principal in policy"),
        ({"Action": "s3:HeadObject"}, "Policy has invalid action"),
        ({"Action": "ec2:*"}, "Policy has invalid action"),
        ({"Resource": "*"}, "Policy has invalid resource"),
        ({"Resource": "arn:aws:s3:::another-bucket/*"}, "Policy has invalid resource"),
        ({"Action": ["s3:GetObject", "s3:ListBucket"]}, "Action does not apply to any resource"),
        ({"Resource": f"arn:aws:s3:::{BUCKET}"}, "Action does not apply to any resource"),
        ({"Condition": {"StringIs": {TAG: "1"}}}, "Invalid Condition type : StringIs"),
        ({"Condition": {"NullIfExists": {TAG: "true"}}}, "Invalid Condition type"),
        ({"Condition": {"StringEquals": {"ec2:Region": "1"}}}, "invalid condition key"),
        ({"Action": "s3:DeleteObject", "Condition": {"StringEquals": {TAG: "1"}}}, "Conditions do not apply to combination"),
        ({"Condition": {"StringEquals": {"s3:RequestObjectTag/k": "1"}}}, "Conditions do not apply to combination"),
        ({"Condition": {"StringEquals": {TAG: {}}}}, "Invalid policy syntax"),
    ],
)
def test_statements_that_s3_refuses(change, message):
    """A statement that S3 would not take is malformed, with S3's message."""
    with pytest.raises(AwsError, match=message) as refused:
        parse(change)

    assert "MalformedPolicy" == refused.value.code


@pytest.mark.parametrize("field", ["Effect", "Principal", "Action", "Resource"])
def test_each_field_is_required(field):
    """A statement without one of its fields is malformed, and S3 names it."""
    document = policy({})
    del document["Statement"][0][field]

    with pytest.raises(AwsError, match=f"Missing required field {field}"):
        parse_policy(json.dumps(document), BUCKET)


def test_a_principal_that_does_not_exist():
    """S3 refuses a policy that names a role that does not exist."""
    document = json.dumps(policy({"Principal": {"AWS": READER.role}}))

    parse_policy(document, BUCKET, lambda arn: arn == READER.role)
    with pytest.raises(AwsError, match="Invalid principal in policy"):
        parse_policy(document, BUCKET, lambda _: False)


def test_a_policy_has_a_size():
    """A policy has 20,480 bytes at most, whatever spaces are in it."""
    usual = policy({"Sid": ""})
    room = 20_480 - len(json.dumps(usual, separators=(",", ":")))

    parse_policy(json.dumps(policy({"Sid": "s" * room}), indent=8), BUCKET)
    with pytest.raises(AwsError, match="20480 bytes"):
        parse_policy(json.dumps(policy({"Sid": "s" * (room + 1)})), BUCKET)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "IpAddress"),
        ({"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}}, "aws:CurrentTime"),
        ({"Condition": {"NumericEqualsIfExists": {"s3:max-keys": "10"}}}, "NumericEqualsIfExists"),
        ({"Condition": {"StringEquals": {"s3:TlsVersion": "1.2"}}}, "s3:TlsVersion"),
        ({"Condition": {"StringEquals": {TAG: "${aws:username}"}}}, "variables"),
        ({"Resource": f"arn:aws:s3:::{BUCKET}/${{aws:username}}/*"}, "variables"),
        ({"Action": "s3:PutObject", "Condition": {"StringEquals": {KEYS: "a"}}}, "ForAllValues"),
        ({"Principal": {"Federated": "x"}}, "Federated"),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}}, "NotPrincipal"),
    ],
)
def test_what_is_missing_is_refused_by_name(change, named):
    """What IAM has and the offline world lacks is never ignored."""
    with pytest.raises(UnsupportedError, match=named.replace("$", "\\$")):
        parse(change)
