"""S3 is moto's; this corrects where moto is too kind or too weak, and shows its objects to other services."""

from tools.emulator.services.s3.backend import Storage
from tools.emulator.services.s3.responses import hooks

__all__ = ["Storage", "hooks"]
