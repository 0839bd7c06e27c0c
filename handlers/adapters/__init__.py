"""The only code that calls AWS, one module for each service; the table has a package of its own (`handlers.adapters.table`)."""

from handlers.adapters.aws_errors import Fault, ThrottledError, code_of, fault_of, message_of
from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.event_bus import EventBus
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.hits import HitFile, HitStore
from handlers.adapters.images import ImageLabels, ImageModeration, NotDetected
from handlers.adapters.mail import MailTopic, Subscribers
from handlers.adapters.object_marks import NotMarkedError, ObjectMarks
from handlers.adapters.objects import Look, ObjectError, ObjectRanges, ObjectStore, OutOfTimeError
from handlers.adapters.outbox_queue import OutboxQueue
from handlers.adapters.queue import Depth, LaneQueues
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter, NoSuchJobError, NotStarted, StalePagesError, Started
from handlers.adapters.uploads import BucketListing, ListedObject, ListedPage, NotListedError, UploadQueue

__all__ = [
    "AnalysisReader",
    "AnalysisStarter",
    "BatchJobs",
    "BucketListing",
    "CompletionFunction",
    "Depth",
    "EventBus",
    "Fault",
    "HitFile",
    "HitStore",
    "ImageLabels",
    "ImageModeration",
    "LaneQueues",
    "LaneSwitches",
    "ListedObject",
    "ListedPage",
    "Look",
    "MailTopic",
    "NoSuchJobError",
    "NotDetected",
    "NotListedError",
    "NotMarkedError",
    "NotStarted",
    "ObjectError",
    "ObjectMarks",
    "ObjectRanges",
    "ObjectStore",
    "OutOfTimeError",
    "OutboxQueue",
    "StalePagesError",
    "Started",
    "Subscribers",
    "ThrottledError",
    "UploadQueue",
    "code_of",
    "fault_of",
    "message_of",
]
