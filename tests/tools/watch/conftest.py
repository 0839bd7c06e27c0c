"""A line that watches two of its buckets, for all tests of a module, and a person at `control_scan.py` (see `tests/harness`)."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tests.harness.fixtures import assembly, opened, session
from tests.harness.line import BUCKET
from tools.control_scan import main
from tools.lib.aws import Clients, deployment
from tools.lib.cli import ProgramContext

__all__ = ["assembly", "session"]

OTHER = "amzn-s3-demo-bucket2"
# Of this one, two minutes a day; of the other, what begins with a prefix, by frames.
WATCH = [
    {"bucket": BUCKET, "max_minutes_per_day": 2},
    {"bucket": OTHER, "prefixes": ["in/"], "engine": "frames", "interval": "2.5s"},
]


@pytest.fixture(scope="module")
def watching(tmp_path_factory, assembly, session):
    """Return a line that watches two buckets; one that is not watched is there, too."""
    context = {"source_buckets": ["*"], "watch": WATCH, "frames": True}
    with opened(tmp_path_factory.mktemp("line"), assembly, session) as make:
        line = make(context)
        line.clock.longest_seconds = 10 * 86_400.0
        for bucket in (OTHER, "unwatched"):
            line.client("s3").create_bucket(Bucket=bucket)
        yield line


@pytest.fixture
def person(watching):
    """Return who runs `control_scan.py watch`: `person(...)`, with an answer if they are prompted."""

    def run(*arguments, answer=None):
        context = ProgramContext(connect=lambda *_: Clients(watching.session), clock=watching.clock, interactive=answer is not None)
        return CliRunner().invoke(main, ["watch", *arguments], obj=context, input=answer)

    return run


@pytest.fixture
def found(watching):
    """Return the deployment as the tools find it."""
    return deployment.find(watching.client("cloudformation"), "VideoModeration")


@pytest.fixture
def switch(watching):
    """Return the notification configurations of buckets, to read and to put; afterwards they are as before."""
    s3 = watching.client("s3")

    def read(bucket=BUCKET):
        answer = s3.get_bucket_notification_configuration(Bucket=bucket)
        del answer["ResponseMetadata"]
        return answer

    def put(configuration, bucket=BUCKET):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)

    before = {bucket: read(bucket) for bucket in (BUCKET, OTHER, "unwatched")}
    yield SimpleNamespace(read=read, put=put)
    for bucket, configuration in before.items():
        put(configuration, bucket)
