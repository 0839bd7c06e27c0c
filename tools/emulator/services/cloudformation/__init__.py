"""CloudFormation is moto's; this adds the resource types that it lacks, and refuses what would have no effect here."""

from tools.emulator.services.cloudformation.known import check
from tools.emulator.services.cloudformation.resources import hooks

__all__ = ["check", "hooks"]
