"""S3 Batch Operations: jobs that invoke a function for each object of a manifest, and the reports that they leave."""

from tools.emulator.services.s3_batch.backend import BatchOperations
from tools.emulator.services.s3_batch.responses import hooks

__all__ = ["BatchOperations", "hooks"]
