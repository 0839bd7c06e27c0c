"""The review of a scan: reports joined with the table; shown, exported, put on a page, and decided on."""

from tools.lib.review.apply import Applied, apply_decisions
from tools.lib.review.command import Files, make_review, not_closed
from tools.lib.review.completion_report import BucketFiles
from tools.lib.review.cures import cure_of
from tools.lib.review.export import Form, Rows
from tools.lib.review.former_options import answer as answer_former_options
from tools.lib.review.history import History, history_of
from tools.lib.review.inputs import ScanChoice, ScanReading, scan_options
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.recorded import collect_rarely
from tools.lib.review.sample import SampleChoice, sample_options
from tools.lib.review.skipped import not_looked_at
from tools.lib.review.summary import FlaggedVideo, Review, surest_first

__all__ = [
    "Applied",
    "BucketFiles",
    "Files",
    "FlaggedVideo",
    "Form",
    "History",
    "ObjectResult",
    "ObjectStatus",
    "Review",
    "Rows",
    "SampleChoice",
    "ScanChoice",
    "ScanReading",
    "TruthTable",
    "answer_former_options",
    "apply_decisions",
    "collect_rarely",
    "cure_of",
    "history_of",
    "make_review",
    "not_closed",
    "not_looked_at",
    "sample_options",
    "scan_options",
    "surest_first",
]
