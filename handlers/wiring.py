"""Settings, clients and a clock become a flow. Written once; other runners of a flow override what differs in `Adapters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.hits import HitStore
from handlers.adapters.mail import MailTopic
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter
from handlers.adapters.table import Table, open_table
from handlers.domain import policy
from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.states import Lane
from handlers.flows.complete import CompleteFlow
from handlers.flows.lane_events import LaneEventsFlow
from handlers.flows.register import RegisterFlow
from handlers.flows.start import StartFlow, StartSettings
from handlers.flows.start_rules import Limits
from handlers.flows.sweep.sweep import Ports, SweepFlow, SweepSettings
from handlers.runtime.clock import Clock
from handlers.settings import BatchInvokeSettings, CompletionSettings, StartAnalysisSettings, SweeperSettings

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Clients(Protocol):
    """AWS clients, each made when it is first asked for; the module `handlers.runtime.clients` is one."""

    def dynamodb(self) -> DynamoDBClient: ...  # noqa: D102 # the type says it
    def s3(self) -> S3Client: ...  # noqa: D102
    def s3control(self) -> S3ControlClient: ...  # noqa: D102
    def sqs(self) -> SQSClient: ...  # noqa: D102
    def sns(self) -> SNSClient: ...  # noqa: D102
    def functions(self) -> LambdaClient: ...  # noqa: D102
    def rekognition(self) -> RekognitionClient: ...  # noqa: D102


class Adapters:
    """Makes the adapters of one environment. Other runners of a flow override the methods of what they replace."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self.clients = clients
        self.clock = clock

    def table(self, name: str) -> Table:
        """Open the table."""
        return open_table(self.clients.dynamodb(), name, self.clock)

    def lanes(self, urls: Mapping[Lane, str], dead_letters: Mapping[Lane, str] | None = None) -> LaneQueues:
        """Reach the lanes, and their dead letters where a function is to look at them."""
        return LaneQueues(self.clients.sqs(), urls, dead_letters)

    def videos(self) -> ObjectStore:
        """Reach the objects of all source buckets."""
        return ObjectStore(self.clients.s3())

    def hit_store(self, bucket: str) -> HitStore:
        """Reach the work bucket."""
        return HitStore(self.clients.s3(), bucket)

    def starter(self) -> AnalysisStarter:
        """Reach Rekognition for starting analyses."""
        return AnalysisStarter(self.clients.rekognition())

    def reader(self) -> AnalysisReader:
        """Reach Rekognition for reading analyses."""
        return AnalysisReader(self.clients.rekognition(), self.clock)


def register_flow(settings: BatchInvokeSettings, adapters: Adapters) -> RegisterFlow:
    """Return the flow of `batch_invoke`."""
    table = adapters.table(settings.table_name)
    return RegisterFlow(table.records, table.scans, adapters.videos(), adapters.lanes(_urls(settings)), adapters.clock)


def lane_events_flow(settings: StartAnalysisSettings, adapters: Adapters) -> LaneEventsFlow:
    """Return the flow of `start_analysis`."""
    table = adapters.table(settings.table_name)
    start = StartSettings(
        topic_arn=settings.completions_topic_arn,
        role_arn=settings.rekognition_role_arn,
        min_confidence=settings.min_confidence,
        limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
    )
    flow = StartFlow(table.records, table.control, adapters.videos(), adapters.starter(), adapters.clock, start)
    return LaneEventsFlow(flow, adapters.lanes(_urls(settings)), adapters.clock)


def complete_flow(settings: CompletionSettings, adapters: Adapters) -> CompleteFlow:
    """Return the flow of `completion`."""
    return CompleteFlow(
        adapters.table(settings.table_name).records,
        adapters.reader(),
        adapters.hit_store(settings.work_bucket_name),
        policy.parse(settings.policy),
        adapters.clock,
        settings.completions_topic_arn,
    )


def sweep_flow(settings: SweeperSettings, adapters: Adapters) -> SweepFlow:
    """Return the flow of `sweeper`."""
    clients = adapters.clients
    dead_letters = {Lane.NORMAL: settings.normal_dead_letters_url, Lane.EXPRESS: settings.express_dead_letters_url}
    ports = Ports(
        table=adapters.table(settings.table_name),
        topic=MailTopic(clients.sns(), settings.alerts_topic_arn),
        batch_jobs=BatchJobs(clients.s3control(), settings.account_id),
        queues=adapters.lanes(_urls(settings), dead_letters),
        reader=adapters.reader(),
        completion=CompletionFunction(clients.functions(), settings.completion_function_arn),
        switches=LaneSwitches(clients.functions(), (settings.normal_mapping_id, settings.express_mapping_id)),
    )
    # A mail in English is better than none: the stack has checked the setting.
    language = LANGUAGES.get(settings.language, ENGLISH)
    sweep = SweepSettings(settings.stack_name, settings.completions_topic_arn, settings.mails_per_scan, language)
    return SweepFlow(ports, adapters.clock, sweep)


def _urls(settings: BatchInvokeSettings | StartAnalysisSettings | SweeperSettings) -> dict[Lane, str]:
    return {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
