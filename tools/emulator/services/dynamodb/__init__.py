"""DynamoDB as it behaves: atomic transactions, indexes that lag, and no operation that visits more items than it must."""
