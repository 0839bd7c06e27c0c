import json
import time

import pytest


def test_the_environment_is_the_functions_own(make_bench, app, monkeypatch):
    """A function sees its own variables, Lambda's and those that lead to this world, but none of the machine's."""
    monkeypatch.setenv("SECRET_OF_THE_LAPTOP", "x")
    bench = make_bench(endpoint={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    bench.service.put(app("environment", environment={"TABLE_NAME": "table", "AWS_REGION": "eu-west-1"}))

    seen = bench.call("environment")

    assert "SECRET_OF_THE_LAPTOP" not in seen
    assert "HOME" not in seen
    assert (seen["TABLE_NAME"], seen["AWS_ENDPOINT_URL"]) == ("table", "http://127.0.0.1:1")
    assert (seen["AWS_REGION"], seen["AWS_LAMBDA_FUNCTION_NAME"], seen["_HANDLER"]) == (
        "us-east-1",
        "environment",
        "app.environment",
    )
    key = bench.keys.find(seen["AWS_ACCESS_KEY_ID"])
    assert (key.principal.name, key.credentials.session_token) == ("environment", seen["AWS_SESSION_TOKEN"])
    assert seen["_X_AMZN_TRACE_ID"].startswith("Root=1-")


def test_only_the_package_the_standard_library_and_the_sdk_are_there(bench, app):
    """A module that the package lacks is missing here, as it would be on Lambda."""
    bench.service.put(app("modules"))

    found = bench.call("modules", ["sqlite3", "boto3", "app", "moto", "handlers", "tools", "pytest"])

    assert found == {"sqlite3": True, "boto3": True, "app": True, "moto": False, "handlers": False, "tools": False, "pytest": False}


def test_the_context_is_lambdas(bench, app):
    """The context names the request, the function, its memory and its log."""
    bench.service.put(app("describe", memory=256))

    context = bench.call("describe")

    assert context["aws_request_id"] == bench.service.ledger.all()[0].request_id
    assert context["invoked_function_arn"] == "arn:aws:lambda:us-east-1:111122223333:function:describe"
    assert (context["function_name"], context["function_version"], context["memory_limit_in_mb"]) == ("describe", "$LATEST", "256")
    assert context["log_group_name"] == "/aws/lambda/describe"
    assert "[$LATEST]" in context["log_stream_name"]


def test_an_exception_is_reported(bench, app):
    """The error has message, type, request id and the handler's stack; the process is used again."""
    bench.service.put(app("bad"))

    first, second = bench.result("bad"), bench.result("bad")
    error = json.loads(first.payload)

    assert (first.status, first.function_error, second.function_error) == (200, "Unhandled", "Unhandled")
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'nothing here'")
    assert error["requestId"] == bench.service.ledger.all()[0].request_id
    assert [frame.split(", in ")[1].split("\n")[0] for frame in error["stackTrace"]] == ["bad"]
    assert len(bench.runtime.pids("bad")) == 1


def test_an_answer_must_be_json(bench, app):
    """A set cannot be marshalled."""
    bench.service.put(app("unserialisable"))

    assert bench.call("unserialisable")["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("name", "event", "reason"),
    [
        ("leave", 3, "Runtime exited with error: exit status 3"),
        ("leave", 0, "Runtime exited without providing a reason"),
        ("leave_politely", 4, "Runtime exited with error: exit status 4"),
    ],
)
def test_a_process_that_ends_is_an_exit_error(bench, app, name, event, reason):
    """The error is Lambda's Runtime.ExitError, and the next invocation gets a new process."""
    bench.service.put(app(name))

    first, second = bench.call(name, event), bench.call(name, event)

    assert (first["errorType"], second["errorType"]) == ("Runtime.ExitError", "Runtime.ExitError")
    assert first["errorMessage"].endswith(reason)


def test_a_timeout_ends_the_process(bench, app):
    """Beyond its timeout a function is killed and reported; the next invocation runs in a new process."""
    bench.service.put(app("hold", timeout=1.0))

    began = time.monotonic()
    late = bench.call("hold", 60)
    took = time.monotonic() - began
    again = bench.result("hold", 0)

    request_id = bench.service.ledger.all()[0].request_id
    assert late == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert took < 15
    assert again.function_error is None


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("missing.handler", "Runtime.ImportModuleError"),
        ("empty.missing", "Runtime.HandlerNotFound"),
        ("handler", "Runtime.MalformedHandlerName"),
        ("broken.handler", "Runtime.UserCodeSyntaxError"),
        ("angry.handler", "RuntimeError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_reported(bench, function, package, handler, kind):
    """The invocation ends in Lambda's error type."""
    code = package(empty="", broken="def", angry="raise RuntimeError('no')")
    bench.service.put(function("work", handler=handler, code=code))

    assert bench.call("work")["errorType"] == kind


def test_time_runs_fast_in_functions_too(make_bench, app):
    """In a world 20 times as fast a function sleeps, and its remaining time shrinks, 20 times as fast."""
    bench = make_bench(speed=20.0)
    bench.service.put(app("timed", timeout=600.0))

    seen = bench.call("timed", 40)

    assert 40 <= seen["passed"] < 140
    assert seen["machine"] < 7
    assert seen["left"] == pytest.approx(seen["passed"] * 1000, rel=0.02)
    assert abs(seen["now"] - bench.clock.now()) < 300


@pytest.mark.parametrize(("when", "made"), [("before", 1), ("after", 2)])
def test_a_function_is_killed_at_its_second_call(make_bench, app, when, made):
    """The process dies right before or right after the call, once; the ledger shows which calls went out."""
    bench = make_bench(endpoint={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    bench.service.put(app("aws"))
    bench.service.faults.kill("aws", call=2, when=when)

    killed, spared = bench.call("aws"), bench.call("aws")

    assert killed["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert spared == ["EndpointConnectionError"] * 3
    assert [entry.calls for entry in bench.service.ledger.all()] == [["sqs.ListQueues"] * made, ["sqs.ListQueues"] * 3]
    assert [entry.faulted for entry in bench.service.ledger.all()] == [True, False]


def test_a_call_can_be_made_to_raise(make_bench, app):
    """A scripted error is raised by the chosen call alone."""
    bench = make_bench(endpoint={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    bench.service.put(app("aws"))
    bench.service.faults.fail("aws", call=2)

    assert bench.call("aws") == ["EndpointConnectionError", "RuntimeError", "EndpointConnectionError"]


def test_a_function_can_be_made_to_hang(bench, app):
    """A scripted hang lasts until the timeout."""
    bench.service.put(app("warm", timeout=1.0))
    bench.service.faults.hang("warm")

    assert bench.call("warm")["errorType"] == "Sandbox.Timedout"
