"""What a person is told of a manifest that S3 makes."""

import pytest

from tools.lib.listing import Selection
from tools.lib.manifest.sources import s3_generated


@pytest.mark.parametrize(("suffixes", "warned"), [((".mp4",), True), (("",), False), ((), False)])
def test_case_of_suffixes(suffixes, warned):
    """That S3 tells .MP4 from .mp4 is said where a suffix chooses the objects."""
    warnings = s3_generated.warnings(Selection(bucket="amzn-s3-demo-bucket", suffixes=suffixes))

    assert warned == any("case-sensitive" in warning for warning in warnings)
    assert 2 + 2 * warned == len(warnings)
