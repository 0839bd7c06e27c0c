"""Defects 1 to 10 of the seed: wrong results. Tests are named after the protection."""

import pytest

from handlers.domain.identity import Video
from handlers.domain.states import State
from tests.harness.line import BUCKET, GET, START, states
from tests.harness.videos import unreadable, video

WEAPONS = (2_000, "Weapons", 99.0)


def test_01_objects_in_folders_are_analysed_by_their_whole_key(line):
    """Defect 1, objects in folders never work: Rekognition and the records get the whole key, not its last segment."""
    line.put("2023/05/party.mp4", video(WEAPONS))
    line.put("2024/05/party.mp4")

    scan_id = line.scan()["scan_id"]

    assert ["2023/05/party.mp4", "2024/05/party.mp4"] == sorted(line.analysed)
    assert State.FLAGGED is line.record("2023/05/party.mp4", scan_id).state
    assert State.CLEAN is line.record("2024/05/party.mp4", scan_id).state


def test_02_encoded_keys_are_decoded(line):
    """Defect 2, encoded keys fail: Rekognition and the review get keys as stored, however manifest and task encode them."""
    keys = {"a b.mp4", "a+b.mp4", "100%.mp4", "%41.mp4", "año/été.mp4", '"quoted", comma.mp4', "🎬/<script>.mp4"}
    for key in keys:
        line.put(key, video(WEAPONS))

    line.scan()

    assert keys == set(line.analysed)
    assert keys == {flagged["key"] for flagged in line.review()["flagged"]}


def test_03_videos_that_are_already_there_are_scanned(line):
    """Defect 3, existing videos are not scanned: a job is made of the bucket's objects, and each is analysed."""
    keys = [f"{number}.mp4" for number in range(5)]
    for key in keys:
        line.put(key)

    result = line.scan()

    assert ("Complete", 5, 5) == tuple(result["result"]["job"][name] for name in ("status", "tasks", "succeeded"))
    assert keys == sorted(line.analysed)
    assert {"clean": 5} == {state: count for state, count in line.review()["states"].items() if count}


def test_03_every_page_of_the_listing_is_read(line):
    """Defect 3 again: a bucket with more objects than one listing page is scanned to its last object."""
    for number in range(1_001):
        line.put(f"{number:04}.mp4")

    line.submit()

    (manifest,) = (line.directory / "manifests").glob("*.csv")
    assert 1_001 == len(manifest.read_text("utf-8").splitlines())


def test_04_all_pages_of_labels_are_read(line):
    """Defect 4, labels lost on long videos: a label that is on the third page alone flags the video."""
    dull = [(number * 500, "Alcohol", 60.0) for number in range(2_400)]
    line.put("long.mp4", video(*dull, (1_200_000, "Weapons", 99.0)))

    scan_id = line.scan()["scan_id"]

    assert 3 == len(line.called(GET))
    assert "Weapons" in {segment.label for segment in line.segments("long.mp4", scan_id)}
    assert State.FLAGGED is line.record("long.mp4", scan_id).state


def test_05_a_failed_analysis_is_never_clean(line):
    """Defect 5, FAILED counted as clean: the record fails with Rekognition's reason, no mail is sent, the exit code shows it."""
    line.put("broken.mp4", unreadable("Unsupported codec/format."))

    result = line.scan()

    record = line.record("broken.mp4", result["scan_id"])
    assert (State.FAILED, "Unsupported codec/format.") == (record.state, record.problem.message)
    assert ({"FAILED": 1}, 3) == (states(result), result["result"]["exit_code"])
    assert [] == line.mails


@pytest.mark.parametrize("surest", range(3))
def test_06_all_labels_of_one_moment_are_stored_and_mailed(line, surest):
    """Defect 6, labels dropped at a shared timestamp: all labels of a moment are kept, whatever their order and confidence."""
    labels = ["Alcohol", "Explicit Nudity", "Weapons"]
    line.put("a.mp4", video(*((2_000, label, 99.0 if number == surest else 95.0) for number, label in enumerate(labels))))

    scan_id = line.scan()["scan_id"]

    found = {(segment.label, segment.start_ms) for segment in line.segments("a.mp4", scan_id)}
    (mail,) = line.mails
    assert {(label, 2_000) for label in (*labels, "Explicit", "Violence")} == found
    assert [] == [label for label in labels if label not in mail.get_content()]


def test_07_only_what_alerts_is_mailed(line):
    """Defect 7, mail for every video: none for a clean one, an unsure label, a rule without alert, a failure; one for the rest."""
    line.put("clean.mp4")
    line.put("unsure.mp4", video((0, "Weapons", 79.0)))
    line.put("quiet.mp4", video((0, "Alcohol", 99.0)))
    line.put("broken.mp4", unreadable())
    line.put("weapons.mp4", video(WEAPONS))

    result = line.scan()

    assert {"CLEAN": 2, "FLAGGED": 2, "FAILED": 1} == states(result)
    assert ["Flagged: Weapons in weapons.mp4"] == [mail["Subject"] for mail in line.mails]


def test_08_a_repeated_task_asks_for_no_second_analysis(line):
    """Defect 8, duplicates: a cloned job or a task repeated by S3 sends no message and starts nothing again."""
    line.put("a.mp4")
    line.run_job(line.upload_manifest(f"{BUCKET},a.mp4"))

    again = line.run_job(line.upload_manifest(f"{BUCKET},a.mp4"))

    assert 1 == again["ProgressSummary"]["NumberOfTasksSucceeded"]
    assert (1, ["a.mp4"]) == (len(line.called("sqs.SendMessage")), line.analysed)


def test_08_a_start_whose_answer_was_lost_is_paid_once(line):
    """Defect 8, no ClientRequestToken: the repeated Start carries the token of the first, which returns the same job."""
    line.put("a.mp4")
    line.rekognition.faults.lose_start_answers()

    scan_id = line.scan()["scan_id"]

    assert (2, ["a.mp4"]) == (len(line.called(START)), line.analysed)
    assert State.CLEAN is line.record("a.mp4", scan_id).state


def test_08_a_repeated_message_starts_nothing(line):
    """Defect 8, duplicates: a message that SQS delivers again after its analysis does not call Start again."""
    line.put("a.mp4")
    line.scan()
    (sent,) = line.called("sqs.SendMessage")

    line.client("sqs").send_message(**sent.parameters)
    line.clock.advance(60)

    assert 2 == len(line.invocations("start_analysis"))
    assert {"Started": 1} == line.rekognition.ledger.start_answers


def test_08_a_repeated_notice_writes_nothing(line):
    """Defect 8, repeated SNS makes a second set of rows: a notice received three times writes segments once and mails once."""
    line.put("a.mp4", video(WEAPONS))
    line.rekognition.faults.repeat_notices(copies=3)

    result = line.scan()

    assert 3 == len(line.invocations("completion"))
    assert (1, 1) == (len(line.called("dynamodb.BatchWriteItem")), len(line.mails))
    assert {"FLAGGED": 1} == states(result)


def test_08_two_notices_at_the_same_time_count_once(line):
    """Defect 8 once more: of two notices processed at the same time, the one that finishes second changes nothing."""
    line.put("a.mp4", video(WEAPONS))

    def meanwhile():
        line.invoke("completion", line.notice("a.mp4"))
        line.invoke("sweeper", {})

    line.before("dynamodb.BatchWriteItem", meanwhile)
    result = line.scan()

    assert {"FLAGGED": 1} == states(result)
    assert (2, 1) == (len(line.segments("a.mp4", result["scan_id"])), len(line.mails))


def test_09_every_row_names_its_object(line):
    """Defect 9, rows do not name their object: each has bucket, key, job and model, and numbers are numbers."""
    line.put("2024/party.mp4", video(WEAPONS))

    scan_id = line.scan()["scan_id"]

    (job,) = line.rekognition.ledger.jobs
    record, *segments = rows_of(line, "2024/party.mp4")
    assert (BUCKET, "2024/party.mp4", scan_id) == tuple(record[name]["S"] for name in ("bucket", "key", "scan_id"))
    assert (job.job_id, "7.0") == (record["rekognition_job_id"]["S"], record["model_version"]["S"])
    assert abs(float(record["finished_at"]["N"]) - job.closed_at) < 1
    assert [("Violence", 99.0), ("Weapons", 99.0)] == [(row["label"]["S"], float(row["confidence"]["N"])) for row in segments]


def test_09_equal_names_do_not_collide(line):
    """Defect 9 again: videos of the same name in different folders have records and segments of their own."""
    keys = ["2023/party.mp4", "2024/party.mp4"]
    line.put(keys[0], video((1_000, "Weapons", 99.0)))
    line.put(keys[1], video((9_000, "Alcohol", 99.0)))

    scan_id = line.scan()["scan_id"]

    first, second = ({segment.label for segment in line.segments(key, scan_id)} for key in keys)
    assert ({"Violence", "Weapons"}, {"Alcohol"}) == (first, second)
    assert keys == [line.record(key, scan_id).video.key for key in keys]


def rows_of(line, key):
    """Return the items of a video as DynamoDB has them: its record, then its segments."""
    return line.client("dynamodb").query(
        TableName=line.outputs["TableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"VIDEO#{Video(BUCKET, key).id}"}},
    )["Items"]


def test_10_each_label_has_its_own_threshold(make_line):
    """Defect 10, fixed threshold 80: the context says what counts, per label, and Rekognition is asked for as much."""
    rules = {"Weapons": {"min_confidence": 45, "alert": True}, "Alcohol": {"min_confidence": 95, "alert": True}}
    policy = {"default": {"min_confidence": 70, "alert": True}, "labels": rules}
    line = make_line({"policy": policy, "min_confidence": 40})
    seen = {"a": ("Weapons", 46.0), "b": ("Weapons", 44.0), "c": ("Alcohol", 94.0), "d": ("Alcohol", 96.0), "e": ("Gambling", 71.0)}
    for key, (label, confidence) in seen.items():
        line.put(f"{key}.mp4", video((0, label, confidence)))

    scan_id = line.scan()["scan_id"]

    flagged = [key for key in seen if line.record(f"{key}.mp4", scan_id).state is State.FLAGGED]
    assert ["a", "d", "e"] == flagged
