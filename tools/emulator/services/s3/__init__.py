"""S3 is moto's; this corrects where moto is too kind or too weak, shows its objects to other services, and sends its events."""

from tools.emulator.services.s3.backend import Storage
from tools.emulator.services.s3.notifications import Notifications
from tools.emulator.services.s3.responses import hooks

__all__ = ["Notifications", "Storage", "hooks"]
