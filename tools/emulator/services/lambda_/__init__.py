"""Lambda of the offline world: functions that really run, each in warm processes of its own, with Lambda's limits and retries."""
