"""Faults on order: whatever breaks, repeats or is lost, every video ends in its state and is paid for once.

Everything here is done in two worlds, which differ in what is unknown about AWS.
"""

from collections import Counter

import pytest

from tools.emulator.samples import tiny_clip

KIND = {"async_retry_seconds": (5.0, 10.0), "batch_redrive_seconds": 5.0}
UNKIND = KIND | {
    "index_lag_seconds": 2.0,
    "quota_lag_seconds": 2.0,
    "account_jobs": 4,
    "full_account_answers_repeated_token": False,
    "failed_answers_name_video": False,
    "batch_failed_strings_reach_report": False,
    "batch_function_errors_redriven": True,
    "batch_redrives": 14,
    "batch_throttle_spends_redrive": True,
    "batch_missing_job_error": "NoSuchJob",
}
SOME_FAILED = 3
TABLE_OPERATIONS = ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem", "Query")
ANY_WORLD = pytest.mark.parametrize("stage", [KIND], ids=["kind"], indirect=True)
"""For what does not depend on the unknown: one world is enough."""
pytestmark = pytest.mark.timeout(500)


@pytest.fixture(scope="module", params=[KIND, UNKIND], ids=["kind", "unkind"])
def stage(stages, request):
    """Return a stage on which the tests of this file follow one another, each with a prefix of its own."""
    stage = stages(speed=30.0, **request.param)
    stage.put("reference/0000.mp4", tiny_clip("Weapons"))
    stage.reference = segments(stage, stage.scan("reference/"))["reference/0000.mp4"]
    return stage


def segments(stage, scan_id):
    """Return the segments of each record of a scan by key."""
    records = stage.records(scan_id)
    return {key: list(stage.table.records.segments(record.video.id, scan_id, record.attempt)) for key, record in records.items()}


def assert_all_is_well(stage, scan_id, made):
    """Compare a scan with what was made: states, segments, totals, one paid job a video, and a review that adds up."""
    assert made == stage.states(scan_id)
    assert {key: stage.reference if state == "FLAGGED" else [] for key, state in made.items()} == segments(stage, scan_id)
    assert Counter(list(made)) == Counter(job.key for job in stage.jobs(scan_id))
    assert Counter(made.values()) == Counter(
        {state.value: count for state, count in stage.table.scans.totals(scan_id).videos.items()}
    )
    review = stage.review(scan_id)
    assert (len(made), True) == (review["objects"], review["adds_up"])


def test_notices_that_are_repeated(stage):
    """A notice that arrives three times does no harm."""
    made = stage.put_videos("repeated/", 8)
    stage.world.rekognition.faults.repeat_notices(8, copies=3)

    scan_id = stage.scan("repeated/")

    assert_all_is_well(stage, scan_id, made)
    assert {3} == {job.notices for job in stage.jobs(scan_id)}


def test_mails_and_the_end(stage):
    """Each flagged video is mailed once before its scan closes, even if the indexes lag behind the table."""
    made = stage.put_videos("mailed/", 12, flagged_every=2)

    scan_id = stage.scan("mailed/")
    stage.close(scan_id)

    bodies = [mail.get_content() for mail in stage.flagged_mails()]
    mailed = Counter(key for body in bodies for key in made if f"s3://amzn-s3-demo-bucket/{key}" in body)
    assert {key: 1 for key, state in made.items() if state == "FLAGGED"} == mailed
    assert stage.table.scans.scan(scan_id).mails_sent == 6


def test_starts_whose_answer_is_lost(stage):
    """A Start whose outcome is unknown is repeated with its token: the same job, paid once."""
    made = stage.put_videos("lost/", 8)
    before = stage.world.rekognition.ledger.start_answers
    stage.world.rekognition.faults.lose_start_answers(5)

    scan_id = stage.scan("lost/")

    assert_all_is_well(stage, scan_id, made)
    answers = stage.world.rekognition.ledger.start_answers - before
    assert (answers["InternalServerError"], answers["Started"]) == (5, 3)
    # A job that is over before its Start is repeated has sent its notice, and the record no longer waits.
    assert answers["Repeated"] <= 5


def test_starters_that_die(stage):
    """A starter may die before or after any of its calls: its message comes back, and no video is paid for twice."""
    made = stage.put_videos("dying-starters/", 18)
    name = stage.function("start_analysis")
    for call in range(1, 9):
        stage.world.functions.faults.kill(name, call=call, when="before")
        stage.world.functions.faults.kill(name, call=call, when="after")

    scan_id = stage.submit("dying-starters/")
    stage.outlast(scan_id)

    assert stage.world.functions.faults.pending(name) == 0
    assert_all_is_well(stage, scan_id, made)


@ANY_WORLD
def test_completions_that_die(stage):
    """A completion may die before or after any of its calls: Lambda repeats it with the same outcome."""
    made = stage.put_videos("dying-completions/", 10, flagged_every=1)
    name = stage.function("completion")
    for call in range(1, 5):
        stage.world.functions.faults.kill(name, call=call, when="before")
        stage.world.functions.faults.kill(name, call=call, when="after")

    scan_id = stage.scan("dying-completions/")

    assert stage.world.functions.faults.pending(name) == 0
    assert_all_is_well(stage, scan_id, made)


def test_batch_invocations_that_die(stage):
    """A task whose function dies fails or is repeated; the review accounts for each, and none is paid for twice."""
    made = stage.put_videos("dying-tasks/", 14)
    name = stage.function("batch_invoke")
    for call in range(7, 2, -1):  # an environment that does not know the scan yet makes seven calls, one that does five
        stage.world.functions.faults.kill(name, call=call, when="before")
        stage.world.functions.faults.kill(name, call=call, when="after")

    scan_id = stage.submit("dying-tasks/")
    stage.outlast(scan_id)

    struck = sum(entry.faulted for entry in stage.world.functions.ledger.all(name))
    assert struck + stage.world.functions.faults.pending(name) == 10
    assert struck >= 8
    stage.world.functions.faults.clear()
    if stage.world.settings.batch_function_errors_redriven:
        assert_all_is_well(stage, scan_id, made)
    else:
        assert_failed_tasks_are_reported(stage, scan_id, made, struck)


def assert_failed_tasks_are_reported(stage, scan_id, made, struck):
    """Compare a scan whose tasks failed for good with what was made: objects without a record are failed in the review."""
    states = stage.states(scan_id)
    review = stage.review(scan_id, codes=(SOME_FAILED,))
    failed = {video["key"] for video in review["failed"]}

    assert states == {key: state for key, state in made.items() if key not in failed}
    assert Counter(list(states)) == Counter(job.key for job in stage.jobs(scan_id))
    assert (len(made), True) == (review["objects"], review["adds_up"])
    assert 1 <= len(failed) <= struck


@ANY_WORLD
@pytest.mark.parametrize("kind", ["throttle", "fail", "lose_answer"])
def test_a_table_in_trouble(stage, kind):
    """A call to the table that is throttled, fails or loses its answer is repeated and counts once."""
    made = stage.put_videos(f"table/{kind}/", 8, flagged_every=2)

    order = getattr(stage.world.faults, kind)
    for operation in TABLE_OPERATIONS:
        # A tool tries six times: should it meet them all alone, because a sweep came before it, the last one goes through.
        order("dynamodb", operation, nth=3, times=5)
    scan_id = stage.submit(f"table/{kind}/")
    stage.outlast(scan_id)

    assert_all_is_well(stage, scan_id, made)


@ANY_WORLD
def test_neighbours_in_trouble(stage):
    """Throttling and failures of queue, bucket and analysis delay a scan and do not change its end."""
    made = stage.put_videos("neighbours/", 8, flagged_every=2)

    faults = stage.world.faults
    faults.throttle("sqs", "SendMessage", nth=2, times=4, code="RequestThrottled")
    faults.lose_answer("sqs", "SendMessage", nth=4, times=2)
    faults.fail("s3", "HeadObject", nth=2, times=4, status=503, code="SlowDown")
    faults.throttle("rekognition", "GetContentModeration", nth=2, times=4, code="ProvisionedThroughputExceededException")
    faults.fail("rekognition", "GetContentModeration", nth=4, times=4)
    scan_id = stage.submit("neighbours/")
    stage.outlast(scan_id)

    assert_all_is_well(stage, scan_id, made)


def test_an_object_that_is_gone(stage):
    """A missing object is FAILED for its reason, whether or not the task's message reaches the report."""
    stage.put("gone/here.mp4", tiny_clip())

    scan_id = stage.console_job([("gone/here.mp4",), ("gone/gone.mp4",)])
    stage.until_final(scan_id)

    assert {"gone/here.mp4": "CLEAN", "gone/gone.mp4": "FAILED"} == stage.states(scan_id)
    assert "missing" == stage.records(scan_id)["gone/gone.mp4"].problem.code
    assert stage.job(scan_id)["ProgressSummary"]["NumberOfTasksFailed"] == 1
