"""Lines to look at (see `tests/harness`)."""

from tests.harness.fixtures import assembly, line, make_line, refusing_line, session, template

__all__ = ["assembly", "line", "make_line", "refusing_line", "session", "template"]
