"""The lines of the seed's tests, for bad input."""

from tests.seed_defects.conftest import assembly, line, make_line, refusing_line, session

__all__ = ["assembly", "line", "make_line", "refusing_line", "session"]
