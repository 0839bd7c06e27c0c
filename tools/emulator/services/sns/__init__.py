"""SNS as it behaves: true events for functions, mails in a folder, its rules for subjects and its limit on mails."""

from tools.emulator.services.sns.backend import SnsService as Service

__all__ = ["Service"]
