"""The offline world: S3 Batch Operations jobs and Rekognition content moderation added to moto, and functions that really run."""
