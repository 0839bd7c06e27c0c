"""What the pins observe: scans that take every branch, run once, and an account whose table and buckets hold fixtures."""

import csv
import gzip
import io
import logging
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.pins import product
from tests.pins.pinned import FIXTURES, given, without_names

ROOT = Path(__file__).parents[2]
WRITES = {f"dynamodb.{name}" for name in ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem")}
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message"}
BUCKET = "amzn-s3-demo-bucket"
SCAN, JOB = "01K742SG00000G40R40M30E209", "00000000-0000-4000-8000-00000000000a"


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Return a function from changes of the shipped context to the folder of the assembly."""
    return lambda **changes: product.synthesised(tmp_path_factory, **({"alert_email": ""} | changes))


@dataclass
class Seen:
    """What scans left behind and sent while they ran."""

    items: dict = field(default_factory=lambda: defaultdict(list))
    """The attributes of each kind of item, as often as they differed."""
    messages: set = field(default_factory=set)
    results: set = field(default_factory=set)
    events: dict = field(default_factory=dict)
    """The levels and the fields of each event that was logged."""
    hits: dict = field(default_factory=dict)
    waited: dict = field(default_factory=dict)
    """What `submit_job.py --wait --json` printed."""

    def look(self, line):
        """Note what the table holds now."""
        for item in product.stored(line):
            attributes = {name: of(name, value) for name, value in item.items()}
            if attributes not in self.items[kind_of(item)]:
                self.items[kind_of(item)].append(attributes)


class Watch:
    """Looks at the table after each write by a function."""

    def __init__(self, seen, line):
        self._seen = seen
        self._line = line

    def before(self, name, process, parameters):
        """Do nothing."""

    def after(self, name, process, answer):
        """Look."""
        if name in WRITES:
            self._seen.look(self._line)


class Events(logging.Handler):
    """Notes which fields each event is logged with."""

    def __init__(self, seen):
        super().__init__(logging.DEBUG)
        self._seen = seen

    def emit(self, record):
        """Note an event."""
        fields = {*vars(record)} - PLAIN
        known = self._seen.events.setdefault(record.msg, {"levels": [], "fields": []})
        known["levels"] = sorted({*known["levels"], record.levelname})
        known["fields"] = sorted({*known["fields"], *fields})


KEYS = ("pk", "sk", "work_pk", "work_sk", "scan_pk", "scan_sk")
VALUES = ("lane", "mails_due", "error_code", "paused_by")
"""Attributes whose values are pinned too."""
SHARD = re.compile(r"((?:TOTALS|^WAITING#<scan>|^<scan>)#)[0-9]+$")


def of(name, value):
    """Return what is pinned of an attribute: its type, or the form of a key."""
    ((kind, content),) = value.items()
    if name in KEYS:
        return SHARD.sub(r"\1<shard>", without_names(content)) if kind == "S" else kind
    if kind == "S" and name in VALUES:
        return content
    if kind == "M":
        return {each: of(f"{name}.{each}", inner) for each, inner in content.items()}
    return [of(name, inner) for inner in content] if kind == "L" else kind


def kind_of(item):
    """Return the kind of an item."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    if "#SEGMENT#" in sk:
        return "segment"
    if "TOTALS#" in sk:
        return "totals"
    return " ".join([pk.partition("#")[0], *(item[name]["S"] for name in ("state", "status") if name in item)])


@pytest.fixture(scope="session")
def seen(tmp_path_factory, assembly):
    """Return what scans that take every branch left and sent."""
    found, session = Seen(), product.Session()
    logger, handler = logging.getLogger("video-moderation"), Events(found)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        for name, scenario in {**product.SCENARIOS, "submitted": lambda line: found.waited.update(submitted(line))}.items():
            with product.opened(tmp_path_factory.mktemp(name), assembly, session) as make:
                line = make(batch_function_errors_redriven=True)
                line.watch = Watch(found, line)
                scenario(line)
                found.look(line)
                _note_sent(found, line)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    return found


def submitted(line):
    """Submit what lies in a bucket with versions to the express lane, and follow it to its end."""
    s3 = line.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key, body in (
        ("a.mp4", product.video((2_000, "Weapons", 99.0))),
        ("b.mp4", product.video()),
        ("empty.mp4", b""),
        ("c.mkv", b"x"),
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return product.submit(line, "--express", "--measure", "none", "--all-versions")


def _note_sent(found, line):
    """Note what went to queues and into the work bucket."""
    for call in (*line.called("sqs.SendMessage"), *line.called("sqs.SendMessageBatch")):
        for entry in call.parameters.get("Entries", [call.parameters]):
            found.messages.add(entry["MessageBody"])
    s3, work = line.client("s3"), line.outputs["WorkBucketName"]
    for listed in s3.list_objects_v2(Bucket=work).get("Contents", []):
        answer = s3.get_object(Bucket=work, Key=listed["Key"])
        if listed["Key"].startswith("hits/"):
            lines = gzip.decompress(answer["Body"].read()).decode("ascii").splitlines()
            found.hits.setdefault(without_names(listed["Key"]), set()).update(lines[:2])
        elif listed["Key"].endswith(".csv") and "/results/" in listed["Key"]:
            found.results |= {row[-1] for row in csv.reader(io.StringIO(answer["Body"].read().decode()))}


# --- an account of fixtures -----------------------------------------------------------------------------------------------


@contextmanager
def opened_account(directory):
    """Provide an account in moto with the stack's outputs, buckets and an empty table."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in (
            ("AWS_CONFIG_FILE", "/nonexistent"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
            ("AWS_ACCESS_KEY_ID", "fixture"),
            ("AWS_SECRET_ACCESS_KEY", "fixture"),
            ("MOTO_ACCOUNT_ID", product.ACCOUNT),
        ):
            patch.setenv(name, value)
        with product.account_of_its_own(directory / "manifests") as account:
            yield account


def fill(account):
    """Put a whole scan into table and work bucket, as bytes that the product has not written."""
    client = account.session.client("dynamodb")
    for item in given("items.json").values():
        client.put_item(TableName=product.TABLE, Item=item)
    for path in sorted((FIXTURES / "work_bucket").rglob("*")):
        if path.is_file():
            key, body = path.relative_to(FIXTURES / "work_bucket").as_posix(), path.read_bytes()
            if key.startswith("hits/"):
                key, body = f"{key}.gz", gzip.compress(body, mtime=0)
            account.s3.put_object(Bucket=product.WORK_BUCKET, Key=key, Body=body)
    account.jobs.states = [{"Status": "Complete"}]
    return account


def fill_day(account):
    """Put the scan of a day's uploads into the table, and deploy a stack that watches their bucket."""
    client = account.session.client("dynamodb")
    for item in given("items_of_a_day.json").values():
        client.put_item(TableName=product.TABLE, Item=item)
    outputs = {
        "UploadsQueueUrl": account.sqs.create_queue(QueueName="Uploads")["QueueUrl"],
        "UploadsDeadLettersUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/UploadsDeadLetters",
        "WatchedBuckets": f'[{{"bucket":"{BUCKET}"}}]',
        "WatchRuleNames": f'{{"{BUCKET}":"rule"}}',
    }
    account.deploy("Watching", **outputs)


@pytest.fixture
def account(tmp_path):
    """Return an account with an empty table."""
    with opened_account(tmp_path) as made:
        yield made


@pytest.fixture
def scanned(account):
    """Return an account with a whole scan."""
    return fill(account)


@pytest.fixture(scope="class")
def unchanged(tmp_path_factory):
    """Return an account with a whole scan, shared by the tests of a class that only read it."""
    with opened_account(tmp_path_factory.mktemp("unchanged")) as made:
        yield fill(made)


def items_in(account, *beginnings):
    """Return the items whose sort key or partition key begins so, in DynamoDB's form, sorted by key."""
    found = account.session.client("dynamodb").scan(TableName=product.TABLE)["Items"]
    chosen = [item for item in found if item["pk"]["S"].startswith(beginnings) or item["sk"]["S"].startswith(beginnings)]
    return [dict(sorted(item.items())) for item in sorted(chosen, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))]
