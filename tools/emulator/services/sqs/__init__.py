"""SQS as it behaves: one receiver for each message, times by the world's clock, dead letters."""
