"""What Lambda needs besides other services: something that runs a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tools.emulator.services.lambda_.model import Function, Invocation, Outcome


class Runtime(Protocol):
    """What runs functions. The service has made sure that a concurrency limit allows one more."""

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Run the function once and call `done` once with what it came to; must not raise."""

    def retire(self, function_name: str) -> None:
        """Let no later invocation of the function meet an environment that exists now: its code or configuration has changed."""

    def close(self) -> None:
        """End every environment, also the busy ones."""
