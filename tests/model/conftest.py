"""The template, synthesised once (see `tests/line`)."""

from tests.line.fixtures import assembly, template

__all__ = ["assembly", "template"]
