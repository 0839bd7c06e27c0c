"""The estimate of a scan before it is paid for: minutes, images, dollars and finishing time, each with an error bar.

`HeaderInspection` samples the objects of a manifest while it is written, and reads headers; `estimate` extrapolates from them.
"""

from tools.lib.estimate.engine_choice import BY_VIDEO, EngineChoice, every, missed
from tools.lib.estimate.inspection import (
    READING_HEADERS,
    EstimateOptions,
    HeaderInspection,
    InspectionResult,
    require_no_limit,
    with_head,
)
from tools.lib.estimate.options import NO_HEADERS, Measure, estimate_options
from tools.lib.estimate.pace import measured_pace, measured_speed
from tools.lib.estimate.prices import Price, PriceTable
from tools.lib.estimate.result import Circumstances, Estimate, estimate

__all__ = [
    "BY_VIDEO",
    "NO_HEADERS",
    "READING_HEADERS",
    "Circumstances",
    "EngineChoice",
    "Estimate",
    "EstimateOptions",
    "HeaderInspection",
    "InspectionResult",
    "Measure",
    "Price",
    "PriceTable",
    "estimate",
    "estimate_options",
    "every",
    "measured_pace",
    "measured_speed",
    "missed",
    "require_no_limit",
    "with_head",
]
