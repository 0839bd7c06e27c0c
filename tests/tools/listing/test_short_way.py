"""The short way to a page: what botocore would send, and whatever is not a page is asked for again by botocore's way."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from tools.lib.aws.clients import Clients
from tools.lib.listing.client import ListingClient
from tools.lib.listing.pages import Marker
from tools.lib.listing.short_way import ShortWay

BUCKET = "amzn-s3-demo.bucket"
OF_ONE_REQUEST = {"Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "amz-sdk-request"}
LISTED = {"Bucket": BUCKET, "EncodingType": "url"}


def seen(served):
    """Return what the newest request had to say, but for what belongs to that one request, and what its signature covers."""
    path, query = served.asked[-1]
    headers = {name: value for name, value in served.headers[-1].items() if name not in OF_ONE_REQUEST}
    return path, query, headers, served.headers[-1]["Authorization"].partition(", Signature=")[0]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("list_objects_v2", {"OptionalObjectAttributes": ["RestoreStatus"]}),
        ("list_objects_v2", {"Prefix": "a b/+%&=é", "StartAfter": "🎬 1", "MaxKeys": 1}),
        ("list_objects_v2", {"ContinuationToken": "1/2+3==", "OptionalObjectAttributes": ["RestoreStatus"]}),
        ("list_object_versions", {"KeyMarker": "a b~*", "VersionIdMarker": "v/1", "Prefix": "a"}),
    ],
    ids=["first", "probe", "next", "versions"],
)
def test_the_same_is_sent(served, clients, operation, parameters):
    """Address, parameters, headers and what is signed are those of botocore's way, whatever request was learned from."""
    client = clients.lister(1)
    way = ShortWay(client, {"list_objects_v2": "ListObjectsV2", "list_object_versions": "ListObjectVersions"}[operation])
    ask = getattr(client, operation)
    ask(**LISTED, **parameters)
    long = seen(served)
    ask(**LISTED, Prefix="other", OptionalObjectAttributes=["RestoreStatus"])

    way.ask({**LISTED, **parameters})

    assert len(served.asked) == 3
    assert seen(served) == long


@pytest.fixture
def client(served, clients):
    """A client that has learned the short way, to a bucket of two pages."""
    served.objects = dict.fromkeys("ab", (1, "STANDARD"))
    served.page_size = 1
    found = ListingClient(clients, BUCKET, connections=1, versioned=False, sleep=lambda _: None)
    found.page("", "", None)
    return found


def test_nothing_is_learned_before_a_page_came(served, clients):
    """Without an answer there is nothing to go by: the caller has to ask by botocore's way."""
    assert ShortWay(clients.lister(1), "ListObjectsV2").ask(LISTED) is None
    assert not served.asked


def test_nothing_is_learned_from_a_refusal(served, clients):
    """A request that S3 refused is not a pattern for others: after it too the first page comes by botocore's way."""
    client = clients.lister(1)
    way = ShortWay(client, "ListObjectsV2")
    served.faults = [(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_objects_v2(**LISTED)

    assert way.ask(LISTED) is None
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"),
        (200, b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>x</Message></Error>'),
        (200, b"<ListBucketResult><Conte"),
        (400, b"<Error><Code>ExpiredToken</Code><Message>x</Message></Error>"),
        (500, b"<ListBucketResult></ListBucketResult>"),
    ],
    ids=["busy", "error-with-status-200", "half-a-page", "expired", "page-with-status-500"],
)
def test_what_is_not_a_page_is_asked_for_again(served, client, fault):
    """Once, by botocore's way; nothing is lost, and nothing is taken for the end of the bucket."""
    served.faults = [fault]

    page = client.page("", "", Marker("a"))

    assert [one.key for one in page.batch] == ["b"]
    assert len(served.asked) == 3
    assert ["amz-sdk-request" in headers for headers in served.headers] == [True, False, True]


def test_a_connection_that_breaks_is_no_end(served, client):
    """No answer, and the connection is gone: the page is asked for again."""
    served.breaks = 1

    page = client.page("", "", Marker("a"))

    assert [one.key for one in page.batch] == ["b"]
    assert len(served.asked) == 3


def test_who_is_refused_again_and_again_goes_the_long_way(served, client):
    """Three refusals that botocore does not get are enough: from then on nothing is asked twice."""
    for _ in range(3):
        served.faults = [(400, b"<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>")]
        client.page("", "", Marker("a"))
    before = len(served.asked)

    client.page("", "", Marker("a"))

    assert len(served.asked) == before + 1
    assert "amz-sdk-request" in served.headers[-1]


def test_the_bucket_of_another_region(served, client):
    """A request signed for the wrong Region: botocore finds out the right one, and the short way goes there too."""
    served.region = "eu-central-1"
    served.objects = dict.fromkeys("abc", (1, "STANDARD"))
    client.page("", "", Marker("a"))
    asked = len(served.asked)

    page = client.page("", "", Marker("b"))

    assert [one.key for one in page.batch] == ["c"]
    assert len(served.asked) == asked + 1
    assert "/eu-central-1/s3/" in served.headers[-1]["Authorization"]
    assert "amz-sdk-request" not in served.headers[-1]


def test_who_answers_in_place_of_s3_is_asked(served, client):
    """A hook on botocore's sending, as moto has one, answers the short way too: nothing goes past it to the network."""
    page = SimpleNamespace(status_code=200, content=served.answer("", {"continuation-token": "a"})[1])
    before = len(served.asked)
    client._client.meta.events.register("before-send.s3.ListObjectsV2", lambda **_: page)

    found = client.page("", "", Marker("a"))

    assert [one.key for one in found.batch] == ["b"]
    assert len(served.asked) == before


def test_another_botocore_goes_the_long_way(served, clients, monkeypatch):
    """Where botocore has no such endpoint nothing is different but the time it takes."""
    served.objects = dict.fromkeys("ab", (1, "STANDARD"))
    served.page_size = 1
    lister = clients.lister(1)
    monkeypatch.setattr(Clients, "lister", lambda *_: Renamed(lister))
    client = ListingClient(clients, BUCKET, connections=1, versioned=False, sleep=lambda _: None)

    found = [one.key for marker in (None, Marker("a")) for one in client.page("", "", marker).batch]

    assert found == ["a", "b"]
    assert all("amz-sdk-request" in headers for headers in served.headers)


class Renamed:
    """A client whose endpoint has another name."""

    def __init__(self, client):
        self.meta, self.list_objects_v2 = client.meta, client.list_objects_v2
