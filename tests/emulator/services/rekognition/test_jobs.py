"""Jobs: how long they take, how they end, and their notices."""

import json

import pytest

from tools.emulator.services.rekognition.backend import KEPT_SECONDS
from tools.emulator.services.rekognition.errors import RekognitionError

NOON = 1_700_000_000_000


def test_a_job_takes_time_by_the_length_of_its_video(bench):
    """A job is IN_PROGRESS for the base time plus the factor times the video's length, then SUCCEEDED."""
    world = bench(analysis_base_seconds=10.0, analysis_factor=2.0)
    job_id = world.start()

    world.clock.advance(10 + 2 * 30 - 0.1)
    before = world.get(job_id)
    world.clock.advance(0.1)
    after = world.get(job_id)

    assert (before["JobStatus"], after["JobStatus"]) == ("IN_PROGRESS", "SUCCEEDED")
    assert before["ModerationLabels"] == []
    assert "VideoMetadata" not in before


@pytest.mark.parametrize(("decoding", "ends_after"), [(15, 40), (60, 60)])
def test_decoding_is_part_of_the_time_a_job_takes(bench, decoding, ends_after):
    """The decoder's time is part of the job's, which is longer only if the decoder takes longer."""
    world = bench()
    analyse = world.analyser.analyse

    def slowly(body):
        world.clock.advance(decoding)
        return analyse(body)

    world.analyser.analyse = slowly

    world.finished()

    entry = world.moderation.ledger.jobs[0]
    assert entry.closed_at - entry.opened_at == ends_after


def test_the_notice_has_the_documented_form(bench):
    """The notice has the raw key, the job tag, epoch milliseconds and no version."""
    world = bench()
    key = 'a folder/ä+b%20 "c",\n🎬.mp4'
    world.objects.put(key, b"5")

    job_id = world.finished(key, JobTag="scan/video/0")

    assert [json.loads(message) for message in world.topics.messages] == [
        {
            "JobId": job_id,
            "Status": "SUCCEEDED",
            "API": "StartContentModeration",
            "JobTag": "scan/video/0",
            "Timestamp": NOON + 15_000,
            "Video": {"S3ObjectName": key, "S3Bucket": "amzn-s3-demo-bucket"},
        }
    ]


def test_a_notice_without_tag_has_no_tag(bench):
    """The notice has a JobTag only if the job has one."""
    world = bench()

    world.finished()

    assert "JobTag" not in json.loads(world.topics.messages[0])


def test_the_job_is_over_before_its_notice_is_out(bench):
    """Whoever receives the notice can fetch the results."""
    world = bench()
    seen = []
    world.topics.publish = lambda _topic, message: seen.append(world.get(json.loads(message)["JobId"])["JobStatus"])

    world.finished()

    assert seen == ["SUCCEEDED"]


@pytest.mark.parametrize(("body", "message"), [(b"unreadable", "Unsupported codec/format."), (b"bug", "Internal server error.")])
def test_what_cannot_be_analysed_fails_and_says_so(bench, body, message):
    """Start succeeds; the job ends FAILED after the base time, with a status message, a notice, and no costs."""
    world = bench()
    world.objects.put("video.mp4", body)

    page = world.get(world.finished())

    assert (page["JobStatus"], page["StatusMessage"], page["ModerationLabels"]) == ("FAILED", message, [])
    assert json.loads(world.topics.messages[0])["Status"] == "FAILED"
    assert world.moderation.ledger.minutes_billed == 0


@pytest.mark.parametrize("named", [True, False])
def test_whether_a_failed_answer_names_its_video(bench, named):
    """Whether answers for failed jobs name tag and video is a setting, because AWS does not document it; others always do."""
    world = bench(failed_answers_name_video=named)
    well = world.get(world.finished(JobTag="well"))
    world.objects.put("video.mp4", b"unreadable")
    begun = world.get(job_id := world.start(JobTag="ill"))

    world.clock.advance(60)

    over = world.get(job_id)
    assert ["SUCCEEDED", "IN_PROGRESS", "FAILED"] == [page["JobStatus"] for page in (well, begun, over)]
    assert [True, True, named] == ["JobTag" in page and "Video" in page for page in (well, begun, over)]
    assert [named, named] == ["JobTag" in over, "Video" in over]


def test_without_a_channel_or_a_topic_no_notice_is_sent(bench):
    """Without a channel, or with a topic that does not exist, the job ends as usual, and no notice is counted."""
    world = bench()
    elsewhere = {"SNSTopicArn": "arn:aws:sns:us-east-1:111122223333:gone", "RoleArn": "arn:aws:iam::111122223333:role/r"}

    jobs = [world.finished(NotificationChannel=channel) for channel in (None, elsewhere)]

    assert [world.get(job_id)["JobStatus"] for job_id in jobs] == ["SUCCEEDED"] * 2
    assert [entry.notices for entry in world.moderation.ledger.jobs] == [0, 0]


@pytest.mark.parametrize(("order", "sent"), [("lose_notices", [0, 1]), ("repeat_notices", [2, 1])])
def test_notices_are_lost_or_repeated_on_order(bench, order, sent):
    """The order applies to the next notice only; the results are there anyway."""
    world = bench()
    getattr(world.moderation.faults, order)()

    jobs = [world.finished() for _ in range(2)]

    assert [entry.notices for entry in world.moderation.ledger.jobs] == sent
    assert all(world.get(job_id)["JobStatus"] == "SUCCEEDED" for job_id in jobs)


def test_a_notice_is_late_on_order(bench):
    """A delayed notice comes later, but with the time at which the job ended."""
    world = bench()
    world.moderation.faults.delay_notices(600)
    world.start()

    world.clock.advance(40 + 599)
    before = list(world.topics.messages)
    world.clock.advance(1)

    assert before == []
    assert json.loads(world.topics.messages[0])["Timestamp"] == NOON + 40_000


def test_results_are_kept_for_seven_days(bench):
    """A job can be fetched until 7 days after its end; then it is ResourceNotFoundException."""
    world = bench()
    job_id = world.finished()

    world.clock.advance(KEPT_SECONDS - 1)
    within = world.get(job_id)["JobStatus"]
    world.clock.advance(1)

    assert within == "SUCCEEDED"
    with pytest.raises(RekognitionError, match="ResourceNotFoundException"):
        world.get(job_id)


def test_an_unknown_job_is_not_found(bench):
    """A job id that was never issued is ResourceNotFoundException."""
    with pytest.raises(RekognitionError, match="ResourceNotFoundException"):
        bench().get("0" * 64)


def test_job_ids_are_64_hex_digits(bench):
    """Job ids have the form of AWS's."""
    world = bench()

    job_id = world.start()

    assert len(bytes.fromhex(job_id)) == 32
