"""Watched buckets: which uploads are scanned, and the scan of a day."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import identity, watch
from handlers.domain.engine import Engine
from handlers.domain.watch import DEFAULT_SUFFIXES, SUFFIXES_WITH_IMAGES, Watch

BUCKET = "amzn-s3-demo-bucket"
DAY_SECONDS = 86_400
texts = st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8))
watches = st.builds(
    Watch,
    st.text(min_size=3, max_size=20),
    texts,
    texts | st.just(SUFFIXES_WITH_IMAGES),
    st.none() | st.integers(1, 10**6),
    st.sampled_from(Engine),
    st.integers(1_000, 60_000),
)
times = st.floats(0, 4e9)


class TestTakes:
    @pytest.mark.parametrize(
        ("key", "taken"),
        [
            ("a.mp4", True),
            ("A.MP4", True),
            ("a.MoV", True),
            ("a.m4v", True),
            ("a.mkv", False),
            ("mp4", False),
            ("a.mp4/", False),
            ("a+b c%20,\n\U0001f600.mp4", True),
        ],
    )
    def test_suffixes(self, key, taken):
        """Without more, the suffixes of videos that Rekognition can take are scanned, in whatever case."""
        assert taken is Watch(BUCKET).takes(key)

    @pytest.mark.parametrize(("key", "taken"), [("in/a.mp4", True), ("up/a.mp4", True), ("IN/a.mp4", False), ("x/in/a.mp4", False)])
    def test_prefixes(self, key, taken):
        """Any of the prefixes will do, in their own case, which S3 tells apart."""
        assert taken is Watch(BUCKET, prefixes=("in/", "up/")).takes(key)

    def test_a_suffix_of_ones_own(self):
        """A suffix of the user's replaces the default ones, in whatever case it is written."""
        own = Watch(BUCKET, suffixes=(".MKV",))

        assert [True, True, False] == [own.takes(key) for key in ("a.mkv", "a.MKV", "a.mp4")]


class TestText:
    @given(st.lists(watches, min_size=1, max_size=4, unique_by=lambda each: each.bucket))
    def test_round_trip(self, several):
        """A text of watches is read as it was written."""
        known = {each.bucket: each for each in several}

        assert known == watch.parse(watch.text(known))

    def test_twenty_buckets(self):
        """The watches of twenty buckets with the longest names fit into what a function's environment has left for them."""
        many = {name: Watch(name) for name in (f"{number:063}" for number in range(20))}

        assert len(watch.text(many)) < 1_676

    def test_compact(self):
        """The many suffixes of images take one word, and what is as in any watch takes none."""
        by_frames = Watch(BUCKET, suffixes=SUFFIXES_WITH_IMAGES, engine=Engine.FRAMES)

        assert f'[{{"bucket":"{BUCKET}","engine":"frames","images":true}}]' == watch.text({BUCKET: by_frames})

    def test_explicit_suffixes(self):
        """Suffixes of the user's are read as they are beside the word, too."""
        assert (".png",) == watch.parse(f'[{{"bucket": "{BUCKET}", "images": true, "suffixes": [".png"]}}]')[BUCKET].suffixes

    def test_of_before_frames(self):
        """A text of before there were engines means the video API, and no images."""
        (read,) = watch.parse(f'[{{"bucket": "{BUCKET}", "max_minutes_per_day": 60}}]').values()

        assert (Engine.VIDEO, DEFAULT_SUFFIXES, 60) == (read.engine, read.suffixes, read.max_minutes_per_day)

    def test_none(self):
        """No text means that nothing is watched."""
        assert {} == watch.parse("")

    def test_defaults(self):
        """A watch needs to name its bucket only, so that an older deployment's text is read."""
        assert {BUCKET: Watch(BUCKET)} == watch.parse(f'[{{"bucket": "{BUCKET}"}}]')

    @pytest.mark.parametrize(
        "text",
        [
            "x",
            "{}",
            "[]",
            "[1]",
            '[{"prefixes": []}]',
            '[{"bucket": ""}]',
            '[{"bucket": "b", "prefixes": "in/"}]',
            '[{"bucket": "b", "suffixes": [1]}]',
            '[{"bucket": "b", "max_minutes_per_day": 0}]',
            '[{"bucket": "b", "max_minutes_per_day": true}]',
            '[{"bucket": "b", "max_minutes_per_day": "60"}]',
            '[{"bucket": "b", "engine": "eyes"}]',
            '[{"bucket": "b", "engine": 1}]',
            '[{"bucket": "b", "engine": "frames", "interval_ms": 999}]',
            '[{"bucket": "b", "engine": "frames", "interval_ms": true}]',
        ],
    )
    def test_damaged(self, text):
        """Any other text is refused, instead of watching too little in silence."""
        with pytest.raises(ValueError, match=r"watch|bucket|list|number|Engine"):
            watch.parse(text)


class TestLimit:
    @pytest.mark.parametrize(("milliseconds", "used_up"), [(0, False), (3_599_999, False), (3_600_000, True), (10**9, True)])
    def test_minutes(self, milliseconds, used_up):
        """A limit of 60 minutes is reached with the last millisecond of the hour."""
        assert used_up is Watch(BUCKET, max_minutes_per_day=60).is_used_up(milliseconds)

    def test_without(self):
        """A watch without a limit has none."""
        assert not Watch(BUCKET).is_used_up(10**15)


class TestDay:
    @given(times)
    def test_a_time_lies_in_its_day(self, at):
        """Every time lies in exactly one UTC day of 24 hours."""
        day = watch.day_of(at)

        assert watch.begin_of(day) <= at < watch.end_of(day)
        assert DAY_SECONDS == watch.end_of(day) - watch.begin_of(day)

    @given(times)
    def test_the_scan_of_a_day(self, at):
        """The scan's id is a ULID of its day, the same whenever on the day it is asked for."""
        day = watch.day_of(at)
        scan_id = watch.scan_id(BUCKET, day)

        assert identity.is_scan_id(scan_id)
        assert day == watch.day_of_scan(scan_id)
        assert scan_id == watch.scan_id(BUCKET, watch.day_of(watch.end_of(day) - 0.001))

    def test_each_day_and_bucket_has_its_own(self):
        """Another day or bucket has another scan."""
        names = [(bucket, day) for bucket in (BUCKET, BUCKET + "2") for day in ("2026-11-29", "2026-11-30", "2027-11-29")]

        assert len(names) == len({watch.scan_id(*name) for name in names})

    def test_it_never_changes(self):
        """The id of a day's scan is stored, so it is what it was."""
        assert watch.scan_id("amzn-s3-demo-bucket", "2026-11-29") == "01M8J9KY005E1GNT1PE9QPAXYJ"


@pytest.mark.parametrize(("size", "milliseconds"), [(0, 0), (1_000_000, 32_000), (10**9, 21_600_000), (10**15, 21_600_000)])
def test_assumed_length(size, milliseconds):
    """Where the header does not say, the length is that of its bytes at 250 kbit/s, six hours at most."""
    assert milliseconds == watch.assumed_ms(size)
