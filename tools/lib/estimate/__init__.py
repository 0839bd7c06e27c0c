"""The estimate of a scan before it is paid for: minutes of video, dollars and finishing time, each with an error bar.

In the order of their use: a `Sampler` is offered every listed object and draws a sample; `read_headers` reads the headers of it,
or of all objects; `Measurements` adds them up; `measured_speed` asks the table how fast earlier scans went; `estimate` puts it
together.
"""

from tools.lib.estimate.figure import Range
from tools.lib.estimate.measurements import Measurements
from tools.lib.estimate.measuring import read_headers
from tools.lib.estimate.mp4.header import Header, HeaderReader, Reading, Unreadable
from tools.lib.estimate.pace import Speed, measured_speed
from tools.lib.estimate.result import Estimate, estimate
from tools.lib.estimate.sampling import DEFAULT_SAMPLE, Population, Sample, Sampler

__all__ = [
    "DEFAULT_SAMPLE",
    "Estimate",
    "Header",
    "HeaderReader",
    "Measurements",
    "Population",
    "Range",
    "Reading",
    "Sample",
    "Sampler",
    "Speed",
    "Unreadable",
    "estimate",
    "measured_speed",
    "read_headers",
]
