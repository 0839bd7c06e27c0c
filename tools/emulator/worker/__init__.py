"""What runs in the processes of functions; imports only the standard library and the SDK, because functions see no more."""

from tools.emulator.worker import wire

__all__ = ["wire"]
