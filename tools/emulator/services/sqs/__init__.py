"""SQS as it behaves: one receiver for each message, times by the world's clock, dead letters."""

from tools.emulator.services.sqs.backend import SqsService as Service

__all__ = ["Service"]
