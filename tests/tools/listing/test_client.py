"""Through botocore over HTTP: odd keys, a store that is busy, half answers, names with dots, refreshed credentials."""

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError
from botocore.session import get_session

from tools.lib.aws.clients import Clients
from tools.lib.errors import ToolError
from tools.lib.listing import ListedObject, Selection, list_batches
from tools.lib.listing.client import ListingClient

BUCKET = "amzn-s3-demo.bucket"
SLOW_DOWN = (503, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
ODD = [
    *(".", "..", "/a", "a//b", "a/", "a/./b", "a/../b", "line\nfeed", "\x01", "100%", "%41", "a+b c", "a*b", "~", "(1)"),
    *("é", "e\u0301", "🎬", "<script>", "&amp;", "'\"", "k" * 1024),
]


def listed(clients, **chosen):
    """List the bucket to its end."""
    selection = Selection(**{"bucket": BUCKET, "suffixes": (), **chosen})
    return [found for batch in list_batches(clients, selection, versioned=False, workers=4) for found in batch]


@pytest.fixture
def client(served, clients):
    """A client that does not wait."""
    return ListingClient(clients, BUCKET, connections=2, versioned=False, sleep=lambda _: None)


def test_any_key_comes_out_as_it_is(served, clients):
    """Every key that S3 takes, also those with which object_store refuses a whole listing, and each once."""
    served.objects = dict.fromkeys(ODD, (1, "STANDARD"))
    served.page_size = 3

    found = listed(clients)

    assert [one.key for one in found] == sorted(ODD)


def test_a_restored_copy_is_seen(served, clients):
    """The listing is asked for restored copies, and says which archived objects can be read."""
    served.objects = {"a": (1, "GLACIER"), "b": (1, "GLACIER")}
    served.restored = {"b"}

    found = listed(clients)

    assert [(one.key, one.restored) for one in found] == [("a", False), ("b", True)]
    assert served.headers[0]["x-amz-optional-object-attributes"] == "RestoreStatus"


def test_a_bucket_with_dots_and_a_prefix(served, clients):
    """The bucket is named in the path, for a certificate covers no dots; the prefix is asked of the server."""
    served.objects = dict.fromkeys(("a b/1", "a b/2", "c"), (1, "STANDARD"))

    found = listed(clients, prefixes=("a b/",))

    assert [one.key for one in found] == ["a b/1", "a b/2"]
    assert {path for path, _ in served.asked} == {f"/{BUCKET}"}
    assert found[0] == ListedObject("a b/1", 1, None, "STANDARD", f"{5:032x}", found[0].modified)


class Impatient(Clients):
    """Clients whose SDK does not try again by itself."""

    def lister(self, connections):
        """Return a client of few attempts."""
        return self._session.client("s3", config=Config(retries={"total_max_attempts": 1}, max_pool_connections=connections))


def test_slow_down_is_waited_for(served, no_aws):
    """When the SDK has given up the page is asked for again, at growing intervals; nothing is lost."""
    served.objects = {"a": (1, "STANDARD")}
    served.faults = [SLOW_DOWN] * 3
    waits = []
    clients = Impatient(boto3.Session("fixture", "fixture", region_name="us-east-1"))

    page = ListingClient(clients, BUCKET, connections=1, versioned=False, sleep=waits.append).page("", "", None)

    assert [one.key for one in page.batch] == ["a"]
    assert [low <= wait <= 2 * low for low, wait in zip((0.5, 1, 2), waits, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    "fault",
    [
        (200, b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>x</Message></Error>'),
        (200, b"<ListBucketResult><Conte"),
    ],
    ids=["error-with-status-200", "half-a-page"],
)
def test_a_bad_page_with_a_good_status(served, client, fault):
    """An error in an answer 200, or half a page, is asked for again: never taken for the end of the bucket."""
    served.objects = {"a": (1, "STANDARD")}
    served.faults = [fault]

    page = client.page("", "", None)

    assert [one.key for one in page.batch] == ["a"]
    assert len(served.asked) == 2


def test_a_refusal_is_not_repeated(served, clients):
    """Without permission there is nothing to wait for, and the error is botocore's, which the tools explain."""
    served.faults = [(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")]

    with pytest.raises(ClientError, match="AccessDenied"):
        listed(clients)

    assert len(served.asked) == 1


def test_something_else_than_s3(served, clients):
    """A page of another kind ends with a sentence and a cure."""
    served.faults = [(200, b"<Hello/></ListBucketResult>")]

    with pytest.raises(ToolError, match="cannot be read") as caught:
        listed(clients)

    assert "AWS_ENDPOINT_URL" in caught.value.cure


def test_expired_credentials_are_refreshed(served, no_aws):
    """A listing outlives its credentials: botocore fetches new ones, and later pages are signed with those."""
    made = iter(range(100))

    def refresh():
        return {
            "access_key": f"KEY{next(made)}",
            "secret_key": "fixture",
            "token": "fixture",
            "expiry_time": "2020-01-01T00:00:00Z" if next(made) < 3 else "2099-01-01T00:00:00Z",
        }

    session = get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "fixture")
    served.objects = {f"{number}": (1, "STANDARD") for number in range(6)}
    served.page_size = 2

    found = listed(Clients(boto3.Session(botocore_session=session, region_name="eu-central-1")))

    assert len(found) == 6
    keys = {headers["Authorization"].partition("Credential=")[2].partition("/")[0] for headers in served.headers}
    assert "KEY0" not in keys


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_requests_are_signed_for_the_region(served, no_aws, region):
    """The signature names the Region of the session, in every partition."""
    served.objects = {"a": (1, "STANDARD")}

    listed(Clients(boto3.Session("fixture", "fixture", region_name=region)))

    assert f"/{region}/s3/aws4_request" in served.headers[0]["Authorization"]
