import json

import pytest

from tools.emulator.core.refusal import AwsError


def test_an_answer_reaches_the_caller(service, function, runtime, call):
    """A synchronous invocation ends in status 200 with what the function returned."""
    service.put(function())
    runtime.script = lambda run: run.answer({"saw": run.event})

    result = call("work", b'{"n": 1}')

    assert (result.status, json.loads(result.payload), result.function_error) == (200, {"saw": {"n": 1}}, None)


def test_a_function_error_is_a_200(service, function, runtime, call):
    """If the function raises, the status is 200 and the result is an unhandled error."""
    service.put(function())
    runtime.script = lambda run: run.fail()

    result = call("work")

    assert (result.status, result.function_error) == (200, "Unhandled")
    assert service.ledger.all("work")[0].result == "ValueError"


@pytest.mark.parametrize(
    "target",
    [
        "work",
        "work:$LATEST",
        "111122223333:function:work",
        "arn:aws:lambda:us-east-1:111122223333:function:work",
        "arn:aws:lambda:us-east-1:111122223333:function:work:$LATEST",
    ],
)
def test_a_function_answers_to_every_form_of_its_name(service, function, target):
    """A function has a name, a partial ARN and an ARN, each with or without qualifier."""
    service.put(function())

    assert service.function(target) is not None


def test_a_missing_function_is_a_404(call):
    """Invoking a missing function ends in status 404, and no event is queued."""
    result = call("missing")

    assert result.status == 404
    assert call.service.invoke_event("missing", b"{}") is None


def test_the_pool_is_the_accounts(make_service, make_caller, function, runtime):
    """Functions share the account's concurrency; beyond it, invocations are throttled until one has ended."""
    service = make_service(account_concurrency=2)
    call = make_caller(service)
    service.put(function("a"))
    service.put(function("b"))

    call("a")
    call("b")
    refused = call("a")
    runtime.runs[0].answer()
    call("a")

    assert refused.status == 429
    assert json.loads(refused.payload)["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert len(runtime.runs) == 3


def test_reserved_concurrency_is_a_cap(service, function, runtime, call):
    """A function with reserved concurrency 1 runs once at a time, even if the account has more."""
    service.put(function(reserved_concurrency=1))

    call("work")
    refused = call("work")

    assert refused.status == 429
    assert json.loads(refused.payload)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert len(runtime.runs) == 1


def test_reserved_concurrency_is_a_guarantee(make_service, make_caller, function, runtime):
    """Other functions cannot use what one function has reserved."""
    service = make_service(account_concurrency=3)
    call = make_caller(service)
    service.put(function("guarded", reserved_concurrency=2))
    service.put(function("other"))

    call("other")
    refused = call("other")
    call("guarded")
    call("guarded")

    assert refused.status == 429
    assert [run.function.name for run in runtime.runs] == ["other", "guarded", "guarded"]


def test_zero_blocks(service, function, runtime, call):
    """A function with reserved concurrency 0 never runs."""
    service.put(function(reserved_concurrency=0))

    result = call("work")

    assert result.status == 429
    assert runtime.runs == []


def test_a_laptop_has_a_limit(make_service, make_caller, function, runtime):
    """No function runs more often at a time than this machine allows."""
    service = make_service(environments_per_function=2)
    call = make_caller(service)
    service.put(function())

    results = [call("work") for _ in range(3)]

    assert [result.status for result in results if result] == [429]


def test_only_a_change_of_what_runs_ends_environments(service, function, runtime):
    """New environment variables retire the function's processes; a new dead-letter queue does not."""
    service.put(function(environment={"A": "1"}))
    service.put(function(environment={"A": "1"}, dead_letter_arn="arn:aws:sqs:us-east-1:111122223333:dead"))
    unchanged = list(runtime.retired)
    service.put(function(environment={"A": "2"}))

    assert (unchanged, runtime.retired) == ([], ["work"])


def test_a_scripted_fault_waits_for_its_moment(service, function, runtime, call):
    """A fault that an invocation does not reach remains; one that struck does not."""
    service.put(function())
    service.faults.kill("work", call=2)
    runtime.script = lambda run: run.answer()
    call("work")
    before = service.faults.pending("work")
    runtime.script = lambda run: (setattr(run.invocation.entry, "faulted", True), run.fail())
    call("work")

    assert (before, service.faults.pending("work")) == (1, 0)


def test_the_ledger_lists_calls(service, function, runtime, call):
    """An invocation's AWS calls are in the ledger in their order."""
    service.put(function())
    runtime.script = lambda run: (
        run.invocation.entry.calls.extend(["sqs.SendMessage", "dynamodb.PutItem"]),
        run.answer(),
    )
    call("work")

    entry = service.ledger.all("work")[0]

    assert (entry.calls, entry.result, entry.source) == (["sqs.SendMessage", "dynamodb.PutItem"], "success", "RequestResponse")


def test_a_loop_is_stopped(service, function, runtime, call):
    """A function that invokes itself again and again is stopped after 16 rounds with a 400."""
    service.put(function())
    runtime.script = lambda run: run.answer()
    trace = None
    for _ in range(16):
        call("work", trace=trace)
        trace = runtime.runs[-1].invocation.trace

    result = call("work", trace=trace)

    assert (result.status, len(runtime.runs)) == (400, 16)


@pytest.mark.parametrize(
    ("payload", "status"), [(b"{", 400), (b'"' + b"x" * 1024 * 1024 + b'"', 413)], ids=["not JSON", "over 1 MB"]
)
def test_bad_events_are_refused(service, function, payload, status):
    """An asynchronous event must be JSON of at most 1 MB."""
    service.put(function())

    with pytest.raises(AwsError) as refused:
        service.invoke_event("work", payload)

    assert refused.value.status == status


def test_six_megabytes_are_the_limit(service, function, runtime, call):
    """With a larger synchronous payload the status is 413, and the function does not run."""
    service.put(function())

    result = call("work", b" " * (6 * 1024 * 1024 + 1))

    assert (result.status, runtime.runs) == (413, [])


def test_closing_closes_the_runtime(service, runtime):
    """The processes end with the service."""
    service.close()

    assert runtime.closed
