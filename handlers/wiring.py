"""Makes each function's flow of its settings, AWS clients and a clock; tests run the same flows with other `Adapters`."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.adapters import (
    AnalysisReader,
    AnalysisStarter,
    BatchJobs,
    BucketListing,
    CompletionFunction,
    EventBus,
    HitStore,
    ImageModeration,
    LaneQueues,
    LaneSwitches,
    MailTopic,
    ObjectMarks,
    ObjectStore,
    OutboxQueue,
    UploadQueue,
)
from handlers.adapters.media import open_media
from handlers.adapters.table import Table, open_table
from handlers.domain import Lane, policy, watch
from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.flows import (
    Breaker,
    CompleteFlow,
    LaneEventsFlow,
    Limits,
    OpenMedia,
    Ports,
    PublishFlow,
    PublishSettings,
    RegisterFlow,
    Registration,
    SampleFlow,
    SampleSettings,
    StartFlow,
    StartSettings,
    SweepFlow,
    SweepSettings,
    UploadFlow,
    UploadPorts,
)
from handlers.runtime import Clients, Clock
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    NewUploadSettings,
    PublishVerdictSettings,
    SampleFramesSettings,
    StartAnalysisSettings,
    SweeperSettings,
)


class Adapters:
    """Makes the adapters of one environment; a subclass overrides what it replaces."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self.clients = clients
        self.clock = clock

    def table(self, name: str, *, has_outbox: bool = False) -> Table:
        """Return the parts of the table that flows use, on one client."""
        return open_table(self.clients.dynamodb, name, self.clock, has_outbox=has_outbox)

    def lanes(self, urls: Mapping[Lane, str], dead_letters: Mapping[Lane, str] | None = None) -> LaneQueues:
        """Return the lanes, with their dead-letter queues if the function reads them."""
        return LaneQueues(self.clients.sqs, urls, dead_letters)

    def videos(self, *, images: bool = False) -> ObjectStore:
        """Return the source buckets."""
        return ObjectStore(self.clients.s3, images=images)

    def hit_store(self, bucket: str) -> HitStore:
        """Return the work bucket."""
        return HitStore(self.clients.s3, bucket)

    def marks(self) -> ObjectMarks:
        """Return the tags and annotations of the source buckets' objects."""
        return ObjectMarks(self.clients.s3)

    def bus(self) -> EventBus:
        """Return EventBridge's default bus."""
        return EventBus(self.clients.events)

    def starter(self) -> AnalysisStarter:
        """Return what starts analyses."""
        return AnalysisStarter(self.clients.rekognition)

    def images(self) -> ImageModeration:
        """Return what looks at images."""
        return ImageModeration(self.clients.rekognition)

    def media(self) -> OpenMedia:
        """Return what opens films and images."""
        return open_media

    def reader(self) -> AnalysisReader:
        """Return what reads analyses."""
        return AnalysisReader(self.clients.rekognition, self.clock)


def register_flow(settings: BatchInvokeSettings, adapters: Adapters) -> RegisterFlow:
    """Return the flow of `batch_invoke`."""
    table = adapters.table(settings.table_name, has_outbox=bool(settings.outbox))
    return RegisterFlow(_registration(settings, adapters), table.scans, adapters.clock)


def upload_flow(settings: NewUploadSettings, adapters: Adapters) -> UploadFlow:
    """Return the flow of `new_upload`."""
    table = adapters.table(settings.table_name, has_outbox=bool(settings.outbox))
    watched = dict(watch.parse(settings.watch))
    watched.pop(settings.work_bucket_name, None)
    registration = _registration(settings, adapters)
    return UploadFlow(registration, table.records, table.scans, table.watches, adapters.clock, watched)


def _registration(settings: BatchInvokeSettings | NewUploadSettings, adapters: Adapters) -> Registration:
    table = adapters.table(settings.table_name, has_outbox=bool(settings.outbox))
    lanes = adapters.lanes(_urls(settings))
    return Registration(table.records, adapters.videos(images=Lane.FRAMES in lanes.lanes), lanes, adapters.clock)


def lane_events_flow(settings: StartAnalysisSettings, adapters: Adapters) -> LaneEventsFlow:
    """Return the flow of `start_analysis`."""
    table = adapters.table(settings.table_name, has_outbox=bool(settings.outbox))
    start = StartSettings(
        topic_arn=settings.completions_topic_arn,
        role_arn=settings.rekognition_role_arn,
        min_confidence=settings.min_confidence,
        limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
        watched=watch.parse(settings.watch),
    )
    flow = StartFlow(
        table.records, Breaker(table.control), table.watches, adapters.videos(), adapters.starter(), adapters.clock, start
    )
    return LaneEventsFlow(flow, adapters.lanes(_urls(settings)), adapters.clock)


def frames_events_flow(settings: SampleFramesSettings, adapters: Adapters) -> LaneEventsFlow:
    """Return the flow of `sample_frames`."""
    table = adapters.table(settings.table_name, has_outbox=bool(settings.outbox))
    flow = SampleFlow(
        table.records,
        table.samplings,
        table.pace,
        table.watches,
        Breaker(table.control),
        adapters.videos(images=True),
        adapters.media(),
        adapters.images(),
        adapters.hit_store(settings.work_bucket_name),
        policy.parse(settings.policy),
        adapters.clock,
        SampleSettings(settings.min_confidence, settings.images_per_second, watch.parse(settings.watch)),
    )
    return LaneEventsFlow(flow, adapters.lanes(_frames_urls(settings)), adapters.clock)


def complete_flow(settings: CompletionSettings, adapters: Adapters) -> CompleteFlow:
    """Return the flow of `completion`."""
    return CompleteFlow(
        adapters.table(settings.table_name, has_outbox=bool(settings.outbox)).records,
        adapters.reader(),
        adapters.hit_store(settings.work_bucket_name),
        policy.parse(settings.policy),
        adapters.clock,
        settings.completions_topic_arn,
    )


def publish_flow(settings: PublishVerdictSettings, adapters: Adapters) -> PublishFlow:
    """Return the flow of `publish_verdict`."""
    table = adapters.table(settings.table_name)
    carried_out = PublishSettings(bool(settings.publish_events), bool(settings.tag_objects), bool(settings.annotate_objects))
    return PublishFlow(table.outbox, table.scans, adapters.bus(), adapters.marks(), adapters.clock, carried_out)


def sweep_flow(settings: SweeperSettings, adapters: Adapters) -> SweepFlow:
    """Return the flow of `sweeper`."""
    clients = adapters.clients
    dead_letters = {
        Lane.NORMAL: settings.normal_dead_letters_url,
        Lane.EXPRESS: settings.express_dead_letters_url,
        Lane.FRAMES: settings.frames_dead_letters_url,
        Lane.FRAMES_EXPRESS: settings.frames_express_dead_letters_url,
    }
    mappings = (
        settings.normal_mapping_id,
        settings.express_mapping_id,
        settings.frames_mapping_id,
        settings.frames_express_mapping_id,
    )
    ports = Ports(
        table=adapters.table(settings.table_name, has_outbox=bool(settings.outbox_queue_url)),
        topic=MailTopic(clients.sns, settings.alerts_topic_arn),
        batch_jobs=BatchJobs(clients.s3control, settings.account_id),
        queues=adapters.lanes(_urls(settings), dead_letters),
        reader=adapters.reader(),
        completion=CompletionFunction(clients.functions, settings.completion_function_arn),
        switches=LaneSwitches(clients.functions, tuple(mapping for mapping in mappings if mapping)),
        uploads=_upload_ports(settings, adapters) if settings.watch else None,
        outbox=OutboxQueue(clients.sqs, settings.outbox_queue_url) if settings.outbox_queue_url else None,
    )
    # A mail in English is better than none: the stack has checked the setting.
    language = LANGUAGES.get(settings.language, ENGLISH)
    region = settings.alerts_topic_arn.split(":")[3]
    sweep = SweepSettings(
        settings.stack_name,
        settings.completions_topic_arn,
        region,
        settings.mails_per_scan,
        settings.slots,
        language,
        watch.parse(settings.watch),
    )
    return SweepFlow(ports, adapters.clock, sweep)


def _upload_ports(settings: SweeperSettings, adapters: Adapters) -> UploadPorts:
    clients = adapters.clients
    queue = UploadQueue(clients.sqs, settings.uploads_queue_url, settings.uploads_dead_letters_url, adapters.clock)
    return UploadPorts(BucketListing(clients.s3), queue)


def _urls(settings: BatchInvokeSettings | NewUploadSettings | StartAnalysisSettings | SweeperSettings) -> dict[Lane, str]:
    """Return the lanes by their URLs; those of frames only where they are deployed."""
    urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
    return urls if isinstance(settings, StartAnalysisSettings) else {**urls, **_frames_urls(settings)}


def _frames_urls(
    settings: BatchInvokeSettings | NewUploadSettings | SampleFramesSettings | SweeperSettings,
) -> dict[Lane, str]:
    urls = {Lane.FRAMES: settings.frames_queue_url, Lane.FRAMES_EXPRESS: settings.frames_express_queue_url}
    return {lane: url for lane, url in urls.items() if url}
