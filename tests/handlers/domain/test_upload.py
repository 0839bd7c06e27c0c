"""The messages of the queue of uploads."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import identity, upload
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record
from handlers.domain.states import State
from handlers.domain.upload import Refused, Retry, Source, Upload

SAMPLE = (Path(__file__).parents[2] / "events" / "eventbridge_object_created.json").read_text()
BUCKET = "amzn-s3-demo-bucket"
SCAN = "01JDEM00000000000000000001"
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda key: len(key.encode()) <= 1024)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def changed(**fields):
    """Return AWS's sample with other fields of the object."""
    event = json.loads(SAMPLE)
    event["detail"]["object"] |= fields
    return json.dumps(event)


class TestEvents:
    def test_the_sample_of_aws(self):
        """AWS's own sample is read: key, version, etag, size and time."""
        found = upload.parse(SAMPLE)

        assert found == Upload(
            "amzn-s3-demo-bucket1",
            "example-key",
            "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
            "b1946ac92492d2347c6235b4d2611184",
            5,
            1_636_675_200.0,
            Source.EVENT,
        )

    @pytest.mark.parametrize(
        "key", ["a+b.mp4", "a b.mp4", "100%.mp4", "%2B.mp4", "a,\"\n'<script>.mp4", "\U0001f600.mp4", "x" * 1024]
    )
    def test_keys_are_not_encoded(self, key):
        """EventBridge does not encode keys, so they are taken as they are."""
        assert key == upload.parse(changed(key=key)).key

    @pytest.mark.parametrize("version", [None, "", "null"])
    def test_no_version(self, version):
        """The version null names no content: the next upload replaces it."""
        assert upload.parse(changed(**{"version-id": version})).version_id is None

    def test_an_etag_in_quotes(self):
        """Quotes do not belong to an etag."""
        assert upload.parse(changed(etag='"abc-2"')).etag == "abc-2"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("detail-type", "Object Deleted"),
            ("source", "aws.ec2"),
            ("time", "yesterday"),
            ("time", None),
            ("time", "9999-12-31T23:59:59.999999-23:59"),
            ("detail", []),
            ("detail", {"bucket": {"name": "b" * 3}}),
        ],
    )
    def test_other_events(self, field, value):
        """What is no event of an upload is refused with a reason."""
        found = upload.parse(json.dumps({**json.loads(SAMPLE), field: value}))

        assert isinstance(found, Refused)
        assert found.reason

    @pytest.mark.parametrize(
        "fields", [{"key": ""}, {"key": 1}, {"key": "x" * 1025}, {"key": "\ud800"}, {"size": -1}, {"size": "5"}, {"size": True}]
    )
    def test_impossible_objects(self, fields):
        """An object that S3 cannot have is refused."""
        assert isinstance(upload.parse(changed(**fields)), Refused)

    @given(json_values)
    def test_anything(self, value):
        """No message raises."""
        for body in (
            json.dumps(value),
            str(value),
            json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": value}),
        ):
            assert isinstance(upload.parse(body), Refused)


class TestOurOwn:
    @given(keys, st.none() | st.just("v1"), st.none() | st.just("e-2"), st.integers(0, 2**40), st.integers(0, 4 * 10**9))
    def test_comparison(self, key, version, etag, size, at):
        """What the comparison sends is read as it was sent, in ASCII."""
        found = Upload(BUCKET, key, version, etag, size, float(at), Source.COMPARISON)
        body = upload.compared_body(found)

        assert body.isascii()
        assert found == upload.parse(body)

    @given(keys, st.none() | st.just("v1"), st.none() | st.just("e-2"), st.integers(1, identity.MAX_ATTEMPT))
    def test_retry(self, key, version, etag, attempt):
        """A retry names the video as its record does, so that its id is the same."""
        record = Record(Video(BUCKET, key, version, etag), SCAN, State.FAILED)

        found = upload.parse(upload.retry_body(record, attempt))

        assert found == Retry(record.video, SCAN, attempt)
        assert record.video.id == found.video.id

    @pytest.mark.parametrize(
        "fields", [{"attempt": 0}, {"attempt": 100}, {"attempt": True}, {"scan_id": "x"}, {"etag": 1}, {"key": ""}]
    )
    def test_damaged_retries(self, fields):
        """A retry without a valid scan, attempt or object is refused."""
        body = json.loads(upload.retry_body(Record(Video(BUCKET, "a.mp4"), SCAN, State.FAILED), 1))

        assert isinstance(upload.parse(json.dumps(body | fields)), Refused)


class TestIdentity:
    uploaded = Upload(BUCKET, "a.mp4", None, "from-event", 5, 0.0)

    def test_without_versions(self):
        """Without versions the etag of our own look tells contents apart, whatever the event says."""
        found = self.uploaded.identified(ObjectFacts("looked-at", 5, None))

        assert Video(BUCKET, "a.mp4", None, "looked-at") == found

    def test_suspended_versions(self):
        """While versions are suspended an upload has the version null, which the next one replaces."""
        assert Video(BUCKET, "a.mp4", None, "e") == self.uploaded.identified(ObjectFacts("e", 5, "null"))

    def test_with_versions(self):
        """A version is a content; the etag is no part of its identity."""
        found = replace(self.uploaded, version_id="v1").identified(ObjectFacts("e", 5, "v1"))

        assert Video(BUCKET, "a.mp4", "v1") == found

    def test_found_by_the_comparison(self):
        """A listing names no version, but our look at the object finds it."""
        assert Video(BUCKET, "a.mp4", "v2") == self.uploaded.identified(ObjectFacts("e", 5, "v2"))

    def test_not_looked_at(self):
        """If the object could not be looked at, the event's etag is all there is."""
        assert Video(BUCKET, "a.mp4", None, "from-event") == self.uploaded.identified(None)

    def test_replaced(self):
        """A content without a version is gone once the object has another etag; a version stays."""
        facts = ObjectFacts("other", 5, None)

        assert upload.replaced(Video(BUCKET, "a.mp4", None, "mine"), facts).code == "superseded"
        assert upload.replaced(Video(BUCKET, "a.mp4", None, "other"), facts) is None
        assert upload.replaced(Video(BUCKET, "a.mp4", "v1"), facts) is None


class TestVideoIds:
    def test_it_never_changes(self):
        """The ids of a manifest's video and of an upload are stored, so they are what they were."""
        ids = [Video(BUCKET, "a.mp4").id, Video(BUCKET, "a.mp4", None, "e").id]

        assert ids == [
            "d8b9f8d87069f2fb37cd7e75e93ebc02",
            hashlib.sha256(f'["{BUCKET}","a.mp4",null,"e"]'.encode()).hexdigest()[:32],
        ]

    @given(keys, keys)
    def test_each_content_is_another_video(self, first, second):
        """Each etag makes another video, and none is that of the manifest."""
        ids = {Video(BUCKET, "a.mp4", None, etag).id for etag in (first, second, None)}

        assert len(ids) == (3 if first != second else 2)

    def test_as_a_manifest_names_it(self):
        """Without its etag an upload is the object that a manifest names."""
        assert Video(BUCKET, "a.mp4") == Video(BUCKET, "a.mp4", None, "e").in_manifest
