"""Completing: every page, one transition, and notices that are late, early, repeated, forged or foreign doing no harm."""

import gzip
import json
import random
import tracemalloc
from dataclasses import replace

import pytest

from handlers.adapters.hits import HitStore
from handlers.adapters.rekognition import AnalysisReader
from handlers.domain.policy import Policy, Rule
from handlers.domain.record import ObjectFacts, Peak, StartParameters
from handlers.domain.states import State
from handlers.flows.complete import CompleteFlow, CompletionError
from tests.handlers.doubles import (
    BUCKET,
    COMPLETIONS,
    ROLE,
    SCAN,
    WORK_BUCKET,
    are_growing_waits,
    client_error,
    notice_event,
    time_out,
    waiting,
)

START = StartParameters(None, 50.0, COMPLETIONS, ROLE)
POLICY = Policy(Rule(80.0, alert=True), {"Alcohol": Rule(50.0, alert=False)})
WEAPON = [(2_000, "Violence", "", 1, 99.5), (2_000, "Weapons", "Violence", 2, 99.5), (2_500, "Weapons", "Violence", 2, 91.0)]
ALCOHOL = [(0, "Alcohol", "", 1, 60.0)]


@pytest.fixture(name="flow")
def _flow(table, rekognition, work, clock):
    return CompleteFlow(table.records, AnalysisReader(rekognition, clock), HitStore(work, WORK_BUCKET), POLICY, clock, COMPLETIONS)


@pytest.fixture(name="complete")
def _complete(flow, clock):
    """Return a function that passes notices of jobs to the flow."""
    return lambda *job_ids, topic_arn=COMPLETIONS: flow.respond(
        notice_event(*job_ids, topic_arn=topic_arn), deadline=clock.now() + 900
    )


@pytest.fixture(name="start")
def _start(table, rekognition):
    """Return a function that registers a video and starts its analysis; returns the job id."""

    def start(key="a.mp4", *, running=True, **fields):
        record = waiting(key, **fields)
        table.records.register(record, None)
        table.records.note_start_tried(record, ObjectFacts("abc", 3, None), START, at=1.0)
        job_id = rekognition.start_content_moderation(
            Video={"S3Object": {"Bucket": BUCKET, "Name": key}},
            ClientRequestToken=record.analysis.token,
            JobTag=record.analysis.tag,
        )["JobId"]
        if running:
            table.records.enter_running(record, job_id)
        return job_id

    return start


@pytest.fixture(name="hits_of")
def _hits_of(work):
    """Return a function that reads the hits that a record points to."""

    def read(record):
        body = work.get_object(Bucket=WORK_BUCKET, Key=record.hits_key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    return read


@pytest.fixture(name="record")
def _record(table):
    return lambda key="a.mp4": table.records.record(waiting(key).video.id, SCAN)


class TestVerdict:
    def test_flagged(self, start, complete, record, rekognition, table, clock):
        """A result is stored as segments and label summaries, with model, policy and duration, and a mail becomes due."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)

        complete(job_id)

        now = record()
        segments = list(table.records.segments(now.video.id, SCAN, 0))
        assert (State.FLAGGED, True, ("Weapons", "Violence")) == (now.state, now.mail_due, now.counted)
        assert ("7.0", POLICY.hash, 90_000) == (now.model_version, now.policy_hash, now.duration_ms)
        assert (clock.now(), 0) == (now.finished_at, table.records.running_count())
        assert [("Violence", 2_000, 2_000, 1), ("Weapons", 2_000, 2_500, 2)] == [
            (found.label, found.start_ms, found.end_ms, found.hits) for found in segments
        ]

    def test_first_hit_that_counts(self, start, complete, record, rekognition):
        """A label that counts is first seen at the first hit that does; its peaks are kept for other policies."""
        job_id = start()
        rekognition.finish(job_id, [(at, "Weapons", "Violence", 2, sure) for at, sure in ((0, 55.0), (500, 52.0), (49_000, 99.0))])

        complete(job_id)

        [label] = record().labels
        assert (49_000, 80.0, (Peak(0, 55.0), Peak(49_000, 99.0))) == (label.first_ms, label.counts_from, label.peaks)

    @pytest.mark.parametrize(("labels", "state"), [([], State.CLEAN), (ALCOHOL, State.FLAGGED)])
    def test_no_mail(self, start, complete, record, rekognition, table, labels, state):
        """Neither a clean video nor one whose labels do not alert is mailed."""
        job_id = start()
        rekognition.finish(job_id, labels)

        complete(job_id)

        assert (state, False, []) == (record().state, record().mail_due, table.records.mails_due(9))

    def test_failed(self, start, complete, record, rekognition):
        """A failed job makes a FAILED record with Rekognition's message, never a clean one."""
        job_id = start()
        rekognition.finish(job_id, status="FAILED", message="Unsupported codec/format.")

        complete(job_id)

        now = record()
        assert (State.FAILED, "analysis-failed", "Unsupported codec/format.") == (
            now.state,
            now.problem.code,
            now.problem.message,
        )

    @pytest.mark.slow
    def test_every_page(self, start, complete, record, rekognition, table):
        """Forty thousand hits are read to the last page, and stored within bounds."""
        job_id = start()
        rekognition.finish(job_id, [(ms * 500, f"Label {ms % 3}", "", 1, 90.0) for ms in range(40_000)])

        complete(job_id)

        now = record()
        segments = list(table.records.segments(now.video.id, SCAN, 0))
        assert 40 == len(rekognition.gets)
        assert (40_000, {"TIMESTAMP"}) == (sum(found.hits for found in segments), {get["SortBy"] for get in rekognition.gets})
        assert {f"Label {number}" for number in range(3)} == {label.name for label in now.labels}

    @pytest.mark.parametrize("left_out", [("JobTag", "Video"), ("JobTag",), ("Video",)])
    @pytest.mark.parametrize(("status", "state"), [("FAILED", State.FAILED), ("SUCCEEDED", State.CLEAN)])
    def test_without_tag_and_video(self, start, complete, record, rekognition, table, left_out, status, state):
        """A result belongs to the record that names the job id, also without tag and video; the slot becomes free."""
        job_id = start()
        rekognition.finish(job_id, status=status, left_out=left_out)

        complete(job_id)

        assert (state, 0) == (record().state, table.records.running_count())

    @pytest.mark.parametrize("tag", ["somebody-elses", f"{SCAN}/{'0' * 32}/0", f"{SCAN}/{waiting().video.id}/1"])
    def test_whatever_tag(self, start, complete, record, rekognition, tag):
        """The job that Start returned is ours, whatever its tag."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        rekognition.jobs[job_id]["parameters"] |= {"JobTag": tag}

        complete(job_id)

        assert State.FLAGGED is record().state

    def test_early(self, start, complete, record, rekognition, table):
        """A notice that comes before the starter has written the job id is ignored; a later one is processed."""
        job_id = start(running=False)
        rekognition.finish(job_id, WEAPON)
        complete(job_id, job_id)
        early = record().state

        table.records.enter_running(record(), job_id, repeated=True)
        complete(job_id)

        assert (State.WAITING, State.FLAGGED, job_id) == (early, record().state, record().rekognition_job_id)

    @pytest.mark.parametrize(
        "changes",
        [
            {"Video": {"S3Object": {"Bucket": BUCKET, "Name": "other.mp4"}}},
            {"Video": {"S3Object": {"Bucket": "other-bucket", "Name": "a.mp4"}}},
        ],
        ids=["other key", "other bucket"],
    )
    def test_other_video(self, start, complete, record, rekognition, table, changes):
        """A result of another video is not a verdict: the video fails, and its slot becomes free."""
        job_id = start()
        rekognition.finish(job_id)
        rekognition.jobs[job_id]["parameters"] |= changes

        complete(job_id)

        assert (State.FAILED, 0) == (record().state, table.records.running_count())
        assert "another video" in record().problem.message


class TestHarmless:
    def test_duplicate(self, start, complete, raw, rekognition):
        """A repeated notice changes nothing."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        complete(job_id, job_id)
        before = raw()

        complete(job_id)

        assert before == raw()

    def test_in_progress(self, start, complete, record):
        """A notice of a job that is not over is ignored."""
        complete(start())

        assert record().state is State.RUNNING

    def test_unknown_job(self, complete, rekognition, raw):
        """A job that no Start returned is not read."""
        complete("0" * 64, "nonsense")

        assert ({}, []) == (raw(), rekognition.gets)

    @pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidParameterException"])
    def test_forgotten_job(self, start, complete, rekognition, raw, code):
        """A job that Rekognition no longer knows is ignored; the sweeper fails its record."""
        job_id = start()
        rekognition.refuse_gets.append(client_error(code))
        before = raw()

        complete(job_id)

        assert before == raw()

    def test_foreign_topic(self, start, complete, record, rekognition):
        """The job of a notice from another topic is not read."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)

        complete(job_id, topic_arn=COMPLETIONS + "-other")

        assert (State.RUNNING, []) == (record().state, rekognition.gets)

    @pytest.mark.parametrize("stand", ["never tried", "tried", "without job id", "runs", "failed", "cancelled"])
    def test_strangers_job(self, start, complete, raw, table, rekognition, stand):
        """A job that someone else started on our video with our tag changes nothing."""
        match stand:
            case "never tried":
                table.records.register(waiting(), None)
            case "without job id":  # as an earlier version of this code left them
                table.records.register(waiting(), None)
                table.records.enter_running(waiting(), None)
            case "failed" | "cancelled":
                start()
                now = table.records.record(waiting().video.id, SCAN)
                table.records.finish(replace(now, state=State[stand.upper()], finished_at=1.0))
            case _:
                start(running=stand == "runs")
        video = {"S3Object": {"Bucket": BUCKET, "Name": "a.mp4"}}
        strange = rekognition.start_content_moderation(
            Video=video, ClientRequestToken="stranger", JobTag=waiting().analysis.tag, MinConfidence=100.0
        )["JobId"]
        rekognition.finish(strange)
        before = raw()

        complete(strange, strange)

        assert before == raw()

    def test_old_attempt(self, start, complete, record, rekognition, table):
        """A late result of an old attempt does not change the new one."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        failed = table.records.record(waiting().video.id, SCAN)
        table.records.finish(replace(failed, state=State.CANCELLED, finished_at=1.0))
        table.records.register(waiting(attempt=1), table.records.record(failed.video.id, SCAN))
        complete(job_id)
        waits = record()

        table.records.enter_running(waits, "job-of-the-retry")
        complete(job_id)

        assert [(State.WAITING, 1), (State.RUNNING, 1)] == [(now.state, now.attempt) for now in (waits, record())]


class TestTrouble:
    def test_throttled_pages_are_retried(self, start, complete, record, rekognition, clock):
        """Throttled calls are retried with growing waits."""
        job_id = start()
        rekognition.finish(job_id)
        rekognition.refuse_gets.extend([client_error("ThrottlingException"), time_out()] * 5)

        complete(job_id)

        assert record().state is State.CLEAN
        assert 10 == len(clock.slept)
        assert are_growing_waits(clock.slept, base=0.2, cap=5.0)

    def test_no_end(self, start, complete, record, rekognition, clock):
        """Retries end before the invocation, which Lambda then retries."""
        job_id = start()
        rekognition.finish(job_id)
        rekognition.refuse_gets.extend([client_error("ThrottlingException")] * 2_000)
        end = clock.now() + 900

        with pytest.raises(CompletionError):
            complete(job_id)

        assert clock.now() < end - 25
        assert record().state is State.RUNNING

    def test_stale_token(self, start, complete, record, rekognition, table):
        """If a page token expires, all pages are read again, and no hit counts twice."""
        job_id = start()
        rekognition.finish(job_id, [(ms * 500, "Weapons", "Violence", 2, 90.0) for ms in range(2_500)])
        rekognition.refuse_gets.extend([None, None, client_error("InvalidPaginationTokenException")])

        complete(job_id)

        (segment,) = table.records.segments(record().video.id, SCAN, 0)
        assert (2_500, 6) == (segment.hits, len(rekognition.gets))

    @pytest.mark.parametrize(("seconds", "calls"), [(31.0, 1), (31.001, 2)])
    def test_the_end_of_the_invocation(self, start, flow, rekognition, clock, monkeypatch, seconds, calls):
        """No page is waited for in the last thirty seconds."""
        monkeypatch.setattr("handlers.adapters.rekognition.backoff_seconds", lambda _attempt, **_: 1.0)
        job_id = start()
        rekognition.finish(job_id)
        rekognition.refuse_gets.extend([client_error("ThrottlingException")] * 9)

        with pytest.raises(CompletionError, match=f"^not completed: {job_id}$"):
            flow.respond(notice_event(job_id), deadline=clock.now() + seconds)

        assert calls == len(rekognition.gets)

    @pytest.mark.parametrize(("times", "state"), [(2, State.CLEAN), (3, State.RUNNING)])
    def test_tokens_that_expire_again(self, start, complete, record, rekognition, times, state):
        """A job is read three times from its first page, before the notice is left to Lambda's retries."""
        job_id = start()
        rekognition.finish(job_id)
        rekognition.refuse_gets.extend([client_error("InvalidPaginationTokenException")] * times)

        if state is State.CLEAN:
            complete(job_id)
        else:
            with pytest.raises(CompletionError):
                complete(job_id)

        assert (3, state) == (len(rekognition.gets), record().state)

    @pytest.mark.parametrize(
        ("message", "stored"), [("", "Rekognition gave no reason."), ("x" * 1_000, "x" * 1_000), ("x" * 1_001, "x" * 1_000)]
    )
    def test_why_it_failed(self, start, complete, record, rekognition, message, stored):
        """The reason of a failed analysis is kept in Rekognition's words, a thousand characters of them."""
        job_id = start()
        rekognition.finish(job_id, status="FAILED", message=message)

        complete(job_id)

        assert ("analysis-failed", stored) == (record().problem.code, record().problem.message)

    def test_one_bad(self, start, complete, record, rekognition):
        """A notice that fails raises at the end; the others are processed."""
        jobs = [start(key) for key in ("a.mp4", "b.mp4", "c.mp4")]
        for job_id in jobs:
            rekognition.finish(job_id)
        rekognition.refuse_gets.extend([None, client_error("AccessDeniedException")])

        with pytest.raises(CompletionError, match=jobs[1]):
            complete(*jobs)

        assert [State.CLEAN, State.RUNNING, State.CLEAN] == [record(key).state for key in ("a.mp4", "b.mp4", "c.mp4")]

    def test_not_unknown(self, start, complete, rekognition):
        """A refusal on a later page is not mistaken for a job that Rekognition does not know."""
        job_id = start()
        rekognition.finish(job_id, [(ms, "Weapons", "", 1, 90.0) for ms in range(1_500)])
        rekognition.refuse_gets.extend([None, client_error("InvalidParameterException")])

        with pytest.raises(CompletionError):
            complete(job_id)


class TestHits:
    def test_kept(self, start, complete, record, rekognition, hits_of):
        """Every hit is stored unchanged, and the record has their key and number."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)

        complete(job_id)

        now = record()
        assert (f"hits/scan={SCAN}/{now.video.id}-00.json.gz", 3) == (now.hits_key, now.hits_count)
        assert WEAPON == [
            (hit["timestamp_ms"], hit["label"], hit["parent"], hit["level"], hit["confidence"]) for hit in hits_of(now)
        ]

    def test_no_hits(self, start, complete, record, rekognition, hits_of):
        """A video without hits has an object of hits, too: an empty one."""
        job_id = start()
        rekognition.finish(job_id)

        complete(job_id)

        assert (0, []) == (record().hits_count, hits_of(record()))

    def test_failed(self, start, complete, record, rekognition, work):
        """No hits are stored of a failed analysis."""
        job_id = start()
        rekognition.finish(job_id, status="FAILED", message="Unsupported codec/format.")

        complete(job_id)

        assert (None, None, []) == (record().hits_key, record().hits_count, work.called("put_object"))

    def test_hits_first(self, start, complete, record, rekognition, work, table):
        """A final record always has its hits: while they cannot be stored, nothing else is written."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        work.fail("put_object", client_error("AccessDenied", 403))

        with pytest.raises(CompletionError):
            complete(job_id)

        assert (State.RUNNING, []) == (record().state, list(table.records.segments(record().video.id, SCAN, 0)))

    def test_stale_token(self, start, complete, record, rekognition, hits_of):
        """If pages are read again, the hits of the first reading are discarded."""
        job_id = start()
        rekognition.finish(job_id, [(ms * 500, "Weapons", "Violence", 2, 90.0) for ms in range(2_500)])
        rekognition.refuse_gets.extend([None, None, client_error("InvalidPaginationTokenException")])

        complete(job_id)

        assert (2_500, 2_500) == (record().hits_count, len(hits_of(record())))

    @pytest.mark.slow
    def test_memory(self, start, complete, record, rekognition, hits_of):
        """Completing with forty thousand hits of random confidence takes 6 MiB at the most (all held at once take more)."""
        job_id = start()
        sure = random.Random(5)
        rekognition.finish(job_id, [(at * 250, f"Label {at % 7}", "Violence", 2, sure.uniform(50, 100)) for at in range(40_000)])
        complete()  # what is loaded once does not count
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()

        complete(job_id)

        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak - before < 6 * 1024 * 1024
        assert 40_000 == record().hits_count == len(hits_of(record()))


class KilledError(BaseException):
    """Lambda ends the process; no code can catch it."""


class TestKilled:
    @pytest.mark.parametrize("operation", ["query", "get_item", "batch_write_item", "transact_write_items"])
    def test_anywhere(self, start, complete, record, rekognition, dynamodb, table, operation):
        """A notice that is killed after any call and repeated has the same result: one verdict, counted once, with all segments."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        dynamodb.die_after(operation, KilledError())
        with pytest.raises(KilledError):
            complete(job_id)

        complete(job_id)

        now = record()
        assert (State.FLAGGED, 1, 0) == (now.state, table.scans.totals(SCAN).final, table.records.running_count())
        assert 2 == len(list(table.records.segments(now.video.id, SCAN, 0)))

    def test_between_hits_and_segments(self, start, complete, record, rekognition, work, table, hits_of):
        """A notice that is killed after storing the hits and repeated stores the same bytes under the same key."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        work.die_after("put_object", KilledError())
        with pytest.raises(KilledError):
            complete(job_id)
        (first,) = work.list_objects_v2(Bucket=WORK_BUCKET)["Contents"]
        assert State.RUNNING is record().state

        complete(job_id)

        (again,) = work.list_objects_v2(Bucket=WORK_BUCKET)["Contents"]
        assert (first["Key"], first["ETag"]) == (again["Key"], again["ETag"]) == (record().hits_key, again["ETag"])
        assert (State.FLAGGED, 1, 3) == (record().state, table.scans.totals(SCAN).final, len(hits_of(record())))

    def test_segments_first(self, start, complete, record, rekognition, dynamodb, table):
        """A final record always has its segments: while they cannot be written, the record is RUNNING."""
        job_id = start()
        rekognition.finish(job_id, WEAPON)
        dynamodb.fail("batch_write_item", client_error("AccessDeniedException"))

        with pytest.raises(CompletionError):
            complete(job_id)

        assert record().state is State.RUNNING
