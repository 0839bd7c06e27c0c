"""Write the pinned fixtures again: `python -m tests.pins [FILE ...]`, then look at `git diff tests/pins`.

Only for a change that is meant: what is pinned is stored, sent or read by others.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.pins.pinned import RENEW

if __name__ == "__main__":
    os.environ[RENEW] = "1"
    sys.exit(pytest.main(["-q", *(sys.argv[1:] or [str(Path(__file__).parent)])]))
