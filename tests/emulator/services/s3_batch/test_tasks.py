from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tools.emulator.core import InvocationResult
from tools.emulator.settings import EmulatorSettings

FAST = EmulatorSettings(batch_tasks_per_second=1e6, batch_initial_concurrency=1_000)
VERSIONED = ("Bucket", "Key", "VersionId")


def test_every_row_once(bench):
    """Each row is a task with one invocation, in another order than the manifest's."""
    job_id = bench.run(500)

    expected = [f"{number:06d}.mp4" for number in range(500)]
    assert expected != bench.functions.keys
    assert expected[::-1] != bench.functions.keys
    assert expected == sorted(bench.functions.keys)
    assert {1} == {len(event["tasks"]) for event in bench.functions.events}
    assert (500, 500, 0) == bench.counts(job_id)


@examples(max_examples=20)
@given(
    outcomes=st.lists(st.lists(st.sampled_from("STPE5N"), min_size=1, max_size=4), min_size=1, max_size=30),
    redrives=st.integers(0, 3),
)
def test_outcomes(make_bench, answer, outcomes, redrives):
    """However tasks end, each is counted and reported once, and invoked again after each temporary failure, up to the limit."""
    bench = make_bench(replace(FAST, batch_redrives=redrives))
    calls = Counter()

    def play(event):
        index = int(event["tasks"][0]["s3Key"][:6])
        script = outcomes[index]
        code = script[min(calls[index], len(script) - 1)]
        calls[index] += 1
        if code in "E5":
            return InvocationResult(200, b"{}", "Unhandled") if code == "E" else InvocationResult(500, b"{}")
        if code == "N":
            return answer(event, results=[], treatMissingKeysAs="TemporaryFailure")
        return answer(event, {"S": "Succeeded", "T": "TemporaryFailure", "P": "PermanentFailure"}[code])

    bench.functions.answer = play
    job_id = bench.run(len(outcomes))

    ends = [_end(script, redrives) for script in outcomes]
    assert Counter({index: times for index, (times, _) in enumerate(ends)}) == calls
    succeeded = sum(code == "S" for _, code in ends)
    assert (len(outcomes), succeeded, len(outcomes) - succeeded) == bench.counts(job_id)
    reported = {int(row[1][:6]): row[3] for row in bench.report(job_id)}
    assert {index: "succeeded" if code == "S" else "failed" for index, (_, code) in enumerate(ends)} == reported


def _end(script, redrives):
    """Return how often a task is invoked, and with which outcome it ends."""
    for times in range(1, redrives + 2):
        code = script[min(times, len(script)) - 1]
        if code not in "T5N":
            break
    return times, code


def test_redrives_come_late_and_before_the_end(bench, answer):
    """A temporary failure is repeated after a while, twice by default; only its last resultString is reported."""
    texts = iter(["first", "second", "third"])
    bench.functions.answer = lambda event: answer(event, "TemporaryFailure", next(texts))

    job_id = bench.run(1)

    gaps = [later - earlier for earlier, later in zip(bench.functions.started, bench.functions.started[1:], strict=False)]
    assert 3 == len(bench.functions.events)
    assert all(60 <= gap < 65 for gap in gaps)
    assert [["failed", "200", "TemporaryFailure", "third"]] == [row[3:] for row in bench.report(job_id)]
    assert "Complete" == bench.status(job_id)


def test_redrive_that_succeeds(bench, answer):
    """A task that succeeds in a redrive counts as succeeded."""
    codes = iter(["TemporaryFailure", "Succeeded"])
    bench.functions.answer = lambda event: answer(event, next(codes), "text")

    job_id = bench.run(1)

    assert (1, 1, 0) == bench.counts(job_id)
    assert [["succeeded", "200", "", "text"]] == [row[3:] for row in bench.report(job_id)]


@pytest.mark.parametrize(("redriven", "invocations"), [(False, 1), (True, 3)])
def test_function_errors(make_bench, redriven, invocations):
    """A function that raises fails its task at once or, by a setting, after the redrives, with the same message."""
    bench = make_bench(EmulatorSettings(batch_function_errors_redriven=redriven))
    bench.functions.answer = lambda event: InvocationResult(200, b'{"errorMessage": "no"}', "Unhandled")

    job_id = bench.run(1)

    assert invocations == len(bench.functions.events)
    message = 'Lambda returned function error: {"errorMessage": "no"}'
    assert [["failed", "200", "PermanentFailure", message]] == [row[3:] for row in bench.report(job_id)]


def test_missing_version(bench):
    """An empty version in a manifest with versions fails its task without an invocation."""
    job_id = bench.run(b"videos,a,v1\nvideos,b,\n", fields=VERSIONED)

    assert ["a"] == bench.functions.keys
    assert (2, 1, 1) == bench.counts(job_id)
    assert ["videos", "b", "", "failed", "400", "InvalidRequest", "Task failed due to missing VersionId"] in bench.report(job_id)


def test_throttled_function(bench):
    """If Lambda throttles, S3 Batch backs off and completes all tasks without spending a redrive."""
    bench.functions.concurrency = 3

    job_id = bench.run(200)

    assert bench.functions.throttled > 0
    assert 3 == bench.functions.most_running
    assert 200 == len(bench.functions.events)
    assert (200, 200, 0) == bench.counts(job_id)


def test_function_without_any_concurrency(bench):
    """A function that is always throttled delays the job, with ever longer waits, but fails no task."""
    bench.functions.concurrency = 0
    job_id = bench.submit(10)

    bench.clock.advance(3600)

    assert ("Active", (10, 0, 0)) == (bench.status(job_id), bench.counts(job_id))
    assert 100 < bench.functions.throttled < 400


def test_throttle_that_spends_redrives(make_bench):
    """With batch_throttle_spends_redrive, a throttled invocation counts as a redrive, and the last one fails the task."""
    bench = make_bench(EmulatorSettings(batch_throttle_spends_redrive=True))
    bench.functions.concurrency = 0

    job_id = bench.run(1)

    assert 3 == bench.functions.throttled
    assert (1, 0, 1) == bench.counts(job_id)


def test_parallel_invocations_ramp_up(make_bench):
    """A job begins with few invocations at a time and doubles them every few seconds."""
    bench = make_bench(replace(FAST, batch_initial_concurrency=4))
    bench.functions.seconds = 1_000.0
    bench.submit(500)
    running = []

    for _ in range(5):
        bench.clock.advance(5)
        running.append(bench.functions.running)

    assert [4, 8, 16, 32, 64] == running


def test_answers_at_once(make_bench):
    """Functions may answer before the invocation returns, however many tasks there are."""
    bench = make_bench(FAST)
    bench.functions.seconds = None

    job_id = bench.run(3_000)

    assert (3_000, 3_000, 0) == bench.counts(job_id)
    assert 1 == bench.functions.most_running


def test_rate(make_bench):
    """All jobs together start no more tasks in a second than the account may."""
    bench = make_bench(EmulatorSettings(batch_tasks_per_second=20, batch_initial_concurrency=100))
    bench.functions.seconds = 0.01

    bench.submit(150)
    bench.run(150)

    starts = bench.functions.started
    assert 300 == len(starts)
    per_second = Counter(int(start - starts[0]) for start in starts)
    assert max(per_second.values()) <= 21
    assert 14 <= starts[-1] - starts[0] <= 16


def test_progress_is_true_while_running(bench):
    """The counters of a running job are those of the tasks that have ended so far."""
    bench.functions.seconds = 1.0
    job_id = bench.submit(100)
    seen = []

    for _ in range(40):
        bench.clock.advance(0.5)
        ended = len(bench.functions.events) - bench.functions.running
        seen.append((bench.counts(job_id)[1], ended))

    assert all(counted == ended for counted, ended in seen)
    assert len({counted for counted, _ in seen}) > 3


def test_active_seconds(bench):
    """The timer counts the seconds in which the job was Active."""
    bench.functions.seconds = 30.0

    job_id = bench.run(4)

    assert 30 == bench.job(job_id)["ProgressSummary"]["Timers"]["ElapsedTimeInActiveSeconds"]


@pytest.mark.parametrize(
    ("tasks", "failures", "status"),
    [(999, 999, "Complete"), (1000, 500, "Complete"), (1000, 501, "Failed"), (1000, 1000, "Failed")],
)
def test_half_of_the_tasks(make_bench, answer, tasks, failures, status):
    """From 1,000 tasks on, more than 50 % failures fail the job; a smaller one is Complete even if all failed."""
    bench = make_bench(FAST)
    bench.functions.answer = lambda event: answer(
        event, "PermanentFailure" if int(event["tasks"][0]["s3Key"][:6]) < failures else "Succeeded"
    )

    job_id = bench.run(tasks)

    assert status == bench.status(job_id)
    assert (tasks, tasks - failures, failures) == bench.counts(job_id)
    assert bool(bench.job(job_id)["FailureReasons"]) is (status == "Failed")
    assert tasks == len(bench.report(job_id))


def test_failing_job_stops(make_bench, answer):
    """A job that fails by the 50 % rule starts no more tasks and reports those that ran."""
    bench = make_bench(replace(FAST, batch_initial_concurrency=10))
    bench.functions.answer = lambda event: answer(event, "PermanentFailure")

    job_id = bench.run(5_000)

    ran = len(bench.functions.events)
    assert "Failed" == bench.status(job_id)
    assert "50 percent" in bench.reason(job_id)
    assert 1_000 <= ran < 1_500
    assert (5_000, 0, ran) == bench.counts(job_id)
    assert ran == len(bench.report(job_id))


def test_missing_versions_count_as_failures(make_bench):
    """Tasks that fail because they have no version count for the 50 % rule too."""
    bench = make_bench(FAST)

    job_id = bench.run(b"videos,a,\n" * 1_200, fields=VERSIONED)

    assert ("Failed", (1_200, 0, 1_000)) == (bench.status(job_id), bench.counts(job_id))


def test_all_temporary(make_bench, answer):
    """If all tasks fail temporarily, the number that waits is limited, and each still runs three times."""
    bench = make_bench(replace(FAST, batch_redrive_seconds=1.0))
    failing = range(400)
    bench.functions.answer = lambda event: answer(
        event, "TemporaryFailure" if int(event["tasks"][0]["s3Key"][:6]) in failing else "Succeeded"
    )

    job_id = bench.run(1_000)

    assert 1_000 + 2 * 400 == len(bench.functions.events)
    assert (1_000, 600, 400) == bench.counts(job_id)
