import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.emulator.core.ports import ReceivedMessage
from tools.emulator.services.lambda_ import FunctionService, Mapping, batch
from tools.emulator.settings import EmulatorSettings

QUEUE = "arn:aws:sqs:us-east-1:111122223333:lane"


def mapping(**members):
    """A mapping of the bench's queue to the function `work`."""
    given = {"uuid": "m", "queue_arn": QUEUE, "function_arn": "work", "batch_size": 1, "maximum_concurrency": 2}
    return Mapping(**(given | members))


def test_a_handled_message_is_deleted(service, function, runtime, queue, clock):
    """A message that the function handled without an error is deleted."""
    service.put(function())
    runtime.script = lambda run: run.answer()
    queue.put("one", "two", "three")

    service.put_mapping(mapping())
    clock.advance(1)

    assert (len(runtime.runs), queue.left) == (3, [])


def test_the_record_is_lambdas(service, function, runtime, queue, clock):
    """A record has the fields of Lambda's, with the true receive count."""
    service.put(function())
    queue.put("<body é>")

    service.put_mapping(mapping())
    clock.advance(1)

    assert runtime.runs[0].event == {
        "Records": [
            {
                "messageId": "id-0",
                "receiptHandle": "0",
                "body": "<body é>",
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000", "SenderId": "AIDA"},
                "messageAttributes": {},
                "md5OfBody": "0" * 32,
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE,
                "awsRegion": "us-east-1",
            }
        ]
    }


def test_maximum_concurrency_is_kept(service, function, runtime, queue, clock):
    """Never more than two batches at a time; the third begins when one ends, and nothing more is received before."""
    service.put(function())
    queue.put("one", "two", "three")

    service.put_mapping(mapping())
    clock.advance(1)
    at_first = len(runtime.runs)
    received = sum(entry.receipts for entry in queue.messages)
    runtime.runs[0].answer()
    clock.advance(1)

    assert (at_first, received, len(runtime.runs)) == (2, 2, 3)


def test_batches_are_filled(service, function, runtime, queue, clock):
    """A batch takes all visible messages up to the batch size, even beyond the ten of one receive."""
    service.put(function())
    queue.put(*(str(number) for number in range(30)))

    service.put_mapping(mapping(batch_size=25))
    clock.advance(1)

    assert [len(run.event["Records"]) for run in runtime.runs] == [25, 5]


def test_an_error_leaves_the_batch(service, function, runtime, queue, clock):
    """If the function raises, its messages become visible again after their timeout, with a higher receive count."""
    service.put(function())
    runtime.script = lambda run: run.fail()
    queue.put("one")
    service.put_mapping(mapping())
    clock.advance(29)
    tried = len(runtime.runs)
    clock.advance(2)
    service.wake(QUEUE)
    clock.advance(0)

    assert (tried, len(runtime.runs), queue.left) == (1, 2, ["one"])
    assert runtime.runs[1].event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_partial_failures_stay(service, function, runtime, queue, clock):
    """With ReportBatchItemFailures only the named messages stay."""
    service.put(function())
    runtime.script = lambda run: run.answer({"batchItemFailures": [{"itemIdentifier": "id-1"}]})
    queue.put("one", "two", "three")

    service.put_mapping(mapping(batch_size=10, report_item_failures=True))
    clock.advance(1)

    assert queue.left == ["two"]


def test_partial_failures_need_the_setting(service, function, runtime, queue, clock):
    """Without ReportBatchItemFailures such an answer is a plain success."""
    service.put(function())
    runtime.script = lambda run: run.answer({"batchItemFailures": [{"itemIdentifier": "id-0"}]})
    queue.put("one")

    service.put_mapping(mapping())
    clock.advance(1)

    assert queue.left == []


def test_a_throttled_batch_is_tried_again(make_service, function, runtime, queue, clock):
    """A throttled batch is kept and tried again, ever more slowly; once the function may run it is handled at once."""
    service = make_service()
    service.put(function(reserved_concurrency=0))
    queue.put("one")
    service.put_mapping(mapping())
    clock.advance(10)
    tries = len(service.ledger.all())

    service.put(function())
    clock.advance(10)

    assert 2 <= tries <= 5
    assert len(runtime.runs) == 1
    assert queue.messages[0].receipts == 1


def test_a_throttled_batch_is_given_up_when_its_messages_become_visible(make_service, function, runtime, queue, clock):
    """After the visibility timeout, the messages of a throttled batch are received again."""
    service = make_service()
    service.put(function(reserved_concurrency=0))
    queue.put("one")

    service.put_mapping(mapping())
    clock.advance(200)

    assert queue.messages[0].receipts >= 2
    assert len(queue.left) == 1
    assert len(service.ledger.all()) <= 20


def test_disabling_lets_batches_end(service, function, runtime, queue, clock):
    """A mapping is Disabling until its batches have ended, takes nothing more, and goes on when enabled."""
    service.put(function())
    queue.put("one", "two", "three")
    service.put_mapping(mapping())
    clock.advance(1)
    service.put_mapping(mapping(enabled=False))
    states = [service.mapping_state("m")]
    for run in list(runtime.runs):
        run.answer()
    clock.advance(1)
    states.append(service.mapping_state("m"))
    left = list(queue.left)
    service.put_mapping(mapping())
    clock.advance(1)
    states.append(service.mapping_state("m"))

    assert states == ["Disabling", "Disabled", "Enabled"]
    assert left == ["three"]
    assert len(runtime.runs) == 3


def test_an_idle_mapping_polls(clock, queue, runtime, function):
    """Messages that become visible by themselves are found without a wake-up, because an idle mapping polls."""
    service = FunctionService(
        clock=clock, settings=EmulatorSettings(speed=60), queues=queue, receiving=queue, runtime=runtime, idle_poll_seconds=0.1
    )
    service.put(function())
    service.put_mapping(mapping())
    clock.advance(60)
    looks = queue.receive_calls
    queue.put("one")
    clock.advance(6)

    assert looks == 11
    assert len(runtime.runs) == 1


def test_a_removed_mapping_polls_no_more(service, function, runtime, queue, clock):
    """A deleted mapping leaves the queue alone and has no state."""
    service.put(function())
    service.put_mapping(mapping())
    clock.advance(1)

    service.remove_mapping("m")
    queue.put("one")
    service.wake(QUEUE)
    clock.advance(1)

    assert (runtime.runs, service.mapping_state("m")) == ([], None)


def test_a_loop_through_the_queue_is_stopped(service, function, runtime, queue, clock):
    """A function that sends to its own queue is not invoked a seventeenth time; the message stays for the redrive policy."""
    service.put(function())
    runtime.script = lambda run: (queue.put("again", trace=run.invocation.trace), run.answer())
    queue.put("first")

    service.put_mapping(mapping())
    clock.advance(10)

    assert (len(runtime.runs), queue.left) == (16, ["again"])


def test_receiving_a_message_again_is_not_a_loop(service, function, runtime, queue, clock):
    """Receiving the same message any number of times does not lengthen the lineage."""
    service.put(function())
    runtime.script = lambda run: run.fail()
    queue.put("one")
    service.put_mapping(mapping())
    for _ in range(20):
        clock.advance(31)
        service.wake(QUEUE)
    clock.advance(0)

    assert len(runtime.runs) == 21


def test_a_missing_queue_is_survived(service, function, runtime, queue, clock):
    """A mapping whose queue is gone waits, and reads it when it is back."""
    service.put(function())
    receive = queue.receive

    def gone(queue_arn, count):
        raise LookupError(queue_arn)

    queue.receive = gone
    service.put_mapping(mapping())
    clock.advance(1)
    queue.receive = receive
    queue.put("one")
    service.wake(QUEUE)
    clock.advance(1)

    assert len(runtime.runs) == 1


def test_a_fault_of_the_queue_costs_no_concurrency(service, function, runtime, queue, clock):
    """After any error while receiving the mapping still has its whole concurrency."""
    service.put(function())
    receive = queue.receive

    def broken(queue_arn, count):
        raise ZeroDivisionError

    queue.receive = broken
    service.put_mapping(mapping())
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            clock.advance(0)
        service.wake(QUEUE)
    queue.receive = receive
    queue.put("one", "two")
    service.wake(QUEUE)
    clock.run_until_idle()

    assert len(runtime.runs) == 2


def messages(count):
    """Messages with the ids id-0, id-1 and so on."""
    return [ReceivedMessage(f"id-{number}", str(number), "", "", {}, {}) for number in range(count)]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_these_answers_mean_success(answer):
    """Null or empty, at either level: nothing failed."""
    assert batch.failed(json.dumps(answer).encode(), messages(2)) == set()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        {"batchItemFailures": ""},
        "done",
        7,
        [],
        {"batchItemFailures": "id-0"},
        {"batchItemFailures": ["id-0"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"id": "id-0"}]},
        {"batchItemFailures": [{"itemIdentifier": "id-9"}]},
        {"batchItemFailures": [{"itemIdentifier": "id-0"}, {"itemIdentifier": "id-9"}]},
    ],
)
def test_these_answers_fail_the_batch(answer):
    """Malformed, or naming a message that was not in the batch: everything failed."""
    assert batch.failed(json.dumps(answer).encode(), messages(2)) == {"id-0", "id-1"}


@given(st.sets(st.integers(0, 9)))
def test_named_messages_failed(numbers):
    """Exactly the named messages failed."""
    answer = {"batchItemFailures": [{"itemIdentifier": f"id-{number}"} for number in numbers]}

    failed = batch.failed(json.dumps(answer).encode(), messages(10))

    assert failed == {f"id-{number}" for number in numbers}
