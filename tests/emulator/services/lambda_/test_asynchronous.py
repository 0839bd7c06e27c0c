import json

import pytest

DEAD = "arn:aws:sqs:us-east-1:111122223333:dead"


def test_a_success_is_tried_once(service, function, runtime, clock, queue):
    """An event whose function succeeds is done."""
    service.put(function(dead_letter_arn=DEAD))
    runtime.script = lambda run: run.answer()

    accepted = service.invoke_event("work", b'{"n": 1}')
    clock.run_until_idle()

    assert [run.invocation.request_id for run in runtime.runs] == [accepted]
    assert queue.sent == []


def test_accepting_runs_nothing_yet(service, function, runtime):
    """The caller's thread never runs the function."""
    service.put(function())

    service.invoke_event("work", b"{}")

    assert runtime.runs == []


def test_errors_are_retried_after_one_and_two_minutes(service, function, runtime, clock):
    """Two retries by default, 60 s and then 120 s after the failures, under the same request id."""
    service.put(function())
    at = []
    runtime.script = lambda run: (at.append(clock.now()), run.fail())
    start = clock.now()

    service.invoke_event("work", b"{}")
    clock.run_until_idle()

    assert [moment - start for moment in at] == [0, 60, 180]
    assert len({run.invocation.request_id for run in runtime.runs}) == 1


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_function_has_its_number_of_retries(service, function, runtime, clock, retries):
    """MaximumRetryAttempts counts the retries after the first try."""
    service.put(function(max_retry_attempts=retries))
    runtime.script = lambda run: run.fail()

    service.invoke_event("work", b"{}")
    clock.run_until_idle()

    assert len(runtime.runs) == retries + 1


def test_a_dead_letter_is_the_event(service, function, runtime, clock, queue):
    """The queue receives the unchanged event, with request id, code and message as attributes."""
    service.put(function(max_retry_attempts=0, dead_letter_arn=DEAD))
    runtime.script = lambda run: run.fail("é" * 2000)

    service.invoke_event("work", '{"key": "é"}'.encode())
    clock.run_until_idle()

    assert queue.sent == [
        (
            DEAD,
            '{"key": "é"}',
            {"RequestID": runtime.runs[0].invocation.request_id, "ErrorCode": "200", "ErrorMessage": "é" * 1024},
        )
    ]


def test_a_destination_receives_a_record(service, function, runtime, clock, queue):
    """The on-failure record carries the request and the function's last error."""
    service.put(function(on_failure_arn=DEAD))
    runtime.script = lambda run: run.fail("no")

    service.invoke_event("work", b'{"n": 1}')
    clock.run_until_idle()
    record = json.loads(queue.sent[0][1])

    assert record["requestContext"] == {
        "requestId": runtime.runs[0].invocation.request_id,
        "functionArn": "arn:aws:lambda:us-east-1:111122223333:function:work:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"] == {"errorType": "ValueError", "errorMessage": "no"}


def test_throttles_use_no_retries(make_service, function, runtime, clock, queue):
    """A throttled event is tried again, ever more slowly, and keeps all its retries."""
    service = make_service()
    service.put(function(reserved_concurrency=0, dead_letter_arn=DEAD))
    service.invoke_event("work", b"{}")
    clock.advance(600)
    service.put(function(dead_letter_arn=DEAD))
    runtime.script = lambda run: run.fail()

    clock.run_until_idle()

    assert len(runtime.runs) == 3
    assert [entry.result for entry in service.ledger.all()].count("throttled") > 5


def test_throttles_end_after_six_hours(service, function, clock, queue):
    """An event that is always throttled is given up at its maximum age."""
    service.put(function(reserved_concurrency=0, on_failure_arn=DEAD))
    service.invoke_event("work", b"{}")
    start = clock.now()

    clock.run_until_idle()

    assert json.loads(queue.sent[0][1])["requestContext"]["condition"] == "EventAgeExceeded"
    assert 21_300 <= clock.now() - start <= 21_600


def test_a_maximum_age_is_kept(service, function, runtime, clock, queue):
    """No retry begins after the function's maximum event age."""
    service.put(function(max_event_age=100.0, dead_letter_arn=DEAD))
    runtime.script = lambda run: run.fail()

    service.invoke_event("work", b"{}")
    clock.run_until_idle()

    assert (len(runtime.runs), len(queue.sent)) == (2, 1)


def test_a_stopped_loop_is_a_dead_letter_at_once(service, function, runtime, clock, queue):
    """The seventeenth round of a loop does not run and is not retried."""
    service.put(function(dead_letter_arn=DEAD))
    runtime.script = lambda run: run.answer()
    trace = None
    for _ in range(16):
        service.invoke_event("work", b"{}", trace=trace)
        clock.run_until_idle()
        trace = runtime.runs[-1].invocation.trace

    service.invoke_event("work", b"{}", trace=trace)
    clock.run_until_idle()

    assert (len(runtime.runs), len(queue.sent)) == (16, 1)


def test_a_missing_dead_letter_queue_stops_nothing(service, function, runtime, clock):
    """Without the dead-letter queue the event is lost, and the next one still runs."""
    service.put(function(max_retry_attempts=0, dead_letter_arn="arn:aws:sqs:us-east-1:111122223333:missing"))
    runtime.script = lambda run: run.fail()

    service.invoke_event("work", b"{}")
    service.invoke_event("work", b"{}")
    clock.run_until_idle()

    assert len(runtime.runs) == 2


def test_a_deleted_functions_events_are_dropped(service, function, runtime, clock, queue):
    """Deleting a function ends its retries."""
    service.put(function(dead_letter_arn=DEAD))
    runtime.script = lambda run: (run.fail(), service.remove("work"))

    service.invoke_event("work", b"{}")
    clock.run_until_idle()

    assert (len(runtime.runs), queue.sent) == (1, [])
