"""The estimate of a scan before it is paid for: minutes of video, dollars and finishing time, each with an error bar.

`HeaderInspection` samples the objects of a manifest while it is written, and reads headers; `estimate` extrapolates from them.
"""

from tools.lib.estimate.inspection import (
    READING_HEADERS,
    EstimateOptions,
    HeaderInspection,
    InspectionResult,
    require_no_limit,
    with_head,
)
from tools.lib.estimate.options import NO_HEADERS, Measure, estimate_options
from tools.lib.estimate.pace import measured_speed
from tools.lib.estimate.prices import Price, PriceTable
from tools.lib.estimate.result import Estimate, estimate

__all__ = [
    "NO_HEADERS",
    "READING_HEADERS",
    "Estimate",
    "EstimateOptions",
    "HeaderInspection",
    "InspectionResult",
    "Measure",
    "Price",
    "PriceTable",
    "estimate",
    "estimate_options",
    "measured_speed",
    "require_no_limit",
    "with_head",
]
