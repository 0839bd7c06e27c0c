"""EventBridge: rules with schedules and patterns, and the default bus, which delivers events to functions and queues."""

from tools.emulator.services.events.backend import EventBus
from tools.emulator.services.events.pattern import InvalidPatternError, Pattern, parse
from tools.emulator.services.events.responses import hooks
from tools.emulator.services.events.rule import Rule, Target

__all__ = ["EventBus", "InvalidPatternError", "Pattern", "Rule", "Target", "hooks", "parse"]
