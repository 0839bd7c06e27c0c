"""The engines of an account, wired together once: for the offline world and for tests in a single process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tools.emulator.core import Clock, Objects, moto_hooks
from tools.emulator.services import cloudformation, dynamodb, events, lambda_, rekognition, s3, s3_batch, service_quotas, sns, sqs
from tools.emulator.services.dynamodb import DynamoDbService, Table
from tools.emulator.services.lambda_ import IDLE_POLL_SECONDS, FunctionService, Runtime
from tools.emulator.services.sqs import SqsService
from tools.emulator.settings import EmulatorSettings


class Engines:
    """What an account consists of; a subclass decides how time passes, what runs functions and what S3 holds.

    Attributes:
        objects: S3 as other services see it.
        queues: SQS.
        tables: DynamoDB.
        functions: Lambda, with its own ledger and faults.
        topics: SNS.
        events: EventBridge.
        notifications: What S3 sends for each write.
        batch: S3 Batch Operations.
        rekognition: Rekognition's moderation of videos, with its own ledger and faults.
        images: Rekognition's moderation of images, likewise.
    """

    def make_engines(
        self,
        *,
        clock: Clock,
        settings: EmulatorSettings,
        objects: Objects,
        runtime: Runtime,
        analyser: rekognition.Analyser,
        outbox: Path,
        idle_poll_seconds: float | None = IDLE_POLL_SECONDS,
        seed: int | None = None,
        table: Callable[..., Table] = Table,
        moderation: Callable[..., rekognition.ContentModeration] = rekognition.ContentModeration,
        image_analyser: rekognition.ImageAnalyser | None = None,
    ) -> None:
        """Make all engines; what some of them keep in moto is left as it is.

        `idle_poll_seconds` is that of `FunctionService`, `seed` that of `BatchOperations` and `EventBus`; `table` and
        `moderation` make DynamoDB's tables and Rekognition's engine. Without `image_analyser`, images are decoded.
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
        self.topics = sns.SnsService(clock=clock, settings=settings, functions=self.functions, queues=self.queues, outbox=outbox)
        self.events = events.EventBus(clock=clock, settings=settings, functions=self.functions, queues=self.queues, seed=seed)
        self.notifications = s3.Notifications(
            clock=clock, settings=settings, bus=self.events, topics=self.topics, queues=self.queues, functions=self.functions
        )
        self.batch = s3_batch.BatchOperations(clock=clock, settings=settings, objects=objects, functions=self.functions, seed=seed)
        self.rekognition = moderation(clock=clock, settings=settings, objects=objects, topics=self.topics, analyser=analyser)
        self.images = rekognition.ImageModeration(
            clock=clock, settings=settings, objects=objects, analyser=image_analyser or rekognition.CardReader()
        )

    def hooks(self) -> Iterator[moto_hooks.Hook]:
        """Yield the hooks by which the engines answer moto's requests."""
        yield from s3.hooks(self.notifications)
        yield from service_quotas.hooks()
        yield from dynamodb.hooks(self.tables)
        yield from sqs.hooks(self.queues)
        yield from sns.hooks(self.topics)
        yield from events.hooks(self.events)
        yield from lambda_.hooks(self.functions)
        yield from s3_batch.hooks(self.batch)
        yield from rekognition.hooks(self.rekognition, self.images)
        yield from cloudformation.hooks(self.topics)
