"""SQS's messages: one receiver for each at a time, times by the world's clock, and dead letters."""

from tools.emulator.services.sqs.backend import SqsService
from tools.emulator.services.sqs.responses import Operations, hooks

__all__ = ["Operations", "SqsService", "hooks"]
