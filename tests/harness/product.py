"""The product in an account's engines without CloudFormation, which takes a second: what the template says, in numbers and names.

`test_figures.py` of the model holds them against the template.
"""

import json
from dataclasses import dataclass

from moto.dynamodb.models import dynamodb_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from handlers.domain.states import SCAN_LANES, Lane
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    NewUploadSettings,
    PublishVerdictSettings,
    SampleFramesSettings,
    StartAnalysisSettings,
    SweeperSettings,
    to_environment,
)
from tools.emulator.services.lambda_ import Function, Mapping
from tools.lib.aws.deployment import Deployment

ACCOUNT, REGION = "111122223333", "us-east-1"
BUCKET, WORK, TABLE, STACK = "amzn-s3-demo-bucket", "amzn-s3-demo-work", "scans", "VideoModeration"
# Another bucket of videos, which has versions.
VERSIONED = "amzn-s3-demo-versions"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
COMPLETIONS, ALERTS = (f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in ("completions", "alerts"))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/product"
# Timeout in seconds and memory in MB.
FUNCTIONS = {
    "batch_invoke": (300.0, 256),
    "start_analysis": (900.0, 256),
    "completion": (900.0, 1_024),
    "sweeper": (120.0, 512),
}
# And of the function that is there where a bucket is watched.
WATCHING = {"new_upload": (120.0, 256)}
# And of the one that is there where frames are deployed.
BY_FRAMES = {"sample_frames": (900.0, 1_769)}
# And of the one that is there where verdicts have consequences.
PUBLISHING = {"publish_verdict": (300.0, 256)}
SWEEPS = "rate(1 minute)"
# The functions that have dead letters of their own.
WITH_DEAD_LETTERS = ("completion", "sweeper")
VISIBILITY, RECEIVES, RETENTION = 5_400, 1_000, 14 * 86_400
STARTERS_PER_LANE = 2
FRAMES_LANES = (Lane.FRAMES, Lane.FRAMES_EXPRESS)
IMAGES_PER_SECOND, WORKERS_PER_LANE = 5.0, 5
# The table's indexes: their keys, and what they show.
INDEXES = {
    "work": (("work_pk", "work_sk"), ("bucket", "key", "version_id", "attempt", "lane")),
    "by_scan": (("scan_pk", "scan_sk"), ()),
}
# The queue of uploads, where a bucket is watched: its visibility timeout, how often a message is received, messages of a batch, and
# how many invocations at a time.
UPLOADS = "uploads"
UPLOADS_VISIBILITY, UPLOADS_RECEIVES, UPLOADS_BATCH, UPLOADS_AT_A_TIME = 720, 20, 10, 2
# The queue of the outbox, where verdicts have consequences: likewise.
OUTBOX = "outbox"
OUTBOX_VISIBILITY, OUTBOX_RECEIVES, OUTBOX_BATCH, OUTBOX_AT_A_TIME = 1_800, 20, 10, 5
MAPPINGS = {
    "normal": "00000000-0000-4000-8000-000000000001",
    "express": "00000000-0000-4000-8000-000000000002",
    UPLOADS: "00000000-0000-4000-8000-000000000003",
    "frames": "00000000-0000-4000-8000-000000000004",
    "frames-express": "00000000-0000-4000-8000-000000000005",
    OUTBOX: "00000000-0000-4000-8000-000000000006",
}


def arn(function):
    """Return a function's ARN."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"


def url(queue):
    """Return a queue's URL."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"


def queue_arn(name):
    """Return a queue's ARN."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def policy_of(threshold):
    """Return the policy by which a label counts from a confidence on."""
    return json.dumps({"default": {"min_confidence": threshold, "alert": True}})


# What the sweeper knows of the lanes of frames, beside their URLs.
_SWEPT_FRAMES = {
    "frames_dead_letters_url": url("frames-dead"),
    "frames_express_dead_letters_url": url("frames-express-dead"),
    "frames_mapping_id": MAPPINGS["frames"],
    "frames_express_mapping_id": MAPPINGS["frames-express"],
}


@dataclass(frozen=True)
class Deployed:
    """The settings with which the product is deployed."""

    slots: int = 2
    account_jobs: int = 3
    min_confidence: float = 50.0
    policy: str = policy_of(80)
    mails_per_scan: int = 2
    watch: str = ""
    frames: bool = False
    images_per_second: float = IMAGES_PER_SECOND
    consequences: bool = False

    @property
    def frames_lanes(self):
        """Return the lanes that only a deployment with frames has."""
        return FRAMES_LANES if self.frames else ()

    def settings(self):
        """Return the settings of each function."""
        lanes = {"normal_queue_url": url("normal"), "express_queue_url": url("express")}
        frames = {f"{lane.name.lower()}_queue_url": url(lane.value) for lane in self.frames_lanes}
        outbox = {"outbox": "true"} if self.consequences else {}
        uploads = {"watch": self.watch, "uploads_queue_url": url(UPLOADS), "uploads_dead_letters_url": url(f"{UPLOADS}-dead")}
        return {
            **self._watching(lanes | frames | outbox),
            **self._by_frames(frames | outbox),
            **self._publishing(),
            "batch_invoke": BatchInvokeSettings(table_name=TABLE, **lanes, **frames, **outbox),
            "start_analysis": StartAnalysisSettings(
                table_name=TABLE,
                **lanes,
                completions_topic_arn=COMPLETIONS,
                rekognition_role_arn=ROLE,
                min_confidence=self.min_confidence,
                account_jobs=self.account_jobs,
                slots=self.slots,
                **outbox,
            ),
            "completion": CompletionSettings(
                table_name=TABLE, work_bucket_name=WORK, completions_topic_arn=COMPLETIONS, policy=self.policy, **outbox
            ),
            "sweeper": SweeperSettings(
                table_name=TABLE,
                alerts_topic_arn=ALERTS,
                account_id=ACCOUNT,
                stack_name=STACK,
                **lanes,
                normal_dead_letters_url=url("normal-dead"),
                express_dead_letters_url=url("express-dead"),
                normal_mapping_id=MAPPINGS["normal"],
                express_mapping_id=MAPPINGS["express"],
                completion_function_arn=arn("completion"),
                completions_topic_arn=COMPLETIONS,
                mails_per_scan=self.mails_per_scan,
                slots=self.slots,
                **(uploads if self.watch else {}),
                **frames,
                **(_SWEPT_FRAMES if self.frames else {}),
                **({"outbox_queue_url": url(OUTBOX)} if self.consequences else {}),
            ),
        }

    def _publishing(self):
        if not self.consequences:
            return {}
        return {"publish_verdict": PublishVerdictSettings(table_name=TABLE, publish_events="true", tag_objects="true")}

    def _watching(self, lanes):
        return {"new_upload": NewUploadSettings(table_name=TABLE, **lanes, watch=self.watch)} if self.watch else {}

    def _by_frames(self, lanes):
        if not self.frames:
            return {}
        settings = SampleFramesSettings(
            table_name=TABLE,
            **lanes,
            work_bucket_name=WORK,
            policy=self.policy,
            min_confidence=self.min_confidence,
            images_per_second=self.images_per_second,
        )
        return {"sample_frames": settings}

    def deployment(self):
        """Return the deployment in the form in which tools find it."""
        return Deployment(
            stack_name=STACK,
            partition="aws",
            region=REGION,
            account_id=ACCOUNT,
            table_name=TABLE,
            work_bucket=WORK,
            batch_invoke_function_arn=arn("batch_invoke"),
            batch_role_arn=ROLE,
            alerts_topic_arn=ALERTS,
            source_buckets=(BUCKET,),
            completion_function_arn=arn("completion"),
            lane_dead_letters_urls=tuple(url(f"{lane.value}-dead") for lane in (*SCAN_LANES, *self.frames_lanes)),
            completion_dead_letters_url=url("completion-dead"),
            undelivered_notices_url=url("undelivered"),
            sweeper_dead_letters_url=url("sweeper-dead"),
            slots=self.slots,
            account_jobs=self.account_jobs,
            images_per_second=self.images_per_second if self.frames else None,
            outbox_queue_url=url(OUTBOX) if self.consequences else None,
            outbox_dead_letters_url=url(f"{OUTBOX}-dead") if self.consequences else None,
        )


def make_product(engines):
    """Make the product's queues, topics, table and event source mappings; its functions are put by `put_functions`."""
    for name in ("normal", "express", "completion", "sweeper", UPLOADS, OUTBOX):
        make_queue(f"{name}-dead")
    make_queue("undelivered")
    for lane in SCAN_LANES:
        make_queue(lane.value, VISIBILITY, dead=f"{lane.value}-dead", receives=RECEIVES)
        poll(engines, MAPPINGS[lane.value], lane.value, "start_analysis", most=STARTERS_PER_LANE)
    for lane in FRAMES_LANES:
        make_queue(f"{lane.value}-dead")
        make_queue(lane.value, VISIBILITY, dead=f"{lane.value}-dead", receives=RECEIVES)
    make_queue(UPLOADS, UPLOADS_VISIBILITY, dead=f"{UPLOADS}-dead", receives=UPLOADS_RECEIVES)
    poll(engines, MAPPINGS[UPLOADS], UPLOADS, "new_upload", most=UPLOADS_AT_A_TIME, batch=UPLOADS_BATCH)
    make_queue(OUTBOX, OUTBOX_VISIBILITY, dead=f"{OUTBOX}-dead", receives=OUTBOX_RECEIVES)
    for name in ("completions", "alerts"):
        sns_backends[ACCOUNT][REGION].create_topic(name)
    undelivered = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("undelivered")})}
    engines.topics.subscribe(COMPLETIONS, "lambda", arn("completion"), undelivered)
    engines.topics.subscribe(ALERTS, "email", "reviewer@example.com", {})
    _make_table()


def make_queue(name, visibility=30, *, dead=None, receives=None):
    """Make a queue, optionally with a dead-letter queue."""
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": receives})} if dead else {}
    sqs_backends[ACCOUNT][REGION].create_queue(name, VisibilityTimeout=visibility, MessageRetentionPeriod=RETENTION, **redrive)


def poll(engines, uuid, queue, function, *, most, batch=1):
    """Let a function be invoked with the messages of a queue, `batch` of them, at most `most` invocations at a time."""
    engines.functions.put_mapping(
        Mapping(
            uuid=uuid,
            queue_arn=queue_arn(queue),
            function_arn=arn(function),
            batch_size=batch,
            maximum_concurrency=most,
            report_item_failures=True,
        )
    )


def put_functions(engines, deployed):
    """Create or change the product's functions, and what only a deployment with frames or with consequences has."""
    _put_frames_lanes(engines, there=deployed.frames)
    if deployed.consequences:
        poll(engines, MAPPINGS[OUTBOX], OUTBOX, "publish_verdict", most=OUTBOX_AT_A_TIME, batch=OUTBOX_BATCH)
    for module, settings in deployed.settings().items():
        timeout, memory = (FUNCTIONS | WATCHING | BY_FRAMES | PUBLISHING)[module]
        engines.functions.put(
            Function(
                name=module,
                arn=arn(module),
                handler=f"handlers.{module}.handler",
                role=ROLE,
                code=b"",
                environment=to_environment(settings),
                timeout=timeout,
                memory=memory,
                dead_letter_arn=queue_arn(f"{module}-dead") if module in WITH_DEAD_LETTERS else None,
            )
        )


def _put_frames_lanes(engines, *, there):
    """Create the lanes of frames, or delete them with their messages."""
    for lane in FRAMES_LANES:
        mapping = MAPPINGS[lane.value]
        if not there:
            engines.functions.remove_mapping(mapping)
            engines.queues.messages(engines.queues.queue(lane.value)).purge()
        elif engines.functions.mapping(mapping) is None:
            poll(engines, mapping, lane.value, "sample_frames", most=WORKERS_PER_LANE)


def _make_table():
    keys = {"table": (("pk", "sk"), ()), **INDEXES}
    schemas = {
        name: [{"AttributeName": key, "KeyType": kind} for key, kind in zip(names, ("HASH", "RANGE"), strict=True)]
        for name, (names, _) in keys.items()
    }
    dynamodb_backends[ACCOUNT][REGION].create_table(
        TABLE,
        schema=schemas["table"],
        attr=[{"AttributeName": name, "AttributeType": "S"} for names, _ in keys.values() for name in names],
        global_indexes=[
            {
                "IndexName": name,
                "KeySchema": schemas[name],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(shown)},
            }
            for name, (_, shown) in INDEXES.items()
        ],
        throughput=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
