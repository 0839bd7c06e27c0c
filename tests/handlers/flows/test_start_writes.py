"""What starting writes into the settings item, which all starters share."""

import pytest

from handlers.adapters.rekognition import AnalysisStarter
from handlers.domain import lane_message
from handlers.flows.breaker import Breaker
from handlers.flows.start import StartFlow, StartSettings
from handlers.flows.start_rules import Limits
from tests.handlers.doubles import BUCKET, COMPLETIONS, MP4, ROLE, client_error, waiting


@pytest.fixture(name="start")
def _start(table, objects, s3, clock, rekognition):
    """Return a function that starts the analysis of a new video, and returns what is to be done with its message."""
    settings = StartSettings(COMPLETIONS, ROLE, 50.0, Limits(18, 20))
    flow = StartFlow(table.records, Breaker(table.control), table.watches, objects, AnalysisStarter(rekognition), clock, settings)

    def start(key):
        s3.put_object(Bucket=BUCKET, Key=key, Body=MP4)
        record = waiting(key)
        table.records.register(record, None)
        return flow.start(lane_message.parse(lane_message.body(record)), receives=1, deadline=clock.now() + 900)

    return start


def test_refusals_are_forgotten_after_a_start(start, table, rekognition, dynamodb):
    """A Start that succeeds ends a row of refusals; where there was none, it writes no settings."""
    table.control.set_slots(18)
    written = len(dynamodb.called("update_item"))
    start("a.mp4")
    quiet = len(dynamodb.called("update_item")) - written

    rekognition.refuse_starts.append(client_error("AccessDeniedException"))
    start("b.mp4")
    refused = table.control.settings().refused_in_row
    start("c.mp4")

    assert (0, 1, 0) == (quiet, refused, table.control.settings().refused_in_row)
