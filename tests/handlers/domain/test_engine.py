"""Which verdict is at least as thorough as another."""

import pytest

from handlers.domain import Engine
from handlers.domain.engine import is_as_thorough

VIDEO, FRAMES = Engine.VIDEO, Engine.FRAMES


@pytest.mark.parametrize(
    ("found", "asked", "enough"),
    [
        ((VIDEO, None), (VIDEO, 5_000), True),
        ((VIDEO, None), (FRAMES, 1_000), True),
        ((FRAMES, 1_000), (VIDEO, 5_000), False),
        ((FRAMES, 2_000), (FRAMES, 5_000), True),
        ((FRAMES, 5_000), (FRAMES, 5_000), True),
        ((FRAMES, 5_001), (FRAMES, 5_000), False),
        ((FRAMES, None), (VIDEO, 5_000), True),
    ],
)
def test_thoroughness(found, asked, enough):
    """The video API before frames, a shorter interval before a longer one; an image is always looked at in the same way."""
    assert enough == is_as_thorough(*found, *asked)
