"""Lambda, S3 Batch and hidden messages: exact requests, and what answers mean."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.queue import LaneQueues
from handlers.domain.record import BatchJob
from handlers.domain.states import Lane
from tests.handlers.doubles import ACCOUNT, client_error
from tests.handlers.sweeper_doubles import Lambda, S3Control


def test_completion():
    """`completion` is invoked with the event as JSON, and not waited for (`Lambda` checks that)."""
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


@pytest.mark.parametrize(("seconds", "timeout"), [(30.4, 30), (-5.0, 0), (43_200.0, 43_200), (50_000.0, 43_200)])
def test_hide(seconds, timeout):
    """A message is hidden for whole seconds, twelve hours at most."""
    asked = []
    client = SimpleNamespace(change_message_visibility=lambda **request: asked.append(request))

    assert LaneQueues(client, {Lane.NORMAL: "normal"}).hide(Lane.NORMAL, "handle", seconds)
    assert [{"QueueUrl": "normal", "ReceiptHandle": "handle", "VisibilityTimeout": timeout}] == asked


@pytest.mark.parametrize(
    ("code", "raised"), [("ReceiptHandleIsInvalid", False), ("AccessDenied", True), ("MessageNotInflight", False)]
)
def test_hide_too_late(code, raised):
    """That a message is no longer hidden is an answer; any other refusal is raised."""

    def refuse(**_):
        raise client_error(code)

    queues = LaneQueues(SimpleNamespace(change_message_visibility=refuse), {Lane.NORMAL: "normal"})

    if raised:
        with pytest.raises(ClientError, match=code):
            queues.hide(Lane.NORMAL, "handle", 5.0)
    else:
        assert not queues.hide(Lane.NORMAL, "handle", 5.0)
