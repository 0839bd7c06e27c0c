"""The template, synthesised once (see `tests/harness`)."""

from tests.harness.fixtures import assembly, template

__all__ = ["assembly", "template"]
