"""A sweeper's ports, for the tests of its tasks."""

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.mail import MailTopic
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader
from handlers.domain.states import Lane
from handlers.flows.sweep.sweep import Ports
from tests.handlers.doubles import ACCOUNT
from tests.handlers.sweeper_doubles import TOPIC, Lambda, S3Control, Sns


@pytest.fixture(name="sns")
def _sns(clock):
    return Sns(clock)


@pytest.fixture(name="s3control")
def _s3control():
    return S3Control()


@pytest.fixture(name="functions")
def _functions():
    return Lambda()


@pytest.fixture(name="dead_urls")
def _dead_urls(sqs):
    return {lane: sqs.create_queue(QueueName=f"stack-{lane.value}-dead")["QueueUrl"] for lane in Lane}


@pytest.fixture(name="ports")
def _ports(table, sns, s3control, clock, sqs, urls, dead_urls, rekognition, functions):
    """Return the ports of a sweeper where no bucket is watched."""
    return Ports(
        table=table,
        topic=MailTopic(sns, TOPIC),
        batch_jobs=BatchJobs(s3control, ACCOUNT),
        queues=LaneQueues(sqs, urls, dead_urls),
        reader=AnalysisReader(rekognition, clock),
        completion=CompletionFunction(functions, "completion"),
        switches=LaneSwitches(functions, ("normal-mapping", "express-mapping")),
    )
