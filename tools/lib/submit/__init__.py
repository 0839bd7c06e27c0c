"""Submitting a scan: a plan is made, shown, kept in a file and performed; the same plan resumes an interrupted submission."""

from tools.lib.submit.command import Request, SubmitRun
from tools.lib.submit.engine_options import engine_from, engine_options
from tools.lib.submit.finish import Submitted, finish, held_error
from tools.lib.submit.job_request import NewJob, create_job, description
from tools.lib.submit.options import SubmitOptions, submit_options
from tools.lib.submit.perform import note_job
from tools.lib.submit.plan import engine_arguments
from tools.lib.submit.plan_text import PER_IMAGE, PER_MINUTE, column, price_lines
from tools.lib.submit.selection_options import selection_options
from tools.lib.submit.source_options import require_consistent, selection_for, source_from, source_options

__all__ = [
    "PER_IMAGE",
    "PER_MINUTE",
    "NewJob",
    "Request",
    "SubmitOptions",
    "SubmitRun",
    "Submitted",
    "column",
    "create_job",
    "description",
    "engine_arguments",
    "engine_from",
    "engine_options",
    "finish",
    "held_error",
    "note_job",
    "price_lines",
    "require_consistent",
    "selection_for",
    "selection_options",
    "source_from",
    "source_options",
    "submit_options",
]
