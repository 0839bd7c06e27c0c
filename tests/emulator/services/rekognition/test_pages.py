"""GetContentModeration: rows and their order, pages and tokens."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.emulator.core import UnsupportedError
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.pages import PageTokens
from tools.emulator.services.rekognition.parameters import get_request

MANY = b"600;" + b";".join(b"Smoking=%d@%d" % (60 + n % 40, 500 * n) for n in range(900))


@pytest.fixture
def many(bench):
    """Return a world with a finished job of 2,700 rows, and the job's id."""
    world = bench(gets_per_second=10_000)
    world.objects.put("video.mp4", MANY)
    return world, world.finished()


def pages(world, job_id, **parameters):
    """Yield all pages of a job."""
    token = {}
    while True:
        page = world.get(job_id, **parameters, **token)
        yield page
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def rows(world, job_id, **parameters):
    """Return the rows of all pages of a job."""
    return [row for page in pages(world, job_id, **parameters) for row in page["ModerationLabels"]]


def test_parents_are_reported_with_their_child(bench):
    """A level 3 label comes with its parents, at the same time and confidence; level 1 has the parent ""."""
    world = bench()
    world.objects.put("video.mp4", b"3;Blood & Gore=91.5@1000")

    found = world.get(world.finished())["ModerationLabels"]

    assert [(row["Timestamp"], row["ContentTypes"]) for row in found] == [(1_000, [])] * 3
    assert [row["ModerationLabel"] for row in found] == [
        {"Confidence": 91.5, "Name": "Blood & Gore", "ParentName": "Graphic Violence", "TaxonomyLevel": 3},
        {"Confidence": 91.5, "Name": "Graphic Violence", "ParentName": "Violence", "TaxonomyLevel": 2},
        {"Confidence": 91.5, "Name": "Violence", "ParentName": "", "TaxonomyLevel": 1},
    ]


@pytest.mark.parametrize(
    ("floor", "times"), [({}, [500, 1000]), ({"MinConfidence": 80}, [1000]), ({"MinConfidence": 0}, [0, 500, 1000])]
)
def test_the_minimum_confidence_is_applied(bench, floor, times):
    """Labels below MinConfidence are not reported; the default is 50."""
    world = bench()
    world.objects.put("video.mp4", b"3;Gambling=49.9@0;Gambling=50@500;Gambling=80@1000")

    found = world.get(world.finished(**floor))["ModerationLabels"]

    assert [row["Timestamp"] for row in found] == times


def test_every_page_describes_the_job(many):
    """Each page has metadata, model version, video and the requested order."""
    world, job_id = many

    found = [
        {name: value for name, value in page.items() if name not in ("ModerationLabels", "NextToken")}
        for page in pages(world, job_id)
    ]

    assert len(found) == 3
    assert (
        found
        == [
            {
                "JobId": job_id,
                "JobStatus": "SUCCEEDED",
                "Video": {"S3Object": {"Bucket": "amzn-s3-demo-bucket", "Name": "video.mp4"}},
                "VideoMetadata": {
                    "Codec": "h264",
                    "DurationMillis": 600_000,
                    "Format": "QuickTime / MOV",
                    "FrameRate": 25.0,
                    "FrameHeight": 96,
                    "FrameWidth": 128,
                    "ColorRange": "LIMITED",
                },
                "ModerationModelVersion": "7.0",
                "GetRequestMetadata": {"SortBy": "TIMESTAMP", "AggregateBy": "TIMESTAMPS"},
            }
        ]
        * 3
    )


def test_a_page_never_holds_more_than_a_thousand(many):
    """MaxResults above 1,000 counts as 1,000."""
    world, job_id = many

    assert [len(page["ModerationLabels"]) for page in pages(world, job_id, MaxResults=5_000)] == [1_000, 1_000, 700]


def test_by_name_the_most_confident_first(many):
    """SortBy NAME groups by label; within a label confidence falls."""
    world, job_id = many

    found = [row["ModerationLabel"] for row in rows(world, job_id, SortBy="NAME")]

    names = [name for name, _ in itertools.groupby(found, lambda label: label["Name"])]
    assert names == ["Drugs & Tobacco", "Drugs & Tobacco Paraphernalia & Use", "Smoking"]
    assert all(a["Confidence"] >= b["Confidence"] for a, b in itertools.pairwise(found) if a["Name"] == b["Name"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # the maker keeps nothing
@given(count=st.integers(0, 40), size=st.integers(1, 50), sort_by=st.sampled_from(["TIMESTAMP", "NAME"]))
def test_pages_of_any_size_hold_each_row_once(bench, count, size, sort_by):
    """With any page size, all pages together are the whole result in order."""
    world = bench(gets_per_second=10_000)
    world.objects.put("video.mp4", b";".join([b"60", *(b"Corpses=%d@%d" % (50 + n, 500 * n) for n in range(count))]))
    job_id = world.finished()

    paged = rows(world, job_id, MaxResults=size, SortBy=sort_by)

    assert paged == rows(world, job_id, SortBy=sort_by)
    assert len(paged) == 3 * count


@pytest.mark.parametrize(
    "change",
    [
        {"SortBy": "NAME"},
        {"JobId": "other"},
        {"NextToken": "AAAA"},
        {"NextToken": "not base64!"},
        {"NextToken": ""},
        {"NextToken": "ü"},
    ],
    ids=str,
)
def test_a_token_is_good_only_where_it_was_given(many, change):
    """A token for another order or job, or an invented one, is InvalidPaginationTokenException."""
    world, job_id = many
    other = world.finished()
    token = world.get(job_id)["NextToken"]
    asked = {"JobId": job_id, "NextToken": token} | {name: other if value == "other" else value for name, value in change.items()}

    with pytest.raises(RekognitionError) as refused:
        world.moderation.get(asked)

    assert refused.value.code == "InvalidPaginationTokenException"


@given(st.text(max_size=255))
def test_no_text_is_a_token_by_chance(text):
    """Any text that was not issued as a token is refused with AWS's code and causes no crash."""
    request = get_request({"JobId": "j", "NextToken": text})

    with pytest.raises(RekognitionError, match="InvalidPaginationToken"):
        PageTokens().offset(request, now=0.0)


def test_a_token_is_good_for_a_day(many):
    """A token is valid until a second before 24 hours have passed."""
    world, job_id = many
    token = world.get(job_id)["NextToken"]

    world.clock.advance(86_399)
    page = world.get(job_id, NextToken=token)
    world.clock.advance(1)

    assert len(page["ModerationLabels"]) == 1_000
    with pytest.raises(RekognitionError, match="InvalidPaginationToken"):
        world.get(job_id, NextToken=token)


def test_tokens_are_short_enough_for_the_api(many):
    """Tokens fit into the 255 characters of the API model."""
    world, job_id = many

    assert len(world.get(job_id)["NextToken"]) <= 255


@pytest.mark.parametrize(
    "change", [{"MaxResults": 0}, {"SortBy": "SIZE"}, {"AggregateBy": "HOURS"}, {"JobId": "a b"}, {"NextToken": "x" * 256}], ids=str
)
def test_values_outside_the_model_are_invalid(many, change):
    """A value that AWS's API model does not allow is InvalidParameterException."""
    world, job_id = many

    with pytest.raises(RekognitionError, match="InvalidParameterException"):
        world.moderation.get({"JobId": job_id} | change)


def test_segments_are_refused_by_name(many):
    """The refusal of SEGMENTS names it."""
    world, job_id = many

    with pytest.raises(UnsupportedError, match="AggregateBy=SEGMENTS"):
        world.get(job_id, AggregateBy="SEGMENTS")


def test_gets_beyond_the_rate_are_throttled(bench):
    """A call above the rate is refused; a second later it passes."""
    world = bench(gets_per_second=2)
    job_id = world.finished()
    world.get(job_id)
    world.get(job_id)

    with pytest.raises(RekognitionError, match="ProvisionedThroughputExceeded"):
        world.get(job_id)
    world.clock.advance(1)

    assert world.get(job_id)["JobStatus"] == "SUCCEEDED"
