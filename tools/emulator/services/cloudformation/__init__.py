"""CloudFormation: the types that moto lacks, and the refusal of what would not come to life here."""

from tools.emulator.services.cloudformation.known import check
from tools.emulator.services.cloudformation.resources import hooks

__all__ = ["check", "hooks"]
