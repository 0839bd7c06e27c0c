"""SNS: moto keeps topics and subscriptions, this delivers messages to functions, queues and people."""

from tools.emulator.services.sns.backend import SnsService
from tools.emulator.services.sns.responses import hooks

__all__ = ["SnsService", "hooks"]
