"""DynamoDB as it behaves: atomic transactions, indexes that lag, and no operation that visits more items than it must."""

from tools.emulator.services.dynamodb.responses import DynamoDbService as Service

__all__ = ["Service"]
