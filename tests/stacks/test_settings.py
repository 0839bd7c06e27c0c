"""The CDK context: valid settings, and the messages about invalid ones."""

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import policy as handlers_policy
from handlers.domain.engine import Engine
from handlers.domain.watch import SUFFIXES_WITH_IMAGES, Watch
from stacks import policy
from stacks.app import synthesise
from stacks.settings import BUCKETS, IMAGES_PER_SECOND, ContextError, StackSettings, from_context, unknown_keys
from tools.lib.submit.command import USUAL_IMAGES_PER_SECOND

PLAIN_POLICY = {"default": {"min_confidence": 80, "alert": True}, "labels": {}}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)
CONFIDENCES = st.integers(50, 100) | st.floats(50, 100)
RULES = st.fixed_dictionaries({"min_confidence": CONFIDENCES, "alert": st.booleans()})
POLICIES = st.fixed_dictionaries(
    {"default": RULES},
    optional={
        "labels": st.lists(
            st.text(max_size=20).filter(str.strip), max_size=8, unique_by=lambda name: name.strip().casefold()
        ).flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, RULES)))
    },
)
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-12345678900"


def watched(**fields):
    """Return the value of `watch` that watches one bucket."""
    return [{"bucket": "amzn-s3-demo-bucket", **fields}]


KEYS = [field.name for field in dataclasses.fields(StackSettings)]


def test_shipped_context_is_legal(shipped):
    """What cdk.json ships is accepted as it stands and names every key once."""
    settings = from_context(shipped)

    assert sorted(KEYS) == sorted(shipped)
    assert (18, 20, 50.0, 30, None) == (
        settings.slots,
        settings.account_jobs,
        settings.min_confidence,
        settings.log_retention_days,
        settings.batch_concurrency,
    )


def test_numbers_may_be_text(shipped):
    """`-c key=value` hands over text, which means what the same number means."""
    context = shipped | {
        "slots": "10",
        "account_jobs": "12",
        "min_confidence": "55.5",
        "batch_concurrency": "50",
        "log_retention_days": "7",
        "mails_per_scan": "0",
        "language": "es",
        "watch": '[{"bucket": "amzn-s3-demo-bucket2", "max_minutes_per_day": "60"}]',
        "source_buckets": "amzn-s3-demo-bucket,amzn-s3-demo-bucket2",
        "kms_keys": f"{KMS_KEY}1,{KMS_KEY}2",
        "policy": json.dumps(PLAIN_POLICY),
    }

    settings = from_context(context)

    assert (settings.slots, settings.account_jobs, settings.min_confidence) == (10, 12, 55.5)
    assert (settings.batch_concurrency, settings.log_retention_days, settings.mails_per_scan, settings.language) == (50, 7, 0, "es")
    assert settings.source_buckets == ("amzn-s3-demo-bucket", "amzn-s3-demo-bucket2")
    assert settings.kms_keys == (f"{KMS_KEY}1", f"{KMS_KEY}2")
    assert json.loads(settings.policy) == PLAIN_POLICY
    assert settings.watch == (Watch("amzn-s3-demo-bucket2", max_minutes_per_day=60),)


@pytest.mark.parametrize(
    ("key", "value", "rule", "cure"),
    [
        ("stack_name", "Video Moderation", "must be a letter followed by", "VideoModeration"),
        ("stack_name", "A" * 129, "up to 127", "VideoModeration"),
        ("alert_email", "reviewer", "must be one e-mail address", "reviewer@example.com"),
        ("alert_email", "a@example.com, b@example.com", "must be one e-mail address", "reviewer@example.com"),
        ("alert_email", "reviewer@example", "must be one e-mail address", "reviewer@example.com"),
        ("alert_email", "reviewer@example.com\n", "must be one e-mail address", "reviewer@example.com"),
        ("alert_email", None, "must be one e-mail address", '""'),
        ("source_buckets", None, "must be a list of 1 to 20", '["*"]'),
        ("source_buckets", [], "must be a list of 1 to 20", '["*"]'),
        ("source_buckets", [f"bucket-{n}" for n in range(21)], "must be a list of 1 to 20", '["*"]'),
        ("source_buckets", ["s3://amzn-s3-demo-bucket"], "must hold bucket names", "without s3://"),
        ("source_buckets", ["amzn-s3-demo-bucket/videos"], "must hold bucket names", "without a folder"),
        ("source_buckets", ["Videos"], "must hold bucket names", "'Videos'"),
        ("source_buckets", ["a..b"], "must hold bucket names", "'a..b'"),
        ("source_buckets", ["192.168.0.1"], "must hold bucket names", "'192.168.0.1'"),
        ("source_buckets", ["ab"], "must hold bucket names", "3-63"),
        ("source_buckets", [7], "must hold bucket names", "7"),
        ("source_buckets", ["*", "amzn-s3-demo-bucket"], "alone", "already"),
        ("kms_keys", None, "must be a list of at most 10 key ARNs", "write []"),
        ("kms_keys", ["alias/videos"], "must hold ARNs of KMS keys", "no alias"),
        ("kms_keys", ["arn:aws:kms:us-east-1:111122223333:alias/videos"], "must hold ARNs of KMS keys", "no alias"),
        ("kms_keys", ["*"], "must hold ARNs of KMS keys", "holds '*'"),
        ("kms_keys", [f"{KMS_KEY}{n}" for n in range(11)], "at most 10", "write []"),
        ("slots", 0, "must be a whole number from 1", "is 0"),
        ("slots", 21, "must be at most account_jobs (20)", "lower it"),
        ("slots", 1.5, "must be a whole number from 1", "is 1.5"),
        ("slots", True, "must be a whole number from 1", "is True"),
        ("account_jobs", "many", "must be a whole number from 1", "'many'"),
        ("min_confidence", 101, "must be a percentage", "is 101"),
        ("min_confidence", -1, "must be a percentage", "is -1"),
        ("min_confidence", "NaN", "must be a percentage", "write e.g. 50"),
        ("batch_concurrency", 0, "must be a whole number from 1", "is 0"),
        ("mails_per_scan", -1, "must be a whole number from 0", "digests only"),
        ("mails_per_scan", None, "must be a whole number from 0", "write e.g. 25"),
        ("language", "español", "must be one of en, es", "write e.g. en"),
        ("language", 1, "must be one of en, es", "write e.g. en"),
        ("language", "", "must be one of en, es", "write e.g. en"),
        ("frames", "yes", "must be true or false", "write false"),
        ("images_per_second", 0, "must be a number from 1 to 1000", "write your quota"),
        ("images_per_second", "many", "must be a number from 1 to 1000", "e.g. 5"),
        ("frames_workers", 1, "must be a whole number from 2 to 1000", "write null"),
        ("frames_workers", "many", "must be a whole number from 1", "'many'"),
        ("frames_workers", 101, "must be at most 20 x images_per_second (5), is 101", "lower it, or write null"),
        ("log_retention_days", 31, "must be one of the days", "30, 60"),
        ("watch", {"bucket": "amzn-s3-demo-bucket"}, "must be a list", '[{"bucket": "my-videos"}]'),
        ("watch", True, "must be a list", "write e.g."),
        ("watch", "[{'bucket'", "is not JSON", '[{"bucket": "my-videos"}]'),
        ("watch", "amzn-s3-demo-bucket", "is not JSON", "or [] to watch nothing"),
        ("watch", ["amzn-s3-demo-bucket"], 'must hold objects with a "bucket"', "write e.g."),
        ("watch", [{"prefixes": []}], 'must hold objects with a "bucket"', "write e.g."),
        ("watch", [{"bucket": "*"}], "S3 sends events bucket by bucket", "an entry for each by its name"),
        ("watch", [{"bucket": None}], "must name a bucket", "names None"),
        ("watch", [{"bucket": "s3://amzn-s3-demo-bucket"}], "must name a bucket", "'s3://amzn-s3-demo-bucket'"),
        ("watch", [{"bucket": "amzn-s3-demo-bucket3"}], "which the functions may not read", "add it to source_buckets"),
        ("watch", watched() * 2, "'amzn-s3-demo-bucket' twice", "keep one entry"),
        ("watch", watched(prefix="2026/"), "the unknown field 'prefix'", "it may have bucket, prefixes, suffixes"),
        ("watch", watched(engine="frames"), "which this deployment does not have", 'set "frames" to true'),
        ("watch", watched(engine="images"), '"engine" is \'images\', must be "video" or "frames"', "omit it"),
        ("watch", watched(engine=["frames"]), '"engine" is [\'frames\'], must be "video" or "frames"', "omit it"),
        ("watch", watched(interval="2s"), 'belongs to the engine "frames"', "omit it"),
        ("watch", watched(prefixes="2026/"), "must be a list of texts", '["2026/"]'),
        ("watch", watched(prefixes=[7]), "must be a list of texts", "[] for all"),
        ("watch", watched(prefixes=["é" * 513]), "of up to 1,024 bytes", "[] for all"),
        ("watch", watched(prefixes=["\ud800"]), "must be a list of texts", "[] for all"),
        ("watch", watched(suffixes=[]), "must be a list of printable ASCII texts", '[".mp4", ".mov"]'),
        ("watch", watched(suffixes=None), "must be a list of printable ASCII texts", "is None"),
        ("watch", watched(suffixes=[""]), "must be a list of printable ASCII texts", '[".mp4", ".mov"]'),
        ("watch", watched(suffixes=[".vidéo"]), "must be a list of printable ASCII texts", "'.vidéo'"),
        ("watch", watched(prefixes=["2026/*"]), "takes the beginnings of keys", 'write e.g. "2026/"'),
        ("watch", watched(prefixes=["2026/", "s3://a/b"]), "neither patterns nor URIs", "'s3://a/b'"),
        ("watch", watched(suffixes=["*.mp4"]), "takes the ends of keys, not patterns", 'write e.g. ".mp4"'),
        ("watch", watched(suffixes=[".mp4", ".JPG"]), "looks at no images", 'set "frames" to true'),
        ("watch", watched(suffixes=[".mp4\n"]), "must be a list of printable ASCII texts", "write e.g."),
        ("watch", watched(suffixes=[f".{n:03}" for n in range(60)]), "at most 2,048", "fewer or shorter"),
        ("watch", watched(max_minutes_per_day=0), '"max_minutes_per_day" must be a whole number from 1', "to set no limit"),
        ("watch", watched(max_minutes_per_day=1.5), '"max_minutes_per_day" must be a whole number from 1', "is 1.5"),
        ("watch", watched(max_minutes_per_day=True), '"max_minutes_per_day" must be a whole number from 1', "is True"),
        ("watch", watched(prefixes=[f"{n}" * 1_000 for n in range(2)]), "must take at most 1676", "shorter prefixes"),
        ("policy", None, "The policy is not a JSON object", "write it in braces"),
        ("policy", "{'default'", "The policy is not JSON", "write it as an object"),
        (
            "policy",
            {"default": {"min_confidence": 80}},
            '"default": "alert" is missing',
            "it must be true or false",
        ),
        ("policy", {**PLAIN_POLICY, "label": {}}, "the unknown field 'label'", "it may have default, labels"),
        (
            "policy",
            {"default": {"min_confidence": 800, "alert": True}},
            '"min_confidence" is 800',
            "a number from 0 to 100 (percent)",
        ),
        (
            "policy",
            {"default": {"min_confidence": 80, "alert": "yes"}},
            "\"alert\" is 'yes'",
            "it must be true or false",
        ),
        (
            "policy",
            {"default": {"min_confidence": 40, "alert": True}},
            "below the context key min_confidence (50)",
            "lower min_confidence",
        ),
        ("policy", {**PLAIN_POLICY, "labels": []}, '"labels" is not a JSON object', "write it in braces"),
        ("policy", {**PLAIN_POLICY, "labels": {" ": PLAIN_POLICY["default"]}}, "which no label is called", "take it out"),
        ("policy", {**PLAIN_POLICY, "labels": {"Alcohol": 90}}, "rule for 'Alcohol' is not a JSON object", "write it in braces"),
        (
            "policy",
            {**PLAIN_POLICY, "labels": dict.fromkeys(["Alcohol", "ALCOHOL"], PLAIN_POLICY["default"])},
            "twice (case does not matter)",
            "keep one",
        ),
        (
            "policy",
            {**PLAIN_POLICY, "labels": {f"Label {n}": PLAIN_POLICY["default"] for n in range(99)}},
            "must take at most 3320",
            "parent",
        ),
    ],
)
def test_fault_names_key_rule_and_cure(shipped, key, value, rule, cure):
    """A value that cannot be used is answered with its key, the rule it breaks and the way out, and with nothing else."""
    with pytest.raises(ContextError) as raised:
        from_context(shipped | {key: value})

    first, *rest = str(raised.value).splitlines()
    assert first.startswith(f'Context key "{key}": ')
    assert rule in first
    assert cure in first
    assert rest == ["Context is set in cdk.json, or for one run with -c key=value."]


@pytest.mark.parametrize("value", [None, "", " ", [], "[]", "null"])
def test_nothing_is_watched_unless_named(shipped, value):
    """A cdk.json without the key, an empty list and an empty text watch nothing."""
    context = shipped | {"watch": value}
    if value is None:
        del context["watch"]

    assert from_context(context).watch == ()


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {}),
        ({"engine": "video", "max_minutes_per_day": None}, {}),
        ({"suffixes": [".MP4", ".mp4", ".mkv"]}, {"suffixes": (".mp4", ".mkv")}),
        ({"prefixes": ["b/", "a/b/", "a/"]}, {"prefixes": ("a/", "b/")}),
        ({"prefixes": ["a/", ""]}, {"prefixes": ()}),
        ({"prefixes": ["é +%/"]}, {"prefixes": ("é +%/",)}),
        ({"max_minutes_per_day": 600.0}, {"max_minutes_per_day": 600}),
    ],
)
def test_watched_bucket(shipped, fields, found):
    """What is left out has its default, and what says the same twice says it once."""
    (watch,) = from_context(shipped | {"watch": watched(**fields)}).watch

    assert watch == Watch("amzn-s3-demo-bucket", **found)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {"suffixes": SUFFIXES_WITH_IMAGES}),
        ({"engine": "frames", "suffixes": [".mkv"]}, {"engine": Engine.FRAMES, "suffixes": (".mkv",)}),
        (
            {"engine": "frames", "interval": "2.5s"},
            {"engine": Engine.FRAMES, "interval_ms": 2_500, "suffixes": SUFFIXES_WITH_IMAGES},
        ),
    ],
)
def test_watched_by_frames(shipped, fields, found):
    """Where frames are deployed images are watched, too, unless suffixes are named; films go by frames only where that is set."""
    (watch,) = from_context(shipped | {"frames": True, "watch": watched(**fields)}).watch

    assert watch == Watch("amzn-s3-demo-bucket", **found)


@pytest.mark.parametrize("interval", [2, "2", "0.5s", "61s", "5 s", "s", None, "\u0665s"])
def test_interval_of_a_watch(shipped, interval):
    """An interval is a text of one second to sixty."""
    context = shipped | {"frames": True, "watch": watched(engine="frames", interval=interval)}

    with pytest.raises(ContextError, match=r'"interval" must be a text from "1s" to "60s", is .*; write e\.g\. "5s"'):
        from_context(context)


def test_watches_with_frames(shipped):
    """Where frames are deployed fewer watches fit the variables of a function, and what does not fit is refused with the cure."""
    names = [f"{number:02}-videos-of-a-studio" for number in range(20)]
    context = shipped | {"source_buckets": names, "watch": [{"bucket": name, "suffixes": [".mp4", ".mkv"]} for name in names]}

    assert 20 == len(from_context(context).watch)
    with pytest.raises(
        ContextError, match=r'"watch": takes \d+ bytes, must take at most 916 with those about frames .* second stack'
    ):
        from_context(context | {"frames": True})


def test_limits_with_a_long_policy(shipped):
    """Limits that do not fit beside the policy are refused, where one function has both."""
    rules = {**PLAIN_POLICY, "labels": {f"Label {n}": PLAIN_POLICY["default"] for n in range(60)}}
    names = [f"{number:063}" for number in range(20)]
    watches = [{"bucket": name, "max_minutes_per_day": 60} for name in names[:7]]
    context = shipped | {"source_buckets": names, "policy": rules, "watch": watches}

    assert 7 == len(from_context(context).watch)
    with pytest.raises(ContextError, match=r'"watch": has daily limits that take .* "policy", must take at most 3320'):
        from_context(context | {"frames": True})


def test_any_bucket_may_be_watched_if_any_may_be_read(shipped):
    """Where every bucket may be read, each can be watched by its name."""
    settings = from_context(shipped | {"source_buckets": ["*"], "watch": [{"bucket": "bucket-a"}, {"bucket": "bucket-b"}]})

    assert [watch.bucket for watch in settings.watch] == ["bucket-a", "bucket-b"]


def test_more_watched_buckets_than_a_role_can_name(shipped):
    """There are no more watched buckets than may be named as source buckets, also where those are not named."""
    context = shipped | {"source_buckets": ["*"], "watch": [{"bucket": f"b{n:02}"} for n in range(BUCKETS + 1)]}

    with pytest.raises(ContextError, match="has 21 buckets, must have at most 20; deploy a second stack"):
        from_context(context)


def test_the_estimate_knows_the_usual_pace():
    """The estimate of a deployment without frames takes the pace that it would have by default."""
    assert USUAL_IMAGES_PER_SECOND == IMAGES_PER_SECOND


@pytest.mark.parametrize(
    ("given", "found"), [({}, (5.0, None)), ({"images_per_second": "50", "frames_workers": 1_000}, (50.0, 1_000))]
)
def test_frames(shipped, given, found):
    """Frames are off unless the context says otherwise; a cdk.json of before the settings lacks them."""
    older = {key: value for key, value in shipped.items() if not key.startswith(("frames", "images"))}

    settings = from_context(older | given)

    assert settings.frames is False
    assert from_context(older | {"frames": "true"}).frames is True
    assert (settings.images_per_second, settings.frames_workers) == found


def test_frames_need_their_layer(shipped, tmp_path):
    """Synthesised without what `make package` builds, a deployment with frames says how to build it."""
    with pytest.raises(ContextError, match="make package"):
        synthesise(root=tmp_path, context=shipped | {"frames": True}, outdir=tmp_path / "out")


def test_wrong_source_buckets_are_one_fault(shipped):
    """Watched buckets are not held against source buckets that are wrong themselves."""
    with pytest.raises(ContextError) as raised:
        from_context(shipped | {"source_buckets": ["Videos"], "watch": watched()})

    assert '"watch"' not in str(raised.value)


def test_all_faults_at_once(shipped):
    """Three faults take one run to see, not three."""
    with pytest.raises(ContextError) as raised:
        from_context(shipped | {"slots": 0, "alert_email": "reviewer", "policy": {}})

    assert {'"slots"', '"alert_email"', '"policy"'} == {line.split()[2].rstrip(":") for line in str(raised.value).splitlines()[:-1]}


@pytest.mark.parametrize("key", ["alertEmail", "ALERT_EMAIL", "alert-email", "Alert_Email", "alert_emial", "alert_mail"])
def test_key_written_in_another_way_is_refused(shipped, key):
    """However its words are joined, a slip is named with the right key."""
    with pytest.raises(ContextError, match=f'"{key}": unknown key; did you mean "alert_email"'):
        from_context(shipped | {key: "reviewer@example.com"})


@pytest.mark.parametrize("key", ["email", "buckets", "concurrency", "thresholds", "x"])
def test_other_unknown_key_is_named(shipped, key):
    """A key that nothing reads is named, with those that there are: it may be a slip."""
    from_context(shipped | {key: "y"})

    (warning,) = unknown_keys(shipped | {key: "y"})

    assert f'"{key}" is unknown and has no effect' in warning
    assert "source_buckets" in warning


@pytest.mark.parametrize(
    "key",
    [
        "@aws-cdk/core:newStyleStackSynthesis",
        "aws:cdk:bundling-stacks",
        "availability-zones:account=1",
        "acknowledged-issue-numbers",
    ],
)
def test_keys_of_the_cdk_are_silent(shipped, key):
    """The CDK has keys of its own in the context."""
    assert () == unknown_keys(shipped | {key: True})


def test_misspelt_key_is_refused(shipped):
    """An unknown key that looks like one of ours is a slip, not silence."""
    with pytest.raises(ContextError, match='"slot": unknown key; did you mean "slots"'):
        from_context(shipped | {"slot": 5})


def test_foreign_keys_are_left_alone(shipped):
    """Keys of the CDK and of other people's tools may stand beside ours."""
    assert from_context(shipped | {"aws:cdk:enable-path-metadata": True, "owner": "video team"}) == from_context(shipped)


def test_bucket_named_twice_is_granted_once(shipped):
    """Naming a bucket twice is naming it once."""
    settings = from_context(shipped | {"source_buckets": ["bucket-b", "bucket-a", "bucket-b"]})

    assert settings.source_buckets == ("bucket-b", "bucket-a")


@given(key=st.sampled_from(KEYS), value=JSON_VALUES)
def test_any_value_is_taken_or_refused(key, value):
    """Whatever JSON a key holds, the answer is settings or a ContextError, never another exception."""
    context = {
        "stack_name": "Videos",
        "alert_email": "",
        "source_buckets": ["amzn-s3-demo-bucket"],
        "kms_keys": [],
        "slots": 18,
        "account_jobs": 20,
        "min_confidence": 50,
        "policy": PLAIN_POLICY,
        "batch_concurrency": None,
        "log_retention_days": 30,
        "mails_per_scan": 25,
        "language": "en",
        "watch": [],
    }

    with contextlib.suppress(ContextError):
        settings = from_context(context | {key: value})

        assert 1 <= settings.slots <= settings.account_jobs


@given(POLICIES)
def test_policy_survives_being_made_compact(value):
    """The compact text equals the context's policy, in ASCII (a variable's bytes are counted), whatever its form."""
    text = policy.compact(value, least=50)

    assert json.loads(text) == value
    assert text.isascii()
    assert policy.compact(json.dumps(value), least=50) == text


@given(POLICIES)
def test_completion_reads_what_the_stack_takes(value):
    """A policy that passes synth never fails in the function, whatever its labels are called."""
    parsed = handlers_policy.parse(policy.compact(value, least=50))

    assert parsed.default.alert == value["default"]["alert"]
    assert len(parsed.rules) == len(value.get("labels", {}))
