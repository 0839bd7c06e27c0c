"""Who may do what: every action of every role, on what."""

import json
import re

import pytest

from stacks.settings import BUCKETS, KMS_KEYS

TABLE = "${ScansTable.Arn}"
LANES = ("${LanesNormalQueue.Arn}", "${LanesExpressQueue.Arn}")
MAPPINGS = tuple(
    f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:event-source-mapping:${{StartAnalysis{lane}}}"
    for lane in ("Normal", "Express")
)
UPLOADS, UPLOADS_DEAD = "${NewUploadUploads.Arn}", "${NewUploadDeadLetters.Arn}"
OBJECTS = tuple(f"arn:${{AWS::Partition}}:s3:::{name}/*" for name in ("amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"))
LISTED = tuple(f"arn:${{AWS::Partition}}:s3:::{name}" for name in ("amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"))
# As many buckets with the longest names as the variables of the sweeper take.
WATCHED = 13
# AWS has no narrower resource for these: the service authorization reference lists no resource types for them.
NO_RESOURCE_LEVEL = {f"rekognition:{name}" for name in ("StartContentModeration", "GetContentModeration", "DetectModerationLabels")}


def every(operations, resources):
    """Return (action, resource) for each pairing; operations are separated by spaces, after the service."""
    service, *names = operations.split()
    return {(f"{service}:{name}", resource) for name in names for resource in resources}


def logs(part):
    """Return what a function needs for its logs, and no other's."""
    return every("logs CreateLogStream PutLogEvents", [f"${{{part}HandlerLogs.Arn}}"])


EXPECTED = {
    "BatchInvokeHandlerRole": logs("BatchInvoke")
    | every("dynamodb GetItem PutItem UpdateItem", [TABLE])
    | every("sqs SendMessage", LANES)
    | every("s3 GetObject GetObjectVersion", OBJECTS)
    | every("s3 ListBucket", LISTED),
    "StartAnalysisHandlerRole": logs("StartAnalysis")
    | every("dynamodb GetItem BatchGetItem Query PutItem UpdateItem DeleteItem", [TABLE])
    | every("sqs ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes", LANES)
    | every("rekognition StartContentModeration", ["*"])
    | every("iam PassRole", ["${RekognitionRole.Arn}"])
    | every("s3 GetObject GetObjectVersion", OBJECTS)
    | every("s3 ListBucket", LISTED),
    "CompletionHandlerRole": logs("Completion")
    | every("dynamodb GetItem Query UpdateItem DeleteItem BatchWriteItem", [TABLE])
    | every("s3 PutObject", ["${WorkBucket.Arn}/hits/*"])
    | every("rekognition GetContentModeration", ["*"])
    | every("sqs SendMessage", ["${CompletionDeadLetters.Arn}"]),
    "SweeperHandlerRole": logs("Sweeper")
    | every("dynamodb GetItem BatchGetItem Query PutItem UpdateItem DeleteItem", [TABLE])
    | every("dynamodb Query", [f"{TABLE}/index/work", f"{TABLE}/index/by_scan"])
    | every("sqs SendMessage GetQueueAttributes PurgeQueue", LANES)
    | every("sqs GetQueueAttributes", ("${LanesNormalDeadLetters.Arn}", "${LanesExpressDeadLetters.Arn}"))
    | every("lambda InvokeFunction", ["${CompletionHandlerFunction.Arn}"])
    | every("lambda GetEventSourceMapping UpdateEventSourceMapping", MAPPINGS)
    | every("rekognition GetContentModeration", ["*"])
    | every("sns ListSubscriptionsByTopic Publish", ["${NotificationsAlerts}"])
    | every("s3 DescribeJob", ["arn:${AWS::Partition}:s3:${AWS::Region}:${AWS::AccountId}:job/*"])
    | every("sqs SendMessage", ["${SweeperDeadLetters.Arn}"]),
    "RekognitionRole": every("sns Publish", ["${NotificationsCompletions}"]),
    "BatchRole": every("s3 GetObject PutObject", ["${WorkBucket.Arn}/manifests/*"])
    | every("s3 PutInventoryConfiguration", LISTED)
    | every("s3 PutObject", ["${WorkBucket.Arn}/reports/*"])
    | every("s3 GetBucketLocation", ["${WorkBucket.Arn}"])
    | every("lambda InvokeFunction", ["${BatchInvokeHandlerFunction.Arn}"]),
}


# What a deployment adds that watches the first bucket.
WATCHING = {
    "NewUploadHandlerRole": logs("NewUpload")
    | every("dynamodb GetItem PutItem UpdateItem", [TABLE])
    | every("sqs SendMessage", LANES)
    | every("sqs ReceiveMessage DeleteMessage GetQueueAttributes", [UPLOADS])
    | every("s3 GetObject GetObjectVersion", OBJECTS[:1])
    | every("s3 ListBucket", LISTED[:1]),
    "SweeperHandlerRole": EXPECTED["SweeperHandlerRole"]
    | every("s3 ListBucket", LISTED[:1])
    | every("sqs SendMessage", [UPLOADS])
    | every("sqs GetQueueAttributes", [UPLOADS_DEAD]),
}


FRAMES_LANES = ("${FramesNormalQueue.Arn}", "${FramesExpressQueue.Arn}")
# What the engine of frames adds to the deployment that watches the first bucket.
FRAMES = {
    "SampleFramesHandlerRole": logs("SampleFrames")
    | every("dynamodb GetItem BatchGetItem Query PutItem UpdateItem DeleteItem BatchWriteItem", [TABLE])
    | every("sqs ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes", FRAMES_LANES)
    | every("rekognition DetectModerationLabels", ["*"])
    | every("s3 PutObject", ["${WorkBucket.Arn}/hits/*"])
    | every("s3 GetObject GetObjectVersion", OBJECTS)
    | every("s3 ListBucket", LISTED),
    "BatchInvokeHandlerRole": EXPECTED["BatchInvokeHandlerRole"] | every("sqs SendMessage", FRAMES_LANES),
    "NewUploadHandlerRole": WATCHING["NewUploadHandlerRole"] | every("sqs SendMessage", FRAMES_LANES),
    "SweeperHandlerRole": WATCHING["SweeperHandlerRole"]
    | every("sqs SendMessage GetQueueAttributes PurgeQueue", FRAMES_LANES)
    | every("sqs GetQueueAttributes", ("${FramesNormalDeadLetters.Arn}", "${FramesExpressDeadLetters.Arn}"))
    | every(
        "lambda GetEventSourceMapping UpdateEventSourceMapping",
        tuple(mapping.replace("StartAnalysis", "SampleFrames") for mapping in MAPPINGS),
    ),
}


OUTBOX, OUTBOX_DEAD = "${PublishVerdictOutbox.Arn}", "${PublishVerdictDeadLetters.Arn}"
# What the consequences of verdicts add to all of that.
PUBLISHING = {
    "PublishVerdictHandlerRole": logs("PublishVerdict")
    | every("dynamodb GetItem Query UpdateItem DeleteItem", [TABLE])
    | every("sqs ReceiveMessage DeleteMessage GetQueueAttributes", [OUTBOX])
    | every("events PutEvents", ["arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"])
    | every("s3 GetObject GetObjectVersion GetObjectTagging GetObjectVersionTagging", OBJECTS)
    | every("s3 PutObjectTagging PutObjectVersionTagging PutObjectAnnotation PutObjectVersionAnnotation", OBJECTS)
    | every("s3 ListBucket", LISTED),
    "CompletionHandlerRole": EXPECTED["CompletionHandlerRole"] | every("dynamodb PutItem", [TABLE]),
    "SweeperHandlerRole": FRAMES["SweeperHandlerRole"] | every("sqs SendMessage GetQueueAttributes", [OUTBOX]),
}


def as_list(value):
    """Return a policy's value as a list: one element may stand alone."""
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def allowed_by(role_statements, text_of):
    """Return a function from a template to the (action, resource) pairs that each role allows."""
    return lambda template: {
        role: {
            (action, text_of(resource))
            for statement in statements
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        for role, statements in role_statements(template).items()
    }


@pytest.fixture(scope="module")
def allowed(allowed_by, template):
    """Return the (action, resource) pairs that each role allows."""
    return allowed_by(template)


def test_roles(allowed):
    """There is a role for each function, one for Rekognition and one for the batch job, and no other."""
    assert set(allowed) == set(EXPECTED)


@pytest.mark.parametrize("role", EXPECTED)
def test_role_may_exactly_this(allowed, role):
    """A role holds the actions that its owner performs, on the resources it performs them on, and not one more."""
    assert allowed[role] == EXPECTED[role]


def test_watching_adds_exactly_this(allowed_by, watching):
    """Watching a bucket gives its function and the sweeper what they need for that, and other roles nothing."""
    assert allowed_by(watching) == EXPECTED | WATCHING


def test_frames_add_exactly_this(allowed_by, sampling):
    """The engine of frames gives its function, those that send to its lanes, and the sweeper what they need, and others nothing."""
    assert allowed_by(sampling) == EXPECTED | WATCHING | FRAMES


def test_consequences_add_exactly_this(allowed_by, publishing):
    """Consequences give their function, completion and the sweeper what they need, and others nothing."""
    assert allowed_by(publishing) == EXPECTED | WATCHING | FRAMES | PUBLISHING


@pytest.mark.parametrize(
    ("switch", "missing"),
    [
        ("publish_events", {"s3:PutObjectTagging", "s3:GetObject", "s3:PutObjectAnnotation"}),
        ("tag_objects", {"s3:PutObjectAnnotation"}),
        ("annotate_objects", {"s3:PutObjectTagging", "s3:GetObject"}),
    ],
)
def test_one_consequence(allowed_by, templates, switch, missing):
    """Each consequence alone brings the function, and only its own permissions."""
    actions = {action for action, _ in allowed_by(templates(**{switch: True}))["PublishVerdictHandlerRole"]}

    assert ({"events:PutEvents"}, set()) == ({"events:PutEvents"} & actions, missing & actions)


def test_keys_of_annotations(allowed_by, templates):
    """An annotation is encrypted as its object: writing one takes the object's key."""
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    allowed = allowed_by(templates(annotate_objects=True, kms_keys=[key]))["PublishVerdictHandlerRole"]

    assert every("kms Decrypt GenerateDataKey", [key]) <= allowed


def test_only_allow_without_exceptions(template, role_statements):
    """A role's permissions are plain: Allow, Action, Resource; nothing is granted by what is left out."""
    forms = {frozenset(s) for statements in role_statements(template).values() for s in statements}

    assert forms == {frozenset({"Effect", "Action", "Resource"})}


def test_no_wildcards(templates, role_statements, text_of):
    """No action holds a wildcard, and "*" is a resource only where AWS knows none, whichever buckets are read and watched."""
    template = templates(source_buckets=["*"], watch=[{"bucket": "amzn-s3-demo-bucket"}], frames=True, tag_objects=True)
    statements = [s for each in role_statements(template).values() for s in each]

    actions = {action for statement in statements for action in as_list(statement["Action"])}
    on_anything = {
        action
        for statement in statements
        for action in as_list(statement["Action"])
        if "*" in [text_of(resource) for resource in as_list(statement["Resource"])]
    }

    assert not [action for action in actions if "*" in action]
    assert on_anything == NO_RESOURCE_LEVEL


def test_no_managed_policy(template):
    """No role takes over a policy that AWS may widen."""
    roles = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role"]

    assert not [role for role in roles if "ManagedPolicyArns" in role]


def test_trust(template, text_of):
    """Each role is assumed by one service; Rekognition only in the name of this account (defect 20 of the seed)."""
    trust = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            trust[text_of({"Ref": name})] = (statement["Principal"]["Service"], statement.get("Condition"))

    assert trust == {
        "${BatchInvokeHandlerRole}": ("lambda.amazonaws.com", None),
        "${StartAnalysisHandlerRole}": ("lambda.amazonaws.com", None),
        "${CompletionHandlerRole}": ("lambda.amazonaws.com", None),
        "${SweeperHandlerRole}": ("lambda.amazonaws.com", None),
        "${BatchRole}": ("batchoperations.s3.amazonaws.com", None),
        "${RekognitionRole}": (
            "rekognition.amazonaws.com",
            {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        ),
    }


def test_readers_of_videos_may_decrypt_with_the_keys_named(templates, role_statements):
    """Who reads videos may use the customer's keys that the context names, and no other role may use any.

    Of Start, both the caller and the role of its notification channel may generate data keys too.
    """
    keys = [f"arn:aws:kms:us-east-1:111122223333:key/{number}" for number in range(2)]

    roles = role_statements(templates(kms_keys=keys, watch=[{"bucket": "amzn-s3-demo-bucket"}], frames=True))

    both = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert {
        "BatchInvokeHandlerRole": {"kms:Decrypt"},
        "NewUploadHandlerRole": {"kms:Decrypt"},
        "SampleFramesHandlerRole": {"kms:Decrypt"},
        "StartAnalysisHandlerRole": both,
        "RekognitionRole": both,
    } == {role: found for role, statements in roles.items() if (found := actions_on(statements, keys))}
    assert {} == {role: found for role, statements in roles.items() if (found := actions_on(statements, ["*"], service="kms"))}


def actions_on(statements, resources, service=""):
    """Return the actions (of a service) that statements allow on these resources."""
    found = (action for each in statements if as_list(each["Resource"]) == resources for action in as_list(each["Action"]))
    return {action for action in found if action.startswith(service)}


def test_policies_fit_with_the_most_buckets(templates, role_statements, text_of):
    """The most buckets and keys, with the longest names, fit the 10,240 characters of a role's inline policies, in one policy."""
    longest = [f"{number:02}".ljust(63, "x") for number in range(BUCKETS)]
    keys = [f"arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-{number:032x}" for number in range(KMS_KEYS)]
    template = templates(source_buckets=longest, kms_keys=keys, watch=[{"bucket": name} for name in longest[:WATCHED]])

    sizes = {}
    for role, statements in role_statements(template).items():
        resolved = [each | {"Resource": [long(text_of(r)) for r in as_list(each["Resource"])]} for each in statements]
        sizes[role] = len(json.dumps({"Version": "2012-10-17", "Statement": resolved}, separators=(",", ":")))

    assert max(sizes.values()) < 10_240
    assert sizes["StartAnalysisHandlerRole"] > 5_000
    assert "AWS::IAM::ManagedPolicy" not in {resource["Type"] for resource in template["Resources"].values()}


def long(arn):
    """Return an ARN with its references replaced by something at least as long as what they will be."""
    return re.sub(r"\$\{[^}]*\}", "x" * 160, arn.replace("${AWS::Partition}", "aws-us-gov"))
