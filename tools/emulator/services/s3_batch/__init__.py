"""S3 Batch Operations: jobs that invoke a function for each object of a manifest, and the report they leave.

Public names: `BatchOperations` (the engine), `BatchError`, and in `responses` what puts the engine behind moto.
"""

from tools.emulator.services.s3_batch.backend import BatchOperations
from tools.emulator.services.s3_batch.errors import BatchError

__all__ = ["BatchError", "BatchOperations"]
