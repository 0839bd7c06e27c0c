"""Pages: the quick reader, the XML parser and what was rendered agree."""

from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lib.listing import pages
from tools.lib.listing.pages import Marker

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
plain_keys = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=12)
entries = st.lists(st.tuples(keys, st.integers(0, 2**40), st.sampled_from(["STANDARD", "GLACIER"]), st.booleans()), max_size=6)
RESTORE = (
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-01T00:00:00.000Z</RestoreExpiryDate>"
)
OWNER = "<Owner><ID>0</ID><DisplayName>&lt;Contents&gt;</DisplayName></Owner>"


def objects_page(found, *, swapped=False, encode=quote_plus, encoding="<EncodingType>url</EncodingType>", token=""):
    """Render a page of objects; swapped puts the elements of an entry into another order than S3's."""
    body = ""
    for number, (key, size, storage_class, restored) in enumerate(found):
        parts = [
            f"<Key>{encode(key)}</Key>",
            "<LastModified>2026-11-22T16:30:00.000Z</LastModified>",
            f"<ETag>&quot;{number:x}&quot;</ETag>",
            "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>" if number % 2 else "",
            f"<Size>{size}</Size>",
            OWNER if number % 3 == 1 else "",
            f"<StorageClass>{storage_class}</StorageClass>",
            f"{RESTORE}</RestoreStatus>" if restored else "",
        ]
        body += f"<Contents>{''.join(reversed(parts) if swapped else parts)}</Contents>"
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    head = f"<Name>b</Name><Prefix></Prefix>{encoding}{more or '<IsTruncated>false</IsTruncated>'}"
    return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{body}</ListBucketResult>'.encode()


def expected(found):
    """What a page should come to."""
    return [
        (key, size, storage_class, f"{number:x}", restored) for number, (key, size, storage_class, restored) in enumerate(found)
    ]


def facts(page):
    """What a page came to."""
    return [(one.key, one.size, one.storage_class, one.etag, one.restored) for one in page.batch]


@given(entries, st.booleans())
def test_objects_are_read(found, swapped):
    """Any key, in S3's order of elements (one expression) or another (an XML parser): the same objects."""
    page = pages.objects_page(objects_page(found, swapped=swapped, token="a+/=&amp;"))

    assert facts(page) == expected(found)
    assert (page.first, page.last) == ((found[0][0], found[-1][0]) if found else ("", ""))
    assert (page.entries, page.following) == (len(found), Marker(token="a+/=&"))


@given(st.lists(st.tuples(plain_keys, st.just(1), st.just("STANDARD"), st.just(False)), max_size=4))
def test_a_store_that_does_not_encode(found):
    """Keys that come as they are, because the store ignores encoding-type, are taken as they are."""
    page = pages.objects_page(objects_page(found, encode=lambda key: escape(key, {"\r": "&#13;"}), encoding=""))

    assert [key for key, *_ in facts(page)] == [key for key, *_ in found]
    assert page.following is None


versions = st.lists(st.tuples(keys, st.sampled_from(["null", "v1", "v2"]), st.booleans(), st.booleans()), max_size=6)


def versions_page(found):
    """Render a page of versions and delete markers."""
    body = ""
    for key, version, latest, deleted in found:
        names = f"<Key>{quote_plus(key)}</Key><VersionId>{version}</VersionId><IsLatest>{str(latest).lower()}</IsLatest>"
        moment = "<LastModified>2026-11-22T16:30:00.000Z</LastModified>"
        rest = f"{moment}<ETag>&quot;e&quot;</ETag><Size>7</Size>{OWNER}<StorageClass>STANDARD</StorageClass>"
        body += f"<DeleteMarker>{names}{moment}{OWNER}</DeleteMarker>" if deleted else f"<Version>{names}{rest}</Version>"
    head = (
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        "<NextKeyMarker>a+b</NextKeyMarker><NextVersionIdMarker>v9</NextVersionIdMarker>"
    )
    return f'<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{body}</ListVersionsResult>'.encode()


@given(versions, st.booleans())
def test_versions_are_read(found, all_versions):
    """The latest versions, or all; delete markers are none, but count for where the page begins and ends."""
    page = pages.versions_page(versions_page(found), all_versions=all_versions)

    assert [(one.key, one.version_id) for one in page.batch] == [
        (key, version) for key, version, latest, deleted in found if not deleted and (latest or all_versions)
    ]
    assert (page.first, page.last, page.entries) == (found[0][0] if found else "", found[-1][0] if found else "", len(found))
    assert page.following == Marker(key="a b", version="v9")


@given(versions)
def test_the_first_key_of_a_page(found):
    """What a probe asks for: the first key, whether a version or a delete marker has it."""
    assert pages.first_key(versions_page(found)) == (found[0][0] if found else None)


def test_what_a_store_leaves_out():
    """Where a store leaves out when an object was written, its etag or its storage class, that is empty, or the usual class."""
    body = (
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a</Key><Size>7</Size></Contents>"
        "<Contents><Key>b</Key></Contents></ListBucketResult>"
    )

    batch = pages.objects_page(body.encode()).batch

    assert (["a", "b"], [7, 0]) == (list(batch.paths), list(batch.sizes))
    assert (["", ""], ["", ""], ["STANDARD", "STANDARD"]) == tuple(map(list, (batch.modified, batch.etags, batch.storage_classes)))


@pytest.mark.parametrize("swapped", [False, True])
def test_a_key_that_is_not_utf_8_is_refused(swapped):
    """A key that is not UTF-8 is refused by the quick reader and by the XML parser: changed, it would name another object."""
    body = objects_page([("a", 1, "STANDARD", False), ("b", 1, "STANDARD", False)], swapped=swapped).replace(b">b<", b">caf%E9<")

    with pytest.raises(ValueError, match="utf-8"):
        pages.objects_page(body)
    with pytest.raises(ValueError, match="utf-8"):
        pages.versions_page(versions_page([("b", "v1", True, False)]).replace(b"<Key>b<", b"<Key>caf%E9<"), all_versions=True)
    with pytest.raises(ValueError, match="utf-8"):
        pages.first_key(versions_page([("b", "v1", True, False)]).replace(b"<Key>b<", b"<Key>caf%E9<"))


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"<ListBucketResult>", b"\xff", b"<Error><Code>x</Code></Error>"])
def test_what_is_no_page_is_refused(body):
    """Anything else than a page is an error, never an empty bucket."""
    with pytest.raises(ValueError, match=r"not XML|not a page|utf-8"):
        pages.objects_page(body)
