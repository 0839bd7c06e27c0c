"""Lines to look at (see `tests/line`)."""

from tests.line.fixtures import assembly, line, make_line, refusing_line, session, template

__all__ = ["assembly", "line", "make_line", "refusing_line", "session", "template"]
