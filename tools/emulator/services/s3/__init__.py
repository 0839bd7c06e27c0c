"""S3 is moto's; this corrects where moto is too kind or too weak, shows its objects to other services, and sends its events.

What a bucket's policy says about a request can be asked without a world: `parse_policy`, `access`, `permits`.
"""

from tools.emulator.services.s3.backend import Storage
from tools.emulator.services.s3.notifications import Notifications
from tools.emulator.services.s3.policy import ANYBODY, Access, BucketPolicy, Decision, Requester, access, permits
from tools.emulator.services.s3.policy import parse as parse_policy
from tools.emulator.services.s3.responses import hooks

__all__ = [
    "ANYBODY",
    "Access",
    "BucketPolicy",
    "Decision",
    "Notifications",
    "Requester",
    "Storage",
    "access",
    "hooks",
    "parse_policy",
    "permits",
]
