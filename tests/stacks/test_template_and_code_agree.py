"""Names that must agree between the template and the code without an import between them."""

import importlib
import json
from fnmatch import fnmatchcase

import pytest

from handlers import settings
from handlers.adapters.hits import hits_key
from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.record import Record
from handlers.domain.states import State
from handlers.domain.watch import SUFFIXES_WITH_IMAGES, Watch
from tools.lib.aws.deployment import FRAMES_OUTPUTS, NEWER_OUTPUTS, OUTBOX_OUTPUTS, OUTPUTS, WATCH_OUTPUTS

SETTINGS = {
    "batch_invoke": settings.BatchInvokeSettings,
    "start_analysis": settings.StartAnalysisSettings,
    "completion": settings.CompletionSettings,
    "sweeper": settings.SweeperSettings,
}
WATCHING = SETTINGS | {"new_upload": settings.NewUploadSettings}
SAMPLING = WATCHING | {"sample_frames": settings.SampleFramesSettings}
PUBLISHING = SAMPLING | {"publish_verdict": settings.PublishVerdictSettings}


@pytest.fixture(scope="module")
def watching_functions(functions_of, watching):
    """Return the properties of each function of a deployment that watches a bucket."""
    return functions_of(watching)


@pytest.fixture(scope="module")
def sampling_functions(functions_of, sampling):
    """Return the properties of each function of a deployment that watches a bucket and has the engine of frames."""
    return functions_of(sampling)


@pytest.fixture(scope="module")
def publishing_functions(functions_of, publishing):
    """Return the properties of each function of a deployment that has all of that and consequences."""
    return functions_of(publishing)


def test_functions(functions, watching_functions, sampling_functions, publishing_functions):
    """The template has four functions and no other; watching, frames and consequences bring one more each."""
    assert set(functions) == set(SETTINGS)
    assert set(watching_functions) == set(WATCHING)
    assert set(sampling_functions) == set(SAMPLING)
    assert set(publishing_functions) == set(PUBLISHING)


@pytest.mark.parametrize("module", PUBLISHING)
def test_handler_string_imports(publishing_functions, module):
    """What the template names as a handler is a function that the package `handlers` has."""
    path, _, name = publishing_functions[module]["Handler"].rpartition(".")

    handler = getattr(importlib.import_module(path), name)

    assert callable(handler)


@pytest.mark.parametrize(("module", "kind"), SETTINGS.items())
def test_environment_is_the_settings_type(functions, text_of, module, kind):
    """A function reads its settings back from the variables that the template gives it, and it reads all of them."""
    variables = {name: text_of(value) for name, value in functions[module]["Environment"]["Variables"].items()}

    read = settings.from_environment(kind, variables)

    assert settings.to_environment(read) == variables


@pytest.mark.parametrize(("module", "kind"), WATCHING.items())
def test_environment_with_watched_buckets_is_the_settings_type(watching_functions, text_of, module, kind):
    """So it does where a bucket is watched."""
    variables = {name: text_of(value) for name, value in watching_functions[module]["Environment"]["Variables"].items()}

    read = settings.from_environment(kind, variables)

    assert settings.to_environment(read) == variables


@pytest.mark.parametrize(("module", "kind"), SAMPLING.items())
def test_environment_with_frames_is_the_settings_type(sampling_functions, text_of, module, kind):
    """So it does where there is the engine of frames."""
    variables = {name: text_of(value) for name, value in sampling_functions[module]["Environment"]["Variables"].items()}

    read = settings.from_environment(kind, variables)

    assert settings.to_environment(read) == variables


@pytest.mark.parametrize(
    ("module", "variable", "target"),
    [
        *(
            (module, f"FRAMES{lane}_QUEUE_URL", f"${{Frames{queue}Queue}}")
            for module in ("batch_invoke", "new_upload", "sample_frames", "sweeper")
            for lane, queue in (("", "Normal"), ("_EXPRESS", "Express"))
        ),
        ("sweeper", "FRAMES_DEAD_LETTERS_URL", "${FramesNormalDeadLetters}"),
        ("sweeper", "FRAMES_EXPRESS_DEAD_LETTERS_URL", "${FramesExpressDeadLetters}"),
        ("sweeper", "FRAMES_MAPPING_ID", "${SampleFramesNormal}"),
        ("sweeper", "FRAMES_EXPRESS_MAPPING_ID", "${SampleFramesExpress}"),
        ("sample_frames", "WORK_BUCKET_NAME", "${WorkBucket}"),
        ("sample_frames", "IMAGES_PER_SECOND", "5.0"),
    ],
)
def test_variable_about_frames_leads_to_its_resource(sampling_functions, text_of, module, variable, target):
    """A variable about frames holds what its name says, not its neighbour."""
    assert text_of(sampling_functions[module]["Environment"]["Variables"][variable]) == target


@pytest.mark.parametrize(("module", "kind"), PUBLISHING.items())
def test_environment_with_consequences_is_the_settings_type(publishing_functions, text_of, module, kind):
    """So it does where verdicts have consequences."""
    variables = {name: text_of(value) for name, value in publishing_functions[module]["Environment"]["Variables"].items()}

    read = settings.from_environment(kind, variables)

    assert settings.to_environment(read) == variables


def test_variables_about_consequences(publishing_functions, text_of):
    """Each function that writes verdicts knows of the outbox, the sweeper its queue, and publish_verdict what to do."""
    found = {
        module: {name: text_of(value) for name, value in function["Environment"]["Variables"].items()}
        for module, function in publishing_functions.items()
    }

    writers = {module for module, variables in found.items() if variables.get("OUTBOX") == "true"}
    assert {"batch_invoke", "new_upload", "start_analysis", "sample_frames", "completion"} == writers
    assert "${PublishVerdictOutbox}" == found["sweeper"]["OUTBOX_QUEUE_URL"]
    names = ("PUBLISH_EVENTS", "TAG_OBJECTS", "ANNOTATE_OBJECTS")
    assert dict.fromkeys(names, "true") == {name: found["publish_verdict"][name] for name in names}


def test_nothing_without_consequences(template, sampling):
    """Without consequences neither a resource, nor a variable, nor an output is about them."""
    for each in (template, sampling):
        text = json.dumps(each).lower()
        assert not [word for word in ("outbox", "publishverdict", "publish_verdict", "putevents", "annotat") if word in text]


def test_nothing_without_frames(template):
    """Without the engine of frames neither a resource, nor a variable, nor an output is about it."""
    assert "frames" not in json.dumps(template).lower()
    assert "AWS::Lambda::LayerVersion" not in {resource["Type"] for resource in template["Resources"].values()}


def test_no_variables_without_watched_buckets(functions):
    """Where no bucket is watched, no function has a variable about it."""
    names = {name for properties in functions.values() for name in properties["Environment"]["Variables"]}

    assert not {name for name in names if "WATCH" in name or "UPLOAD" in name}


@pytest.mark.parametrize(
    ("module", "variable", "target"),
    [
        ("new_upload", "TABLE_NAME", "${ScansTable}"),
        ("new_upload", "NORMAL_QUEUE_URL", "${LanesNormalQueue}"),
        ("new_upload", "EXPRESS_QUEUE_URL", "${LanesExpressQueue}"),
        ("sweeper", "UPLOADS_QUEUE_URL", "${NewUploadUploads}"),
        ("sweeper", "UPLOADS_DEAD_LETTERS_URL", "${NewUploadDeadLetters}"),
    ],
)
def test_variable_about_uploads_leads_to_its_resource(watching_functions, text_of, module, variable, target):
    """A variable about uploads holds what its name says, not its neighbour."""
    assert text_of(watching_functions[module]["Environment"]["Variables"][variable]) == target


@pytest.mark.parametrize("module", ["new_upload", "sweeper"])
def test_watched_buckets_reach_the_functions(watching_functions, module):
    """Both functions read from their variable what the context watches."""
    found = watch.parse(watching_functions[module]["Environment"]["Variables"]["WATCH"])

    bucket = "amzn-s3-demo-bucket"
    assert found == {bucket: Watch(bucket, ("2026/",), (".mp4", ".m4v", ".mov"), 60)}


@pytest.mark.parametrize("module", ["start_analysis", "sample_frames"])
def test_limits_reach_the_functions(sampling_functions, module):
    """Whoever pays for an analysis knows the limit of its bucket, and no more of the watch."""
    found = watch.parse(sampling_functions[module]["Environment"]["Variables"]["WATCH"])

    assert {"amzn-s3-demo-bucket": Watch("amzn-s3-demo-bucket", max_minutes_per_day=60)} == found


@pytest.mark.parametrize("module", ["new_upload", "sweeper"])
def test_watched_images_reach_the_functions(sampling_functions, module):
    """Where frames are deployed images are watched, too."""
    found = watch.parse(sampling_functions[module]["Environment"]["Variables"]["WATCH"])

    bucket = "amzn-s3-demo-bucket"
    assert found == {bucket: Watch(bucket, ("2026/",), SUFFIXES_WITH_IMAGES, 60)}


@pytest.mark.parametrize(
    ("module", "variable", "target"),
    [
        ("batch_invoke", "TABLE_NAME", "${ScansTable}"),
        ("batch_invoke", "NORMAL_QUEUE_URL", "${LanesNormalQueue}"),
        ("batch_invoke", "EXPRESS_QUEUE_URL", "${LanesExpressQueue}"),
        ("start_analysis", "TABLE_NAME", "${ScansTable}"),
        ("start_analysis", "NORMAL_QUEUE_URL", "${LanesNormalQueue}"),
        ("start_analysis", "EXPRESS_QUEUE_URL", "${LanesExpressQueue}"),
        ("start_analysis", "COMPLETIONS_TOPIC_ARN", "${NotificationsCompletions}"),
        ("start_analysis", "REKOGNITION_ROLE_ARN", "${RekognitionRole.Arn}"),
        ("start_analysis", "MIN_CONFIDENCE", "50.0"),
        ("start_analysis", "ACCOUNT_JOBS", "20"),
        ("start_analysis", "SLOTS", "18"),
        ("completion", "TABLE_NAME", "${ScansTable}"),
        ("completion", "WORK_BUCKET_NAME", "${WorkBucket}"),
        ("completion", "COMPLETIONS_TOPIC_ARN", "${NotificationsCompletions}"),
        ("sweeper", "TABLE_NAME", "${ScansTable}"),
        ("sweeper", "ALERTS_TOPIC_ARN", "${NotificationsAlerts}"),
        ("sweeper", "ACCOUNT_ID", "${AWS::AccountId}"),
        ("sweeper", "STACK_NAME", "VideoModeration"),
        ("sweeper", "NORMAL_QUEUE_URL", "${LanesNormalQueue}"),
        ("sweeper", "EXPRESS_QUEUE_URL", "${LanesExpressQueue}"),
        ("sweeper", "NORMAL_DEAD_LETTERS_URL", "${LanesNormalDeadLetters}"),
        ("sweeper", "EXPRESS_DEAD_LETTERS_URL", "${LanesExpressDeadLetters}"),
        ("sweeper", "NORMAL_MAPPING_ID", "${StartAnalysisNormal}"),
        ("sweeper", "EXPRESS_MAPPING_ID", "${StartAnalysisExpress}"),
        ("sweeper", "COMPLETION_FUNCTION_ARN", "${CompletionHandlerFunction.Arn}"),
        ("sweeper", "COMPLETIONS_TOPIC_ARN", "${NotificationsCompletions}"),
        ("sweeper", "MAILS_PER_SCAN", "25"),
        ("sweeper", "LANGUAGE", "en"),
    ],
)
def test_variable_leads_to_its_resource(functions, text_of, module, variable, target):
    """A variable holds what its name says, not its neighbour."""
    assert text_of(functions[module]["Environment"]["Variables"][variable]) == target


def test_policy_reaches_completion(functions, shipped):
    """`completion` is given the policy of the context, whole."""
    assert json.loads(functions["completion"]["Environment"]["Variables"]["POLICY"]) == shipped["policy"]


def test_environment_fits(templates):
    """With the largest policy that the context takes, and the longest names, the variables stay under Lambda's 4 KB."""
    rule = {"min_confidence": 80, "alert": True}
    labels = {f"Label {number:02}": rule for number in range(70)}
    template = templates(policy={"default": rule, "labels": labels}, stack_name="VideoModeration")
    policy = next(
        r["Properties"]["Environment"]["Variables"]["POLICY"]
        for r in template["Resources"].values()
        if "POLICY" in r.get("Properties", {}).get("Environment", {}).get("Variables", {})
    )
    # A table's name has at most 255 characters, a bucket's 63; a topic's ARN at most 256 for the name and 50 for the rest.
    others = len("TABLE_NAME" + "WORK_BUCKET_NAME" + "COMPLETIONS_TOPIC_ARN" + "POLICY") + 255 + 63 + 256 + 50

    assert 3_000 < len(policy)
    assert 4_096 - others > 3_320 >= len(policy)


def test_hits_go_where_they_may(template, role_statements, text_of):
    """The key under which `completion` keeps hits lies within what its role may write."""
    record = Record(Video("amzn-s3-demo-bucket", "a.mp4"), "01JDEM00000000000000000001", State.CLEAN)

    (statement,) = [s for s in role_statements(template)["CompletionHandlerRole"] if s["Action"] == "s3:PutObject"]

    assert fnmatchcase("${WorkBucket.Arn}/" + hits_key(record), text_of(statement["Resource"]))


def test_outputs(template, watching, sampling, publishing):
    """The outputs are those that tools read, under the very ids, and no more; watched buckets have some of their own."""
    assert set(template["Outputs"]) == {*OUTPUTS, *NEWER_OUTPUTS}
    assert set(watching["Outputs"]) == {*OUTPUTS, *NEWER_OUTPUTS, *WATCH_OUTPUTS}
    with_frames = {*OUTPUTS, *NEWER_OUTPUTS, *WATCH_OUTPUTS, *FRAMES_OUTPUTS}
    assert set(sampling["Outputs"]) == with_frames
    assert set(publishing["Outputs"]) == {*with_frames, *OUTBOX_OUTPUTS}


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ("UploadsQueueUrl", "${NewUploadUploads}"),
        ("UploadsDeadLettersUrl", "${NewUploadDeadLetters}"),
        ("WatchRuleNames", '{"amzn-s3-demo-bucket":"${NewUploadRulesamzns3demobucket}"}'),
    ],
)
def test_output_about_uploads_leads_to_its_resource(watching, text_of, output, target):
    """An output about uploads holds what its name says."""
    assert text_of(watching["Outputs"][output]["Value"]) == target


def test_watched_buckets_are_an_output(watching, watching_functions):
    """Tools read the watched buckets as the functions do."""
    assert watching["Outputs"]["WatchedBuckets"]["Value"] == watching_functions["sweeper"]["Environment"]["Variables"]["WATCH"]


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ("TableName", "${ScansTable}"),
        ("WorkBucketName", "${WorkBucket}"),
        ("BatchInvokeFunctionArn", "${BatchInvokeHandlerFunction.Arn}"),
        ("BatchRoleArn", "${BatchRole.Arn}"),
        ("AlertsTopicArn", "${NotificationsAlerts}"),
        ("SourceBuckets", "amzn-s3-demo-bucket,amzn-s3-demo-bucket2"),
        ("CompletionFunctionArn", "${CompletionHandlerFunction.Arn}"),
        ("NormalDeadLettersUrl", "${LanesNormalDeadLetters}"),
        ("ExpressDeadLettersUrl", "${LanesExpressDeadLetters}"),
        ("CompletionDeadLettersUrl", "${CompletionDeadLetters}"),
        ("UndeliveredNoticesUrl", "${CompletionUndelivered}"),
        ("SweeperDeadLettersUrl", "${SweeperDeadLetters}"),
        ("Slots", "18"),
        ("AccountJobs", "20"),
    ],
)
def test_output_leads_to_its_resource(template, text_of, output, target):
    """An output holds what its name says."""
    assert text_of(template["Outputs"][output]["Value"]) == target
