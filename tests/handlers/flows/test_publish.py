"""Publish: verdicts and decisions become events, tags and annotations; the last verdict is what objects carry."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.adapters.object_marks import WRITES
from handlers.domain import outbox
from handlers.domain.decision import Judgement
from handlers.domain.identity import Video
from handlers.domain.outbox import MOST_A_MINUTE, Due
from handlers.domain.record import ObjectFacts, Problem, Scan
from handlers.domain.states import ScanStatus, State
from handlers.flows import PublishSettings
from handlers.flows.publish import ROUNDS
from handlers.flows.sweep.send_outbox import ENOUGH
from tests.handlers.doubles import OTHER_SCAN, SCAN, client_error, decision_about, time_out
from tests.handlers.flows.publishing import PLAIN, VERSIONED, Scene
from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World
from tools.lib.estimate.prices import TABLE

TAG = "VideoModerationStatus"
RESULT, REFUSED, CLOSED = (f"Video Moderation {name}" for name in ("Object Scan Result", "Post Scan Action Failed", "Scan Closed"))
BOTH = [PLAIN, VERSIONED]
PAGE = (Path(__file__).parents[3] / "docs" / "consequences.md").read_text("utf-8")


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory):
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world"), clock=ManualClock()) as world:
        client = world.client("s3")
        for bucket in BOTH:
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        yield world


@pytest.fixture(name="scene")
def _scene(world):
    return Scene(world)


def decision(record, judgement, at):
    """Return a decision about a record's content."""
    return decision_about(record, judgement=judgement, note="seen it", decided_at=at)


def _order(detail):
    """Return by what events about a content are ordered: docs/consequences.md#events."""
    return (detail["decision"] or {}).get("decidedAt", ""), detail["verdictTime"]


class TestVerdicts:
    @pytest.mark.parametrize("bucket", BOTH)
    @pytest.mark.parametrize(("state", "status"), [(State.FLAGGED, "FLAGS_FOUND"), (State.CLEAN, "NO_FLAGS_FOUND")])
    def test_a_verdict(self, scene, bucket, state, status):
        """A verdict becomes one event and one tag beside those of others, and nothing of it stays in the outbox."""
        scene.put(bucket)
        scene.s3.put_object_tagging(Bucket=bucket, Key="a.mp4", Tagging={"TagSet": [{"Key": "team", "Value": "vidéo"}]})
        head = scene.s3.head_object(Bucket=bucket, Key="a.mp4")
        scene.final(ObjectFacts(head["ETag"].strip('"'), 4, head.get("VersionId")), bucket, state=state)

        assert [] == scene.deliver()

        [(kind, detail)] = scene.events_put()
        assert (RESULT, status) == (kind, detail["scanResultDetails"]["scanResultStatus"])
        assert {"team": "vidéo", TAG: status} == scene.tags(bucket)
        assert [] == list(scene.table.outbox.due())

    def test_the_whole_verdict_is_annotated(self, scene):
        """The annotation has what the event has."""
        facts = scene.put()
        scene.final(facts)

        scene.deliver()

        assert scene.events_put()[0][1] == scene.annotation()
        assert ["Weapons"] == [label["name"] for label in scene.annotation()["scanResultDetails"]["labels"]]

    def test_a_clean_video_is_not_annotated(self, scene):
        """An annotation costs as much as a tag: what is clean gets none, so a million clean videos stay below ten dollars."""
        facts = scene.put(key="clean.mp4")
        scene.final(facts, key="clean.mp4", state=State.CLEAN)

        scene.deliver()

        assert [] == scene.s3.called("put_object_annotation")

    @pytest.mark.parametrize(
        ("code", "status"), [("empty", "UNSUPPORTED"), ("forbidden", "ACCESS_DENIED"), ("result-lost", "FAILED")]
    )
    def test_failures(self, scene, code, status):
        """What was not analysed says why, in GuardDuty's words."""
        facts = scene.put()
        scene.final(facts, state=State.FAILED, problem=Problem(code, "?"))

        scene.deliver()

        assert status == scene.tags()[TAG]
        assert [code] == scene.events_put()[0][1]["scanResultDetails"]["statusReasons"]

    def test_nothing_that_is_off(self, world):
        """What is not asked for is not done: with events alone no object is touched."""
        scene = Scene(world, settings=PublishSettings(publish_events=True, tag_objects=False, annotate_objects=False))
        facts = scene.put()
        scene.final(facts)
        before = len(scene.s3.calls)

        scene.deliver()

        assert (before, 1) == (len(scene.s3.calls), len(scene.events_put()))

    @pytest.mark.parametrize("key", ['=1+1,"<script>"\n\u202e.mp4', "%41 é/😀.mp4", "a\x01\r\x7f.mp4", "x" * 1_024])
    def test_any_key(self, scene, key):
        """A hostile key comes out as it went in."""
        facts = scene.put(key=key)
        scene.final(facts, key=key)

        scene.deliver()

        assert (key, "FLAGS_FOUND") == (scene.events_put()[0][1]["s3ObjectDetails"]["objectKey"], scene.tags(key=key)[TAG])

    def test_superseded(self, scene):
        """A content that was replaced has no consequences."""
        facts = scene.put()
        record = scene.final(facts)
        scene.table.records.supersede(record.video.id, SCAN)

        scene.deliver()

        assert ([], {}, []) == (scene.events_put(), scene.tags(), list(scene.table.outbox.due()))

    def test_restored(self, scene):
        """Once it is there again, it has them after all."""
        facts = scene.put()
        record = scene.final(facts)
        scene.table.records.supersede(record.video.id, SCAN)
        scene.deliver()

        scene.table.records.restore(scene.table.records.record(record.video.id, SCAN))
        scene.deliver()

        assert "FLAGS_FOUND" == scene.tags()[TAG]


class TestOrder:
    def test_a_decision_outranks(self, scene):
        """A false alarm changes tag, annotation and event; whoever decided is not in them."""
        facts = scene.put()
        record = scene.final(facts)
        scene.deliver()

        scene.table.decisions.note_decisions([decision(record, Judgement.FALSE_ALARM, scene.clock.now() + 5)])
        scene.deliver()

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG]
        found = scene.events_put()[-1][1]
        assert found == scene.annotation()
        assert ("false-alarm", False) == (found["decision"]["judgement"], "Ada" in json.dumps(found))

    @pytest.mark.parametrize("state", [State.FLAGGED, State.FAILED])
    def test_a_decision_in_an_older_scan(self, scene, state):
        """A decision counts for the content, in whichever scan it was made, and whatever later scans found."""
        facts = scene.put()
        problem = Problem("result-lost", "?") if state is State.FAILED else None
        record = scene.final(facts, state=state, problem=problem)
        scene.clock.time += 60
        scene.final(facts, scan_id=OTHER_SCAN, state=State.CLEAN)
        scene.deliver()

        scene.table.decisions.note_decisions([decision(record, Judgement.CONFIRMED, scene.clock.now() + 5)])
        scene.deliver()

        assert "FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]

    @pytest.mark.parametrize("bucket", BOTH)
    def test_a_decision_is_withdrawn(self, scene, bucket):
        """The machine's verdict holds again: tag, annotation and event say it, and the event comes after that of the decision."""
        facts = scene.put(bucket)
        record = scene.final(facts, bucket)
        scene.table.decisions.note_decisions([decision(record, Judgement.FALSE_ALARM, scene.clock.now() + 5)])
        scene.deliver()

        scene.table.decisions.note_decisions([decision(record, Judgement.WITHDRAWN, scene.clock.now() + 6)])
        scene.deliver()

        assert "FLAGS_FOUND" == scene.tags(bucket)[TAG]
        before, after = (detail for _, detail in scene.events_put()[-2:])
        assert after == scene.annotation(bucket)
        assert ("FLAGS_FOUND", "withdrawn") == (after["scanResultDetails"]["scanResultStatus"], after["decision"]["judgement"])
        assert before["decision"]["decidedAt"] < after["decision"]["decidedAt"]

    def test_withdrawn_in_an_older_scan(self, scene):
        """The verdict that holds again is that of the latest scan, in whichever scan the decision was made."""
        facts = scene.put()
        record = scene.final(facts)
        scene.clock.time += 60
        scene.final(facts, scan_id=OTHER_SCAN, state=State.CLEAN)
        scene.table.decisions.note_decisions([decision(record, Judgement.CONFIRMED, scene.clock.now() + 5)])
        scene.deliver()

        scene.table.decisions.note_decisions([decision(record, Judgement.WITHDRAWN, scene.clock.now() + 6)])
        scene.deliver()

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]
        last = max((detail for _, detail in scene.events_put()), key=_order)
        assert (OTHER_SCAN, "NO_FLAGS_FOUND") == (last["scanId"], last["scanResultDetails"]["scanResultStatus"])

    def test_a_verdict_after_a_withdrawal(self, scene):
        """A later scan's verdict is written as if nothing had ever been decided."""
        facts = scene.put()
        record = scene.final(facts)
        for at, judgement in enumerate((Judgement.CONFIRMED, Judgement.WITHDRAWN)):
            scene.table.decisions.note_decisions([decision(record, judgement, scene.clock.now() + at)])
        scene.deliver()
        scene.clock.time += 60

        scene.final(facts, scan_id=OTHER_SCAN, state=State.CLEAN)
        scene.deliver()

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]

    def test_judged_anew(self, scene):
        """Another policy's verdict replaces the first one, on the annotation of a video that is clean by now, too."""
        facts = scene.put()
        record = scene.final(facts)
        scene.deliver()
        scene.clock.time += 60

        scene.table.records.judge_again(record, replace(record, state=State.CLEAN, policy_hash="p2", counted=()))
        scene.deliver()

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]
        first, second = (detail["verdictTime"] for _, detail in scene.events_put())
        assert first < second

    def test_a_newer_verdict_while_tagging(self, scene):
        """A verdict that comes while an older one is written is written after it, whoever is faster."""
        facts = scene.put()
        record = scene.final(facts)
        [due] = scene.table.outbox.due()

        def overtake():
            scene.table.records.judge_again(record, replace(record, state=State.CLEAN, policy_hash="p2", counted=()))
            # Another invocation carries it out, and is done before this one has written its tag.
            scene.deliver()

        before_the_tag(scene, overtake)

        scene.deliver([due])

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG]

    def test_an_old_message(self, scene):
        """A message whose verdict is outdated writes the one that counts."""
        facts = scene.put()
        record = scene.final(facts)
        [old] = scene.table.outbox.due()
        scene.table.records.judge_again(record, replace(record, state=State.CLEAN, policy_hash="p2", counted=()))
        scene.deliver()

        scene.deliver([old])

        assert ("NO_FLAGS_FOUND", []) == (scene.tags()[TAG], list(scene.table.outbox.due()))

    @pytest.mark.parametrize("first", [SCAN, OTHER_SCAN])
    def test_two_scans(self, scene, first):
        """Of two scans of one content the later verdict is on the object, in whatever order they are carried out."""
        facts = scene.put()
        scene.final(facts, state=State.CLEAN)
        scene.clock.time += 60
        scene.final(facts, scan_id=OTHER_SCAN)
        dues = sorted(scene.table.outbox.due(), key=lambda due: due.scan_id != first)

        for due in dues:
            scene.deliver([due])
        scene.clock.time += 61
        scene.deliver()

        assert ("FLAGS_FOUND", []) == (scene.tags()[TAG], list(scene.table.outbox.due()))
        assert 2 == len(scene.events_put())

    def test_an_older_scan_that_is_slow(self, scene):
        """A newer verdict has what is still under way about its content begin anew: whoever is at that may not have read of it."""
        facts = scene.put()
        scene.final(facts, state=State.CLEAN)
        [old] = scene.table.outbox.due()

        def overtake():
            scene.clock.time += 60
            scene.final(facts, scan_id=OTHER_SCAN)
            # Another invocation carries out all that is due, and writes its tag before this one does.
            scene.deliver([due for due in scene.table.outbox.due() if due.scan_id == OTHER_SCAN])
            assert "FLAGS_FOUND" == scene.tags()[TAG]

        before_the_tag(scene, overtake)

        scene.deliver([old])

        assert ("FLAGS_FOUND", []) == (scene.tags()[TAG], list(scene.table.outbox.due()))
        assert {SCAN, OTHER_SCAN} == {detail["scanId"] for _, detail in scene.events_put()}

    def test_an_older_scan_that_comes_back(self, scene):
        """What was read before a newer verdict, and is written after all was carried out, is put right."""
        facts = scene.put()
        scene.final(facts, state=State.CLEAN)
        [old] = scene.table.outbox.due()

        def overtake():
            scene.deliver([old])
            scene.clock.time += 60
            scene.final(facts, scan_id=OTHER_SCAN)
            scene.deliver()
            assert [] == list(scene.table.outbox.due())

        before_the_tag(scene, overtake)

        scene.deliver([old])

        assert "FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]

    @pytest.mark.parametrize("seconds", [-3_600, 0, 3_600])
    def test_clocks_differ(self, scene, seconds):
        """What was read before a decision does not outlast it, however wrong the clock of whoever decided is."""
        facts = scene.put()
        record = scene.final(facts)
        scene.deliver()
        scene.clock.time += 60
        scene.final(facts, scan_id=OTHER_SCAN)
        [old] = scene.table.outbox.due()

        def overtake():
            scene.clock.time += seconds
            scene.table.decisions.note_decisions([decision(record, Judgement.FALSE_ALARM, scene.clock.now())])
            scene.clock.time -= seconds
            # Another invocation carries out the decision, while this one has not written its tag.
            scene.deliver([due for due in scene.table.outbox.due() if due.scan_id == SCAN])

        before_the_tag(scene, overtake)

        scene.deliver([old])
        scene.clock.time += 61
        scene.deliver()

        assert "NO_FLAGS_FOUND" == scene.tags()[TAG] == scene.annotation()["scanResultDetails"]["scanResultStatus"]
        assert [] == list(scene.table.outbox.due())

    def test_all_scans_of_an_object(self, scene):
        """Items of several scans of one content are all carried out at once, each with one event."""
        facts = scene.put()
        for number in range(3):
            scene.clock.time += 60
            scene.final(facts, scan_id=f"{SCAN[:-1]}{number}", state=State.CLEAN if number == 1 else State.FLAGGED)

        scene.deliver()

        assert ("FLAGS_FOUND", []) == (scene.tags()[TAG], list(scene.table.outbox.due()))
        assert 3 == len(scene.events_put())

    def test_a_failure_is_no_verdict(self, scene):
        """A later scan that failed does not take a flag away."""
        facts = scene.put()
        scene.final(facts)
        scene.clock.time += 60
        scene.final(facts, scan_id=OTHER_SCAN, state=State.FAILED, problem=Problem("result-lost", "?"))

        scene.deliver()

        assert "FLAGS_FOUND" == scene.tags()[TAG]

    def test_two_names(self, scene):
        """The same version in a manifest with versions and in one without is one content."""
        facts = scene.put()
        scene.final(facts)
        scene.clock.time -= 60
        scene.final(facts, scan_id=OTHER_SCAN, state=State.CLEAN, video=Video(VERSIONED, "a.mp4", facts.version_id))

        for due in sorted(scene.table.outbox.due(), key=lambda due: due.scan_id):
            scene.deliver([due])

        assert "FLAGS_FOUND" == scene.tags()[TAG]


def before_the_tag(scene, act):
    """Let something happen once, just before the next tag is written."""
    marks = scene.flow._marks

    def tag(*arguments):
        object.__setattr__(scene.flow, "_marks", marks)
        act()
        marks.tag(*arguments)

    object.__setattr__(scene.flow, "_marks", _Marks(tag, marks))


class _Marks:
    """Marks whose tagging is replaced."""

    def __init__(self, tag, marks):
        self.tag, self.annotate = tag, marks.annotate


class TestReplaced:
    def test_version(self, scene):
        """With versions the one that was analysed is tagged, and the newer one is not."""
        facts = scene.put()
        scene.final(facts)
        newer = scene.put(body=b"another")

        scene.deliver()

        assert ("FLAGS_FOUND", {}) == (scene.tags(VersionId=facts.version_id)[TAG], scene.tags(VersionId=newer.version_id))
        assert None is scene.annotation(VersionId=newer.version_id)

    def test_before(self, scene):
        """Without versions another content is neither tagged nor annotated, and an event says so."""
        facts = scene.put(PLAIN)
        scene.final(facts, PLAIN)
        scene.put(PLAIN, body=b"another")

        scene.deliver()

        assert ({}, None) == (scene.tags(PLAIN), scene.annotation(PLAIN))
        assert [("TAG", ["changed"]), ("ANNOTATION", ["changed"])] == [
            (detail["action"], detail["statusReasons"]) for kind, detail in scene.events_put() if kind == REFUSED
        ]

    @pytest.mark.parametrize("state", [State.FLAGGED, State.CLEAN])
    def test_meanwhile(self, scene, state):
        """A tag that got onto another content is taken off, and that of others stays."""
        facts = scene.put(PLAIN)
        scene.final(facts, PLAIN, state=state)
        head, looks = scene.s3._client.head_object, []

        def replaced(**named):
            answer = head(**named)
            if not looks:
                scene.put(PLAIN, body=b"another")
                scene.s3._client.put_object_tagging(Bucket=PLAIN, Key="a.mp4", Tagging={"TagSet": [{"Key": "team", "Value": "x"}]})
            looks.append(named)
            return answer

        scene.flow._marks._client = _Heads(scene.s3, replaced)

        scene.deliver()

        assert {"team": "x"} == scene.tags(PLAIN)

    def test_again_and_again(self, scene):
        """A content that is put while another one's tag is corrected does not keep that tag."""
        contents = [scene.put(PLAIN, body=f"content {number}".encode()) for number in range(3)]
        scene.final(contents[0], PLAIN)
        [due] = scene.table.outbox.due()
        scene.final(contents[1], PLAIN, scan_id=OTHER_SCAN, state=State.CLEAN)
        scene.put(PLAIN, body=b"content 1")
        wrong = [{"Key": TAG, "Value": "FLAGS_FOUND"}]
        scene.s3._client.put_object_tagging(Bucket=PLAIN, Key="a.mp4", Tagging={"TagSet": wrong})
        read = scene.flow._marks._tags

        def replaced(named):
            tags = read(named)
            if not replaced.done:
                replaced.done = True
                scene.put(PLAIN, body=b"content 2")
            return tags

        replaced.done = False
        scene.flow._marks._tags = replaced

        scene.deliver([due])

        assert {} == scene.tags(PLAIN)

    def test_the_other_contents_own_tag_stays(self, scene):
        """A content that has its own verdict keeps its tag, by whatever name the table knows it."""
        old = scene.put(PLAIN)
        scene.final(old, PLAIN)
        [due] = scene.table.outbox.due()
        new = scene.put(PLAIN, body=b"another")
        upload = Video(PLAIN, "a.mp4", None, new.etag)
        scene.final(new, PLAIN, scan_id=OTHER_SCAN, state=State.CLEAN, video=upload)
        scene.deliver([each for each in scene.table.outbox.due() if each.scan_id == OTHER_SCAN])

        scene.deliver([due])

        assert {TAG: "NO_FLAGS_FOUND"} == scene.tags(PLAIN)

    def test_gone(self, scene):
        """An object that is gone is said to be, once."""
        facts = scene.put(PLAIN, key="gone.mp4")
        scene.final(facts, PLAIN, key="gone.mp4")
        scene.s3.delete_object(Bucket=PLAIN, Key="gone.mp4")

        scene.deliver()

        assert ["NoSuchKey"] == scene.events_put()[0][1]["statusReasons"]
        assert [] == list(scene.table.outbox.due())


class _Heads:
    """A client whose HEAD is replaced."""

    def __init__(self, client, head_object):
        self._client, self.head_object = client, head_object

    def __getattr__(self, name):
        """Return any other operation."""
        return getattr(self._client, name)


class TestAnotherWriter:
    """Another program writes tags between two requests of ours."""

    @pytest.mark.parametrize(("bucket", "state"), [(PLAIN, State.FLAGGED), (VERSIONED, State.FLAGGED), (VERSIONED, State.CLEAN)])
    @pytest.mark.parametrize("times", [1, WRITES - 1])
    def test_it_replaces_ours(self, scene, bucket, state, times):
        """A tag that is gone when tags are read again is written again, beside those of the other program."""
        scene.final(scene.put(bucket), bucket, state=state)
        scene.flow._marks._client = _OtherWriter(scene.s3, times)

        scene.deliver()

        assert {"team": "x", TAG: "FLAGS_FOUND" if state is State.FLAGGED else "NO_FLAGS_FOUND"} == scene.tags(bucket)
        assert [] == list(scene.table.outbox.due())

    def test_again_and_again(self, scene):
        """If it goes on, ours is written a minute later; the event is put once."""
        scene.final(scene.put())
        scene.flow._marks._client = _OtherWriter(scene.s3, WRITES)

        scene.deliver()
        [waiting] = scene.table.outbox.due()
        scene.clock.time += 61
        scene.deliver()

        assert (1, {"team": "x", TAG: "FLAGS_FOUND"}) == (waiting.tries, scene.tags())
        assert ([RESULT], []) == ([kind for kind, _ in scene.events_put()], list(scene.table.outbox.due()))


class _OtherWriter:
    """A client behind which another program replaces the tags of an object right after they were written."""

    def __init__(self, client, times):
        self._client, self._times = client, times

    def __getattr__(self, name):
        """Return any other operation."""
        return getattr(self._client, name)

    def put_object_tagging(self, **parameters):
        """Write tags, which the other program replaces."""
        answer = self._client.put_object_tagging(**parameters)
        if self._times:
            self._times -= 1
            self._client.put_object_tagging(**parameters | {"Tagging": {"TagSet": [{"Key": "team", "Value": "x"}]}})
        return answer


class TestRefusals:
    def test_full(self, scene):
        """With ten tags of others there is no room: an event says so, and all ten stay."""
        facts = scene.put()
        ten = [{"Key": f"k{number}", "Value": "v"} for number in range(10)]
        scene.s3.put_object_tagging(Bucket=VERSIONED, Key="a.mp4", Tagging={"TagSet": ten})
        scene.final(facts)

        scene.deliver()

        [failed] = [detail for kind, detail in scene.events_put() if kind == REFUSED]
        assert ("TAG", ["tags-full"], 10) == (failed["action"], failed["statusReasons"], len(scene.tags()))
        assert [] == list(scene.table.outbox.due())

    def test_denied(self, scene):
        """A tag that is refused for good is said to be, and not tried again; the verdict's own event comes all the same."""
        facts = scene.put()
        scene.final(facts)
        scene.s3.fail("put_object_tagging", client_error("AccessDenied", 403))

        scene.deliver()

        assert {REFUSED, RESULT} == {kind for kind, _ in scene.events_put()}
        assert [] == list(scene.table.outbox.due())

    @pytest.mark.parametrize("error", [client_error("SlowDown", 503), client_error("InternalError", 500), time_out()])
    @pytest.mark.parametrize("operation", ["get_object_tagging", "put_object_tagging", "put_object_annotation"])
    def test_it_passes(self, scene, operation, error):
        """What may pass by itself is done a minute later; the event is put once."""
        facts = scene.put()
        scene.final(facts)
        scene.s3.fail(operation, error)

        assert [] == scene.deliver()
        assert 1 == len(list(scene.table.outbox.due()))
        scene.deliver()
        scene.clock.time += 61
        scene.deliver()

        assert ("FLAGS_FOUND", [RESULT]) == (scene.tags()[TAG], [kind for kind, _ in scene.events_put()])
        assert scene.annotation() is not None
        assert [] == list(scene.table.outbox.due())

    def test_the_bus_refuses(self, scene):
        """An event that EventBridge does not take is put later."""
        facts = scene.put()
        scene.final(facts)
        scene.events.fail("put_events", client_error("ThrottlingException"))

        scene.deliver()
        scene.clock.time += 61
        scene.deliver()

        # The first call was refused.
        assert (2, []) == (len(scene.events_put()), list(scene.table.outbox.due()))

    def test_waits_grow(self, scene):
        """What goes on failing is tried ever more rarely, once an hour at least."""
        waits = [Due("a" * 32, SCAN, "t", tries).wait_seconds for tries in range(12)]

        assert [60, 120, 240, 480, 960, 1_920, *[3_600] * 6] == waits

    def test_our_own_fault(self, scene):
        """An error of our own brings the message back, so that it becomes a dead letter, and the item is put off."""
        facts = scene.put()
        scene.final(facts)
        scene.s3.fail("get_object_tagging", KeyError("ETag"))

        back = scene.deliver()

        assert 1 == len(back)
        [item] = scene.table.outbox.due()
        assert (1, False) == (item.tries, item.is_due(scene.clock.now()))

    def test_content_unknown(self, scene):
        """An object that could not be described may have become another: it is not tagged."""
        scene.put(PLAIN)
        scene.final(None, PLAIN, state=State.FAILED, problem=Problem("forbidden", "?"))

        scene.deliver()

        assert {} == scene.tags(PLAIN)
        assert ["content-unknown"] == scene.events_put()[0][1]["statusReasons"]

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"video_id":"","scan_id":"x","token":"t","tries":0}', '{"scan_id": 5}'])
    def test_foreign(self, scene, body):
        """A message that is none of ours is dropped."""
        event = {"Records": [{"messageId": "1", "body": body}]}

        assert {"batchItemFailures": []} == scene.flow.respond(event, deadline=scene.clock.now() + 300)

    def test_out_of_time(self, scene):
        """What does not fit into an invocation comes back."""
        scene.final(scene.put())
        body = outbox.body(next(scene.table.outbox.due()))

        back = scene.flow.respond({"Records": [{"messageId": "1", "body": body}]}, deadline=scene.clock.now() + 1)

        assert ([{"itemIdentifier": "1"}], []) == (back["batchItemFailures"], scene.events_put())

    @pytest.mark.parametrize(("seconds", "is_done"), [(60.0, True), (59.999, False)])
    def test_the_last_moment(self, scene, seconds, is_done):
        """A message is begun up to a minute before the end of an invocation."""
        scene.final(scene.put())
        body = outbox.body(next(scene.table.outbox.due()))

        scene.flow.respond({"Records": [{"messageId": "1", "body": body}]}, deadline=scene.clock.now() + seconds)

        assert is_done is (list(scene.table.outbox.due()) == [])

    @pytest.mark.parametrize(("newer", "is_put_off"), [(ROUNDS - 2, False), (ROUNDS - 1, True)])
    def test_newer_verdicts(self, scene, caplog, newer, is_put_off):
        """Verdicts that come while one is carried out follow it at once, up to five in all; their own message is still to come."""
        record, tag, policies = scene.final(scene.put()), scene.flow._marks.tag, iter(range(newer))

        def overtaken(*arguments):
            tag(*arguments)
            if (number := next(policies, None)) is not None:
                found = scene.table.records.record(record.video.id, SCAN)
                state = State.FLAGGED if number % 2 else State.CLEAN
                scene.table.records.judge_again(found, replace(found, state=state, policy_hash=f"again {number}"))

        object.__setattr__(scene.flow, "_marks", _Marks(overtaken, scene.flow._marks))

        assert [] == scene.deliver()

        assert newer + 1 == len(scene.events_put())
        assert is_put_off is ("consequences put off" in caplog.messages)
        assert [(0, True)] == [(due.tries, due.is_due(scene.clock.now())) for due in scene.table.outbox.due()]

    def test_logged(self, scene, caplog):
        """What is put off is logged with AWS's code and how often that was so, and what fails for good as an alarm."""
        scene.final(scene.put())
        scene.events.fail("put_events", client_error("ThrottlingException"))
        scene.deliver()
        scene.clock.time += 61
        scene.events.fail("put_events", client_error("ValidationException"))
        scene.deliver()

        found = [(entry.levelname, entry.message, entry.reason) for entry in caplog.records if hasattr(entry, "reason")]
        assert [
            ("WARNING", "consequences put off", "ThrottlingException"),
            ("ERROR", "consequences not carried out", "ValidationException"),
        ] == found
        assert [1] == [entry.tries for entry in caplog.records if entry.message == "consequences put off"]


class TestScans:
    def test_closed(self, scene):
        """A scan that is closed becomes an event with its counts."""
        scene.table.scans.put_scan(Scan(SCAN, VERSIONED))
        scene.final(scene.put())
        scene.table.scans.close_scan(scene.table.scans.scan(SCAN))

        scene.deliver()

        [detail] = [detail for kind, detail in scene.events_put() if kind == CLOSED]
        assert (SCAN, "CLOSED", 1) == (detail["scanId"], detail["scanStatus"], detail["objects"]["flagged"])

    def test_opened_again(self, scene):
        """A scan that a retry has opened again has no such event."""
        scene.table.scans.put_scan(Scan(SCAN, VERSIONED))
        scene.table.scans.close_scan(scene.table.scans.scan(SCAN))
        scene.table.scans.add_job(SCAN, "job", retry=True)

        scene.deliver()

        assert ScanStatus.OPEN is scene.table.scans.scan(SCAN).status
        assert ([], []) == (scene.events_put(), list(scene.table.outbox.due()))


class TestSweep:
    def messages(self, scene):
        """Receive every message."""
        found = []
        while more := scene.sqs.receive_message(QueueUrl=scene.url, MaxNumberOfMessages=10).get("Messages"):
            found += more
        return found

    def test_what_is_due(self, scene):
        """A message goes out for each item that is due, and it is what the function takes."""
        for number in range(12):
            scene.final(ObjectFacts("abc", 3, None), key=f"{number}.mp4")
        [first, *others] = scene.table.outbox.due()
        scene.table.outbox.postpone(first, at=scene.clock.now(), event_sent=True)

        scene.sweeper.run(None, scene.clock.now() + 10)

        found = {message["Body"] for message in self.messages(scene)}
        assert {outbox.body(each) for each in others} == found
        assert {each.token for each in others} == {outbox.parse(body).token for body in found}

    def test_enough(self, scene, monkeypatch):
        """While the function does not get on, no more messages are sent: two days without it do not fill the queue."""
        scene.final(ObjectFacts("abc", 3, None))
        monkeypatch.setattr(scene.sqs._client, "get_queue_attributes", lambda **_: {"Attributes": dict.fromkeys(
            ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"),
            str(ENOUGH // 3 + 1),
        )})  # fmt: skip

        scene.sweeper.run(None, scene.clock.now() + 10)

        assert [] == scene.sqs.called("send_message_batch")

    def test_not_too_many(self, scene, monkeypatch):
        """One sweep sends a limited number, so that the next one is not late."""
        dues = [Due(f"{number:032x}", SCAN, "t") for number in range(MOST_A_MINUTE + 500)]
        monkeypatch.setattr(type(scene.table.outbox), "due", lambda _self, _shard: iter(dues))
        sent = []
        monkeypatch.setattr(type(scene.sweeper._queue), "send_all", lambda _self, some: sent.extend(some))

        scene.sweeper.run(None, scene.clock.now() + 10)

        assert dues[:MOST_A_MINUTE] == sent


class TestCost:
    @pytest.mark.parametrize(("bucket", "dollars"), [(PLAIN, "9.87"), (VERSIONED, "9.42")])
    def test_a_million_clean_videos(self, world, bucket, dollars):
        """Events and tags of a million clean videos cost less than ten dollars, as the calls of one are counted."""
        scene = Scene(world, settings=PublishSettings(publish_events=True, tag_objects=True, annotate_objects=False))
        facts = scene.put(bucket, key="cost.mp4")
        scene.final(facts, bucket, key="cost.mp4", state=State.CLEAN)
        before = [len(client.calls) for client in (scene.s3, scene.events, scene.dynamodb)]
        dues = list(scene.table.outbox.due())
        swept = len(scene.dynamodb.calls) - before[2]

        scene.deliver(dues)

        clients = (scene.s3, scene.events, scene.dynamodb)
        s3, events, table = ([name for name, _ in client.calls[first:]] for client, first in zip(clients, before, strict=True))
        table = table[swept:]
        puts, gets = s3.count("put_object_tagging"), len(s3) - s3.count("put_object_tagging")
        calls = len(s3) + len(events) + len(table)
        # The item is put in a transaction, which takes two write units. Ten messages go into one request and one invocation.
        prices = {name: float(price.dollars) for name, price in TABLE.items()}
        cost = (
            puts * 1_000 * prices["s3_thousand_puts"]
            + gets * 1_000 * prices["s3_thousand_gets"]
            + len(events) * 1.00
            + (2 + table.count("delete_item")) * prices["dynamodb_million_writes"]
            + table.count("query") * prices["dynamodb_million_reads"]
            + 0.3 * prices["sqs_million_requests"]
            + 0.1 * prices["lambda_million_requests"]
            + calls * 0.015 * 0.25 * 1e6 * prices["lambda_gb_second"]
        )
        assert (dollars, True) == (f"{cost:.2f}", cost < 10)
        # Reading again what says clean, without versions: one GET and one call more, which the docs say is too much.
        more = cost + 1_000 * prices["s3_thousand_gets"] + 0.015 * 0.25 * 1e6 * prices["lambda_gb_second"]
        assert bucket == VERSIONED or f"${more:.2f}" in PAGE
