"""Lambda's refusals inside the engine; `responses` and `http` say what a caller sees of them."""

from __future__ import annotations


class UnsupportedFunctionError(ValueError):
    """The function asks for something that the offline world does not do."""


class MappingError(ValueError):
    """The mapping asks for something that Lambda, or this emulator, does not do."""


class UnsupportedScheduleError(ValueError):
    """The rule is one that the offline world does not run."""


class PayloadError(ValueError):
    """The payload is not JSON, or larger than an asynchronous invocation may be."""


class ThrottledError(Exception):
    """No invocation of the function may begin now; the text is Lambda's `Reason`."""
