"""Lambda and S3 Batch as the sweeper calls them: exact requests, and what answers mean."""

import json

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.domain.record import BatchJob
from tests.handlers.doubles import ACCOUNT, client_error
from tests.handlers.sweeper_doubles import Lambda, S3Control


def test_completion():
    """`completion` is invoked with the event, and not waited for."""
    client = Lambda()

    CompletionFunction(client, "completion").invoke({"Records": ["é"]})

    assert [{"Records": ["é"]}] == client.events


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(
    ("states", "count"),
    [
        (("Enabled", "Disabled"), 1),
        (("Enabling", "Disabling"), 0),
        (("Creating", "Updating"), 0),
    ],
)
def test_switches(enabled, states, count):
    """Only a mapping that is not changing, and is in the other state, is switched."""
    client = Lambda()
    client.states = dict(zip(("a", "b"), states, strict=True))

    switched = LaneSwitches(client, ("a", "b")).switch(enabled=enabled)
    client.settle()

    assert count == switched
    assert not count or {"Enabled" if enabled else "Disabled"} == set(client.states.values())


def test_switches_that_change_just_now():
    """A mapping that someone else changes is left to the next sweep, the others are switched; other errors are raised."""
    client = Lambda()
    client.states = {"a": "Enabled", "b": "Enabled"}
    client.errors = [client_error("ResourceConflictException", 409)]

    switched = LaneSwitches(client, ("a", "b")).switch(enabled=False)

    client.errors = [client_error("AccessDeniedException", 403)]
    with pytest.raises(Exception, match="AccessDenied"):
        LaneSwitches(client, ("a",)).switch(enabled=False)
    assert (1, "Disabling") == (switched, client.states["b"])


@pytest.mark.parametrize(
    ("status", "since", "expected"),
    [("Active", None, None), ("Complete", None, 9.0), ("Failed", 5.0, 5.0), (None, None, 9.0), ("Active", 5.0, None)],
)
def test_poll(status, since, expected):
    """A job is over since it was first seen to be, or to be unknown; one that goes on is not over."""
    client = S3Control()
    client.jobs = {} if status is None else {"one": status}

    job = BatchJobs(client, ACCOUNT).poll(BatchJob("one", terminal_since=since), at=9.0)

    assert expected == job.terminal_since
    assert status is None or (status, 10, 7, 1) == (job.status, job.tasks, job.succeeded, job.failed)


def test_poll_that_fails():
    """Another error than that the job is unknown is raised."""
    client = S3Control()
    client.jobs = {"one": client_error("AccessDeniedException", 403)}

    with pytest.raises(Exception, match="AccessDenied"):
        BatchJobs(client, ACCOUNT).poll(BatchJob("one"), at=9.0)


def test_events_are_json():
    """The event is UTF-8 JSON."""
    sent = []

    class Client:
        @staticmethod
        def invoke(**request):
            sent.append(request)

    CompletionFunction(Client(), "completion").invoke({"a": 1})

    (request,) = sent
    assert ("completion", "Event", {"a": 1}) == (request["FunctionName"], request["InvocationType"], json.loads(request["Payload"]))
