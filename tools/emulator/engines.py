"""The engines of an account, wired to each other: one composition for the offline world and for tests in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tools.emulator.core import moto_hooks
from tools.emulator.core.clock import Clock
from tools.emulator.core.ports import Objects
from tools.emulator.services import cloudformation, dynamodb, lambda_, service_quotas, sqs
from tools.emulator.services.dynamodb import DynamoDbService, Table
from tools.emulator.services.lambda_ import IDLE_POLL_SECONDS, FunctionService, Runtime
from tools.emulator.services.rekognition import responses as rekognition
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.video import Analyser
from tools.emulator.services.s3 import responses as s3
from tools.emulator.services.s3_batch import BatchOperations
from tools.emulator.services.s3_batch import responses as s3_batch
from tools.emulator.services.sns import responses as sns
from tools.emulator.services.sns.backend import SnsService
from tools.emulator.services.sqs import SqsService
from tools.emulator.settings import EmulatorSettings


class Engines:
    """What an account consists of; who inherits says how time passes, what runs functions and what S3 holds.

    Attributes:
        objects: S3 as other services see it.
        queues: SQS.
        tables: DynamoDB.
        functions: Lambda; its own ledger and faults are there.
        topics: SNS.
        batch: S3 Batch Operations.
        rekognition: Rekognition; its own ledger and faults are there.
    """

    def make_engines(
        self,
        *,
        clock: Clock,
        settings: EmulatorSettings,
        objects: Objects,
        runtime: Runtime,
        analyser: Analyser,
        outbox: Path,
        idle_poll_seconds: float | None = IDLE_POLL_SECONDS,
        seed: int | None = None,
        table: Callable[..., Table] = Table,
        moderation: Callable[..., ContentModeration] = ContentModeration,
    ) -> None:
        """Make all engines; their state in moto, if there is any, is not touched.

        Args:
            clock: The time of all engines.
            settings: The settings of all engines.
            objects: S3 as other services see it.
            runtime: What runs functions.
            analyser: What Rekognition sees in a video.
            outbox: Where mails go.
            idle_poll_seconds: See `FunctionService`.
            seed: See `BatchOperations`.
            table: Makes a table of DynamoDB.
            moderation: Makes Rekognition's engine.
        """
        self.objects = objects
        self.queues = SqsService(clock=clock, settings=settings)
        self.tables = DynamoDbService(clock=clock, settings=settings, make_table=table)
        self.functions = FunctionService(
            clock=clock,
            settings=settings,
            queues=self.queues,
            receiving=self.queues,
            runtime=runtime,
            idle_poll_seconds=idle_poll_seconds,
        )
        self.queues.when_visible(self.functions.wake)
        self.topics = SnsService(clock=clock, settings=settings, functions=self.functions, queues=self.queues, outbox=outbox)
        self.batch = BatchOperations(clock=clock, settings=settings, objects=objects, functions=self.functions, seed=seed)
        self.rekognition = moderation(clock=clock, settings=settings, objects=objects, topics=self.topics, analyser=analyser)

    def hooks(self) -> Iterator[moto_hooks.Hook]:
        """Yield what has moto's requests answered by the engines."""
        yield from s3.hooks()
        yield from service_quotas.hooks()
        yield from dynamodb.hooks(self.tables)
        yield from sqs.hooks(self.queues)
        yield from sns.hooks(self.topics)
        yield from lambda_.hooks(self.functions)
        yield from s3_batch.hooks(self.batch)
        yield from rekognition.hooks(self.rekognition)
        yield from cloudformation.hooks(self.topics)
