"""Lines to look at (see `tests/harness`)."""

from tests.harness.fixtures import assembly, session

__all__ = ["assembly", "session"]
