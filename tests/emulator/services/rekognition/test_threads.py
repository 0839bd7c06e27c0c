"""The engine under the wall's clock: many threads, real videos."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.emulator.core import WallClock
from tools.emulator.samples import tiny_clip
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.video import VideoAnalyser
from tools.emulator.settings import EmulatorSettings


@pytest.fixture
def clock():
    """Return a wall clock a hundred times as fast."""
    clock = WallClock(speed=100.0, threads=8)
    yield clock
    clock.close()


def moderation(clock, bench, analyser, **settings):
    """Return an engine on the wall's clock, with the objects and topics of a bench."""
    return ContentModeration(
        clock=clock, settings=EmulatorSettings(**settings), objects=bench.objects, topics=bench.topics, analyser=analyser
    )


def test_start_does_not_wait_for_the_decoder(clock, bench):
    """Start answers while the video is still being decoded, and the job lasts at least until that is done."""
    world, may_go_on = bench(), threading.Event()

    class Slow:
        def analyse(self, body):
            may_go_on.wait(30)
            return VideoAnalyser().analyse(body)

    world.objects.put("video.mp4", tiny_clip("Weapons"))
    engine = moderation(clock, world, Slow(), analysis_base_seconds=0.0)

    job_id = engine.start(world.parameters())["JobId"]
    clock.sleep(20)
    before = engine.get({"JobId": job_id})["JobStatus"]
    may_go_on.set()
    until(lambda: world.topics.messages)

    assert before == "IN_PROGRESS"
    assert engine.get({"JobId": job_id})["JobStatus"] == "SUCCEEDED"


def test_many_threads_share_the_quota_and_the_tokens(clock, bench):
    """40 videos, each started by two threads with one token, make 40 jobs and 40 notices, with at most 4 jobs open."""
    world = bench()
    world.objects.put("video.mp4", tiny_clip("Weapons"))
    engine = moderation(clock, world, VideoAnalyser(), account_jobs=4, starts_per_second=1_000, analysis_base_seconds=1.0)

    def start(number):
        while True:
            with contextlib.suppress(RekognitionError):
                return engine.start(world.parameters(ClientRequestToken=f"token-{number}"))["JobId"]
            clock.sleep(0.5)

    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(start, [number for number in range(40) for _ in range(2)]))
    until(lambda: sum(entry.notices for entry in engine.ledger.jobs) == 40)

    assert jobs[::2] == jobs[1::2]
    assert len({entry.job_id for entry in engine.ledger.jobs}) == len(engine.ledger.jobs) == 40
    assert (engine.ledger.max_open, engine.ledger.open_now) == (4, 0)
    assert all(entry.status == "SUCCEEDED" and entry.notices == 1 for entry in engine.ledger.jobs)
    assert set(engine.ledger.start_answers) <= {"Started", "Repeated", "LimitExceededException"}


def until(happened):
    """Wait for something, for at most 30 s of the wall."""
    waited = threading.Event()
    for _ in range(3_000):
        if happened():
            return
        waited.wait(0.01)
    pytest.fail("it did not happen within 30 s")
