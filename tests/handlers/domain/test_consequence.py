"""Which status an object has, whose verdict counts, and the events about both."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import consequence, consequence_event, reasons
from handlers.domain.consequence import MAX_TAGS, TAG_KEY, ObjectStatus
from handlers.domain.consequence_event import MAX_DETAIL_BYTES, PostScanAction
from handlers.domain.decision import Decision, Judgement
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record, Scan, Totals
from handlers.domain.states import ScanStatus, State
from tests.handlers.doubles import OTHER_SCAN, SCAN, waiting
from tools.emulator.services.events import parse

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
PAGE = (Path(__file__).parents[3] / "docs" / "consequences.md").read_text("utf-8")
LABEL = LabelSummary("Weapons", "Violence", 2, 97.31, 1_500, 4_000, counts_from=80.0)


def final(state=State.FLAGGED, code=None, **fields):
    """Return a record in a final state."""
    record = replace(waiting("films/a.mp4"), facts=ObjectFacts("abc", 3, None), state=state, finished_at=1_700_000_000.0)
    if state is State.FLAGGED:
        record = replace(record, labels=(LABEL,), counted=("Weapons",))
    return replace(record, problem=None if code is None else Problem(code, "?"), **fields)


def decided(record, judgement, at=1_700_000_100.0, **fields):
    """Return a decision about a record's content."""
    made = Decision(
        video=record.video, etag="abc", scan_id=SCAN, attempt=0, judgement=judgement, note="seen", decided_by="Ada", decided_at=at
    )
    return replace(made, **fields)


class TestStatus:
    @pytest.mark.parametrize(
        ("record", "status"),
        [
            (final(), "FLAGS_FOUND"),
            (final(State.CLEAN), "NO_FLAGS_FOUND"),
            (final(State.FAILED, reasons.EMPTY), "UNSUPPORTED"),
            (final(State.FAILED, reasons.NOT_A_VIDEO), "UNSUPPORTED"),
            (final(State.FAILED, reasons.FORBIDDEN), "ACCESS_DENIED"),
            (final(State.FAILED, "InvalidS3ObjectException"), "ACCESS_DENIED"),
            (final(State.FAILED, reasons.RESULT_LOST), "FAILED"),
            (final(State.FAILED, reasons.ANALYSIS_FAILED), "FAILED"),
            (final(State.FAILED, reasons.MISSING), None),
            (final(State.FAILED, reasons.CHANGED), None),
            (final(State.FAILED, reasons.SUPERSEDED), None),
            (final(State.CANCELLED), None),
            (final(State.RUNNING), None),
            (final(superseded_at=5.0), None),
        ],
    )
    def test_machine(self, record, status):
        """A verdict or a failure is one of GuardDuty's five; without an object there is none."""
        assert status == consequence.status_of(record)

    @pytest.mark.parametrize("record", [final(), final(State.CLEAN), final(State.FAILED, reasons.CODEC)])
    @pytest.mark.parametrize(
        ("judgement", "status"), [(Judgement.CONFIRMED, "FLAGS_FOUND"), (Judgement.FALSE_ALARM, "NO_FLAGS_FOUND")]
    )
    def test_people(self, record, judgement, status):
        """What a person decides outranks the machine."""
        assert status == consequence.status_of(record, decided(record, judgement))

    @pytest.mark.parametrize("record", [final(), final(State.CLEAN), final(State.FAILED, reasons.CODEC)])
    def test_withdrawn(self, record):
        """Once a decision was withdrawn, the machine's verdict is the status again."""
        assert consequence.status_of(record) == consequence.status_of(record, decided(record, Judgement.WITHDRAWN))

    @given(st.sampled_from(State), st.sampled_from([None, *reasons.REASONS]))
    def test_every_record(self, state, code):
        """What is clean by its tag was found clean: no failure and nothing unfinished ever says so."""
        status = consequence.status_of(final(state, code if state is State.FAILED else None))

        assert (status is ObjectStatus.NO_FLAGS_FOUND) == (state is State.CLEAN)


class TestOrder:
    @pytest.mark.parametrize(
        ("other", "prevails"),
        [
            (final(State.CLEAN, finished_at=1_700_000_001.0), False),
            (final(State.CLEAN, finished_at=1_600_000_000.0), True),
            (final(State.CLEAN, finished_at=1_600_000_000.0, judged_at=1_700_000_001.0), False),
            (final(State.FAILED, reasons.RESULT_LOST, finished_at=1_800_000_000.0), True),
            (final(State.CLEAN, finished_at=1_800_000_000.0, superseded_at=1.0), True),
            (final(State.CLEAN, finished_at=1_800_000_000.0, facts=ObjectFacts("other", 3, None)), True),
            (final(State.CLEAN, finished_at=1_800_000_000.0, facts=None), True),
        ],
    )
    def test_two_scans(self, other, prevails):
        """The later verdict of the same content counts, and a failure never more than a verdict."""
        assert prevails is consequence.prevails(final(), [replace(other, scan_id=OTHER_SCAN)])

    @given(st.lists(st.integers(0, 3), min_size=2, max_size=4))
    def test_one_prevails(self, times):
        """Of any number of records of one content exactly one prevails."""
        records = [final(finished_at=float(at), scan_id=f"{SCAN[:-1]}{number}") for number, at in enumerate(times)]

        assert 1 == sum(consequence.prevails(each, records) for each in records)

    @given(st.lists(st.integers(0, 3), min_size=2, max_size=4), st.sampled_from([None, *Judgement]))
    def test_one_is_restored(self, times, judgement):
        """By whichever record a withdrawal is carried out, what holds again is the verdict that prevails without decisions."""
        records = [final(finished_at=float(at), scan_id=f"{SCAN[:-1]}{number}") for number, at in enumerate(times)]
        decision = None if judgement is None else decided(records[0], judgement)
        [prevailing] = [each for each in records if consequence.prevails(each, records)]

        restored = [consequence.restored(each, records, decision) for each in records]

        is_withdrawn = judgement is Judgement.WITHDRAWN
        assert [prevailing if is_withdrawn and each is not prevailing else None for each in records] == restored
        if is_withdrawn:
            assert [prevailing] == [each for each in records if consequence.prevails(each, records, decision)]

    @pytest.mark.parametrize(("versions", "rivals"), [(("v1", "v1"), True), (("v1", "v2"), False), (("v1", None), True)])
    def test_versions(self, versions, rivals):
        """Two versions with the same bytes are two contents; where one is not known they are one."""
        first, second = (final(facts=ObjectFacts("abc", 3, version)) for version in versions)
        later = replace(second, scan_id=OTHER_SCAN, finished_at=1_800_000_000.0)

        assert rivals is not consequence.prevails(first, [later])

    def test_latest_decision(self):
        """The latest decision about the content counts, by whatever name of the object it was made."""
        record = final(facts=ObjectFacts("abc", 3, "v1"))
        named = replace(record.video, version_id="v1")
        latest = decided(record, Judgement.FALSE_ALARM, at=9e9, video=named)

        found = consequence.decision_about(
            record,
            [
                decided(record, Judgement.CONFIRMED),
                latest,
                decided(record, Judgement.CONFIRMED, at=9.1e9, etag="other"),
                decided(record, Judgement.CONFIRMED, at=9.2e9, video=replace(named, version_id="v2")),
            ],
        )

        assert latest == found


class TestAnotherContent:
    """What the table knows of a content that has replaced the one that was analysed."""

    @pytest.mark.parametrize("etag", ["abc", "def"])
    def test_by_its_etag(self, etag):
        """The latest verdict on that content counts; one on another says nothing of it."""
        records = [final(), final(State.CLEAN, finished_at=1_700_000_001.0)]

        assert ("NO_FLAGS_FOUND" if etag == "abc" else None) == consequence.status_of_content(etag, records, [])

    def test_never_read(self):
        """An upload that could not be read is known by the etag of its event."""
        record = final(State.FAILED, reasons.FORBIDDEN)
        unread = replace(record, video=replace(record.video, etag="abc"), facts=None)

        assert "ACCESS_DENIED" == consequence.status_of_content("abc", [unread], [])

    @pytest.mark.parametrize("turn", [1, -1])
    def test_latest_decision(self, turn):
        """Of decisions by several names of an object the latest counts, however they are found."""
        record = final()
        decisions = [decided(record, Judgement.CONFIRMED), decided(record, Judgement.FALSE_ALARM, at=1_700_000_200.0)]

        assert "NO_FLAGS_FOUND" == consequence.status_of_content("abc", [record], decisions[::turn])


class TestTags:
    @given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=12), st.sampled_from(ObjectStatus))
    def test_merged(self, tags, status):
        """All other tags stay, and ours is there, unless that makes more than ten."""
        merged = consequence.merged(tags, status)

        assert (merged is None) == (len({*tags, TAG_KEY}) > MAX_TAGS)
        assert merged is None or {**tags, TAG_KEY: status} == merged


def schema(name):
    """Return the validator of a schema in the docs."""
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")))


class TestEvents:
    @pytest.mark.parametrize(
        "record",
        [
            final(),
            final(State.CLEAN),
            final(State.FAILED, "SlowDown", facts=None),
            final(State.FAILED, reasons.CODEC),
        ],
    )
    @pytest.mark.parametrize("judgement", [None, Judgement.CONFIRMED])
    def test_schema(self, record, judgement):
        """Every verdict's event is as the schema in the docs says."""
        decision = None if judgement is None else decided(record, judgement)
        status = consequence.status_of(record, decision)

        schema("object-scan-result").validate(json.loads(consequence_event.result(record, status, decision).detail))

    @pytest.mark.parametrize("action", PostScanAction)
    def test_schema_of_a_failed_action(self, action):
        """So is the event of an action that failed."""
        schema("post-scan-action-failed").validate(json.loads(consequence_event.action_failed(final(), action, "NoSuchKey").detail))

    def test_schema_of_a_closed_scan(self):
        """So is that of a scan."""
        scan = Scan(SCAN, "amzn-s3-demo-bucket", status=ScanStatus.CLOSED, created_at=1.0, closed_at=2.0)
        totals = Totals({State.FAILED: 2, State.CLEAN: 3}, {}, {"missing": 2})

        schema("scan-closed").validate(json.loads(consequence_event.scan_closed(scan, totals).detail))

    def test_the_page_shows_a_true_event(self):
        """The example in the docs is what a record with its values becomes."""
        shown = json.loads(PAGE.split("```json\n")[1].split("```")[0])
        record = final(
            facts=ObjectFacts("9b2cf535f27731c974343645a3985328", 3, None),
            finished_at=1_795_953_600.0,
            model_version="7.0",
            policy_hash="0123456789abcdef",
            duration_ms=60_000,
        )

        assert shown == json.loads(consequence_event.result(record, ObjectStatus.FLAGS_FOUND, None).detail)

    def test_bounded(self):
        """However many labels count, and whatever the key holds, an event fits; what is left out is counted."""
        labels = tuple(replace(LABEL, name=f"{number}{'é' * 400}") for number in range(2_000))
        record = final(labels=labels, counted=tuple(label.name for label in labels))
        record = replace(record, video=replace(record.video, key="\x01" * 1_024))

        text = consequence_event.result(record, ObjectStatus.FLAGS_FOUND, None).detail

        details = json.loads(text)["scanResultDetails"]
        assert len(text.encode()) <= MAX_DETAIL_BYTES
        assert (2_000, labels[0].name) == (len(details["labels"]) + details["labelsOmitted"], details["labels"][0]["name"])

    def test_confidence_never_contradicts(self):
        """A confidence is rounded down, as everywhere."""
        record = final(labels=(replace(LABEL, confidence=99.99),))

        [label] = json.loads(consequence_event.result(record, ObjectStatus.FLAGS_FOUND, None).detail)["scanResultDetails"]["labels"]

        assert 99.9 == label["confidence"]


# Forms in which public rules take GuardDuty's event (Terraform, CDK and CloudFormation in public repositories), with our source,
# detail-type and statuses.
RULES = [
    {},
    {"s3ObjectDetails": {"bucketName": ["amzn-s3-demo-bucket"]}},
    {"s3ObjectDetails": {"bucketName": ["amzn-s3-demo-bucket"]}, "scanResultDetails": {"scanResultStatus": ["FLAGS_FOUND"]}},
    {"scanStatus": ["COMPLETED"], "resourceType": ["S3_OBJECT"], "s3ObjectDetails": {"bucketName": [{"prefix": "amzn-s3-demo"}]}},
    {"scanResultDetails": {"scanResultStatus": [{"anything-but": ["NO_FLAGS_FOUND"]}]}},
    {"scanResultDetails": {"scanResultStatus": ["FLAGS_FOUND", "UNSUPPORTED", "ACCESS_DENIED", "FAILED"]}},
    {"s3ObjectDetails": {"bucketName": ["amzn-s3-demo-bucket"], "objectKey": [{"prefix": "films/"}]}},
    {"s3ObjectDetails": {"s3Throttled": [False]}, "schemaVersion": ["1.0"]},
]


class TestRules:
    def matches(self, detail_pattern, event, **pattern):
        """Tell whether a rule takes an event, as EventBridge delivers it."""
        rule = {"source": ["video-moderation"], "detail-type": ["Video Moderation Object Scan Result"], "detail": detail_pattern}
        delivered = {
            "version": "0",
            "source": consequence_event.SOURCE,
            "detail-type": event.detail_type,
            "detail": json.loads(event.detail),
        }
        written = {name: value for name, value in {**rule, **pattern}.items() if value != {}}
        return parse(json.dumps(written)).matches(json.dumps(delivered))

    @pytest.mark.parametrize("rule", RULES)
    def test_guard_duty(self, rule):
        """A rule for GuardDuty's event takes ours once its source, detail-type and statuses are replaced."""
        assert self.matches(rule, consequence_event.result(final(), ObjectStatus.FLAGS_FOUND, None))

    @pytest.mark.parametrize("rule", RULES[2:6])
    def test_guard_duty_clean(self, rule):
        """A rule for threats, or for one bucket's, leaves out what it is to leave out."""
        clean = replace(final(State.CLEAN), video=replace(final().video, bucket="another-bucket"))

        assert not self.matches(rule, consequence_event.result(clean, ObjectStatus.NO_FLAGS_FOUND, None))

    def test_rules_of_the_page(self):
        """Each rule in the docs takes its event and no other."""
        rules = [json.loads(block.split("```")[0]) for block in PAGE.split("```json\n")[2:]]
        scan = Scan(SCAN, "amzn-s3-demo-bucket", status=ScanStatus.CLOSED)
        events = [
            consequence_event.result(final(), ObjectStatus.FLAGS_FOUND, None),
            consequence_event.action_failed(final(), PostScanAction.TAG, "NoSuchKey"),
            consequence_event.scan_closed(scan, Totals()),
        ]

        taken = [[self.matches(rule.get("detail", {}), event, **rule) for event in events] for rule in rules]

        assert [[True, False, False], [False, True, False], [False, False, True]] == taken


def test_a_record_is_read_as_before():
    """A record that another policy never judged has the time of its analysis."""
    record = final()

    assert isinstance(record, Record)
    assert (record.finished_at, 5.0) == (consequence.verdict_time(record), consequence.verdict_time(replace(record, judged_at=5.0)))
