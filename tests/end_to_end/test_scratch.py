import json, time, sys
import pytest
from collections import Counter
from tools.emulator.samples import tiny_clip
from tools.emulator.services.rekognition.errors import RekognitionError
pytestmark = pytest.mark.timeout(900)
def say(*a):
    with open('/tmp/b/scratch.out','a') as f: print(*a, file=f)

@pytest.fixture(scope="module")
def stage(stages):
    return stages(speed=20.0, batch_redrive_seconds=5.0)

def test_row6_repeated(stage):
    stage.put("rep/a.mp4", tiny_clip("Weapons"))
    stage.put("rep/b.mp4", tiny_clip())
    starts = stage.world.rekognition.faults.starts
    starts.lose_answers(1)
    # after the lost one, the next Start calls of a repeated one are refused as object's fault; b may also be hit
    real_before = starts.before
    seen = Counter()
    import inspect
    scan_id = stage.submit("rep/")
    # wait for the first lost
    stage.until(lambda: stage.world.rekognition.ledger.start_answers["InternalServerError"] >= 1, "lost")
    starts.refuse("InvalidS3ObjectException", count=4)
    t=time.monotonic()
    stage.until_final(scan_id)
    say("row6a states", stage.states(scan_id), "jobs", [(j.key) for j in stage.jobs(scan_id)], dict(stage.world.rekognition.ledger.start_answers))
    r = stage.review(scan_id, codes=(0,3))
    say("row6a failed", json.dumps(r["failed"])[:600])
    stage.world.rekognition.faults.starts._refusals.clear()

def test_row6_all(stage):
    made = stage.put_videos("bad/", 60)
    starts = stage.world.rekognition.faults.starts
    starts.refuse("InvalidS3ObjectException", "Unable to get object metadata from S3.", count=1000)
    scan_id = stage.submit("bad/")
    def paused():
        s = stage.run("control_scan.py","status",codes=(0,1,3))
        return json.dumps(s).find("circuit breaker")>=0
    stage.until(paused, "paused")
    s = stage.run("control_scan.py","status",codes=(0,1,3))
    say("row6b status", json.dumps(s)[:1500])
    say("row6b states", Counter(stage.states(scan_id).values()), dict(stage.world.rekognition.ledger.start_answers))
    starts._refusals.clear()
    say("row6b resume", stage.run("control_scan.py","resume",codes=(0,1,3)))
    stage.outlast(scan_id)
    say("row6b states after", Counter(stage.states(scan_id).values()))
    say(json.dumps(stage.review(scan_id, codes=(0,3))["failed"])[:400])
    say("row6b retry", json.dumps(stage.run("review_report.py","retry","--scan",scan_id,"--dry-run",codes=(0,1,2,3)))[:800])

def test_row6_one(stage):
    stage.put("tail/a.mp4", tiny_clip())
    starts = stage.world.rekognition.faults.starts
    starts.refuse("AccessDeniedException", "no", count=1000)
    scan_id = stage.submit("tail/")
    stage.until(lambda: scan_id in (stage.table.scans.scan(scan_id) or type('x',(),{'id':''})).id and stage.states(scan_id), 'there')
    n0 = stage.world.rekognition.ledger.start_answers["AccessDeniedException"]
    def enough():
        stage.world.clock.leap(60.0)
        return stage.world.rekognition.ledger.start_answers["AccessDeniedException"] - n0 >= 30 or not stage.unfinished(scan_id)
    stage.until(enough, "30 refusals")
    say("row6c", stage.states(scan_id), dict(stage.world.rekognition.ledger.start_answers), json.dumps(stage.run("control_scan.py","status",codes=(0,1,3)))[:800])
    starts._refusals.clear()
    stage.outlast(scan_id)
    say("row6c end", stage.states(scan_id))

def test_row9(stages):
    stage = stages(speed=20.0, analysis_base_seconds=15.0)
    made = stage.put_videos("n/", 16); made2 = stage.put_videos("x/", 16)
    say("row9 slots", stage.run("control_scan.py","slots","2",codes=(0,1,3)))
    a = stage.submit("n/"); b = stage.submit("x/", "--express")
    most = Counter()
    def look():
        for _ in range(60):
            most[stage.world.rekognition.ledger.open_now]+=1
            time.sleep(0.02)
    stage.until(lambda: not stage.unfinished(a) and not stage.unfinished(b) and stage.states(a) and stage.states(b), "over", meanwhile=look)
    say("row9 open jobs seen", dict(most), Counter(stage.states(a).values()), Counter(stage.states(b).values()))
    l = stage.world.rekognition.ledger
    say({k:getattr(l,k) for k in dir(l) if not k.startswith('_') and k not in ('jobs',) and not callable(getattr(l,k))})
