"""Pages of GetContentModeration."""

import json
from pathlib import Path

import pytest

from handlers.domain import analysis
from handlers.domain.analysis import Hit, JobFacts, JobStatus

EVENT = Path(__file__).parents[2] / "events" / "get_content_moderation.json"


def hits_of(*labels, timestamp=0):
    """Return the hits of a page with these labels."""
    items = [{"Timestamp": timestamp, "ModerationLabel": label} for label in labels]
    return analysis.page({"JobStatus": "SUCCEEDED", "ModerationLabels": items}).hits


def test_page_as_aws_sends_it():
    """Every label of the sample page is a hit, the job's facts are whole, and a token leads to the next page (seed's defect 4)."""
    page = analysis.page(json.loads(EVENT.read_text()))

    assert page.hits == (
        Hit(1000, "Violence", "", 1, 99.24476623535156),
        Hit(1000, "Graphic Violence", "Violence", 2, 99.24476623535156),
        Hit(1500, "Weapon Violence", "Graphic Violence", 3, 64.0103988647461),
    )
    assert page.facts == JobFacts(
        status=JobStatus.SUCCEEDED,
        message="",
        bucket="amzn-s3-demo-bucket",
        key="folder/my video.mp4",
        version_id="1",
        duration_ms=8800,
        model_version="7.0",
    )
    assert page.next_token == "bW9yZSB0byBjb21lCg=="


def test_failed_job():
    """A failed job says so, with Rekognition's message and no hits (seed's defect 5)."""
    page = analysis.page({"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."})

    assert page.facts == JobFacts(JobStatus.FAILED, "Unsupported codec/format.", "", "", None, None, None)
    assert (page.hits, page.next_token) == ((), None)


@pytest.mark.parametrize("response", [{}, {"JobStatus": None}, {"JobStatus": "DONE"}])
def test_unknown_status(response):
    """Nothing is concluded from an answer without a known status: least of all that the video is clean."""
    with pytest.raises(ValueError, match="JobStatus"):
        analysis.page(response)


@pytest.mark.parametrize("parent", [{}, {"ParentName": ""}, {"ParentName": None}])
def test_no_parent(parent):
    """A parent that is absent or empty is "" either way."""
    (hit,) = hits_of({"Name": "Violence", "Confidence": 80.0} | parent)

    assert hit.parent == ""


@pytest.mark.parametrize(("name", "level"), [("Weapon Violence", 3), ("weapons", 2), ("Violence", 1), ("New In Model 8", 0)])
def test_no_level(name, level):
    """Where Rekognition gives no level, the taxonomy does."""
    (hit,) = hits_of({"Name": name, "Confidence": 80.0})

    assert hit.level == level


def test_level_of_rekognition_comes_first():
    """A newer model may place a label elsewhere than our taxonomy."""
    (hit,) = hits_of({"Name": "Weapon Violence", "TaxonomyLevel": 2, "Confidence": 80.0})

    assert hit.level == 2


def test_rows_without_a_label():
    """What names no label is not a hit."""
    items = [{"Timestamp": 0}, {"Timestamp": 0, "ModerationLabel": None}, {"Timestamp": 0, "ModerationLabel": {"Confidence": 9.0}}]

    page = analysis.page({"JobStatus": "SUCCEEDED", "ModerationLabels": items})

    assert page.hits == ()


def test_confidence_is_a_float():
    """A round number in the JSON is a float too."""
    (hit,) = hits_of({"Name": "Violence", "Confidence": 100})

    assert isinstance(hit.confidence, float)


@pytest.mark.parametrize("response", [{"ModerationLabels": None}, {"NextToken": ""}, {"Video": None}, {"VideoMetadata": None}])
def test_empty_fields(response):
    """An empty field is as good as an absent one."""
    page = analysis.page({"JobStatus": "IN_PROGRESS"} | response)

    assert page == analysis.page({"JobStatus": "IN_PROGRESS"})


def test_what_is_left_out_counts_as_nothing():
    """A hit without a time is at the beginning, one without a confidence is the least sure: neither is invented."""
    page = analysis.page({"JobStatus": "SUCCEEDED", "ModerationLabels": [{"ModerationLabel": {"Name": "Violence"}}]})

    assert [(0, 0.0)] == [(hit.timestamp_ms, hit.confidence) for hit in page.hits]
