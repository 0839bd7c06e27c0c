"""DynamoDB's items: atomic transactions, indexes that lag, and no operation that visits more items than it must."""

from tools.emulator.services.dynamodb.backend import Engine
from tools.emulator.services.dynamodb.errors import DynamoDbError
from tools.emulator.services.dynamodb.responses import DynamoDbService, hooks
from tools.emulator.services.dynamodb.table import Index, KeySchema, Table
from tools.emulator.services.dynamodb.values import item_size

__all__ = ["DynamoDbError", "DynamoDbService", "Engine", "Index", "KeySchema", "Table", "hooks", "item_size"]
