"""S3's requests where moto answers them wrongly, or not at all.

These are keys with line breaks, listings of versions, notification configurations, who pays for requests, tags, annotations, and
what the policies of buckets deny.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree as ET

from moto.core.responses import ActionResult
from moto.core.utils import unix_time_millis
from moto.iam.access_control import PermissionResult
from moto.moto_server import werkzeug_app
from moto.s3 import responses, urls
from moto.s3.exceptions import MalformedXML
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response

from tools.emulator.core import AwsError, moto_hooks, refuse
from tools.emulator.services.s3 import annotation_responses, copies, errors, notifications, suspended, tags, times
from tools.emulator.services.s3.authorization import Authorization, put_policy, requester_of
from tools.emulator.services.s3.backend import NULL_VERSION
from tools.emulator.services.s3.copies import Copy
from tools.emulator.services.s3.lookup import find, find_or_raise
from tools.emulator.services.s3.notifications import Notifications
from tools.emulator.services.s3.suspended import with_versions
from tools.emulator.services.s3.tags import Tags, set_tags

# What S3 encodes in a listing where the caller asks for it, as botocore always does [S3API:API_ListObjectVersions].
_ENCODED = ("Key", "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
# A bucket's configuration of who pays [S3API:API_PutBucketRequestPayment], and the attribute of moto's bucket that holds it.
_PAYER = re.compile(rb"<Payer>(BucketOwner|Requester)</Payer>")
_PAYS = "who_pays"
# The name of a filter, in any case.
_FILTER_NAME = re.compile(rb"(?<=<Name>)(?:prefix|suffix)(?=</Name>)", re.IGNORECASE)
# One object in the body of DeleteObjects.
_OBJECT = re.compile(rb"<Object>.*?</Object>", re.DOTALL)


class CorrectedResponse(S3Response):  # type: ignore[misc] # moto is untyped
    """Moto's S3 with tags, annotations and bucket policies, and correct listings, notification configuration and request payment.

    moto's listing loses versions and makes invalid XML of control characters; its configuration forgets EventBridge, and knows
    the names of filters in lower case only, while S3 answers with `Prefix` and takes either. A subclass of each installation
    holds what sends events. Of who pays moto knows nothing: it lists the bucket, or creates one. It knows no annotations, fails on
    many sets of tags and forgets them in a kept state, and applies policies without principals and conditions.
    """

    sender: Notifications

    def setup_class(self, request: Any, full_url: str | None = None, headers: Any = None) -> None:  # noqa: ANN401 - moto's
        super().setup_class(request, full_url, headers)
        query = dict(parse_qsl(urlsplit(request.raw_url).query, keep_blank_values=True))
        # Whoever signs a URL puts headers into its query.
        signed = {name.lower(): value for name, value in query.items() if name.lower().startswith("x-amz-")}
        sent = {str(name).lower(): str(value) for name, value in request.headers.items()}
        account = self.backend.account_id
        self._asks = Authorization(requester_of(account), account, query, signed | sent)
        self._not_deleted: list[dict[str, str]] = []

    def _key_response(self, request: Any, full_url: str) -> Any:  # noqa: ANN401 - moto's
        try:
            bucket = self.backend.buckets.get(self.bucket_name)
            if bucket is not None:
                self._authorize(bucket, request.method)
            if "annotation" in self._asks.query:
                return self._annotation(request.method)
            return super()._key_response(request, full_url)
        except AwsError as error:
            return errors.answer(error, has_body=request.method != "HEAD")

    def _authorize(self, bucket: FakeBucket, method: str) -> None:
        """Raise an error unless policies permit a request on an object, its tags included, and on the source of a copy."""
        key = self.parse_key_name()
        stored = find(bucket, key, self._asks.query.get("versionId"))
        if stored is None and method in ("GET", "HEAD") and not self._asks.allows(bucket, "s3:ListBucket"):
            raise errors.access_denied()  # who may not list a bucket does not learn what is in it [S3API:API_HeadObject]
        self._asks.require_object(bucket, key, method, stored, self._tags(method))
        if method == "PUT" and copies.HEADER in self._asks.headers:
            copy = Copy.of(self.backend, self._asks)
            if copy is not None:
                copy.authorize(bucket, key, shown_tags=self.sender.settings.copied_tags_are_request_tags)

    def _tags(self, method: str) -> Tags | None:
        """Return the tags that a request brings."""
        if method == "PUT" and "tagging" in self._asks.query:
            return tags.from_xml(self.body)
        header = self._asks.headers.get(tags.HEADER)
        return tags.from_header(header) if header and method in ("PUT", "POST") else None

    def _tagging_from_headers(self, _: Any) -> Tags:  # noqa: ANN401 - moto's
        return tags.from_header(self._asks.headers.get(tags.HEADER, ""))

    def _bucket_response(self, request: Any, full_url: str) -> Any:  # noqa: ANN401 - moto's
        try:
            bucket = self.backend.buckets.get(self.bucket_name)
            if bucket is not None and request.method != "POST":
                self._asks.require_bucket(bucket, request.method)
            elif bucket is not None and bucket.policy is not None and "delete" not in self._asks.query:
                raise refuse("s3", "uploads by a form to a bucket with a policy")
            return super()._bucket_response(request, full_url)
        except AwsError as error:
            return errors.answer(error, has_body=request.method != "HEAD")

    def _bucket_response_delete_keys(self, bucket_name: str, authenticated: bool = True) -> Any:  # noqa: ANN401 - moto's
        """Delete the objects that the requester may delete; the others are errors of the answer."""
        bucket = self.backend.get_bucket(bucket_name)
        self.body: bytes = _OBJECT.sub(lambda found: self._deletable(bucket, found[0]), self.body)
        if self._not_deleted and not _OBJECT.search(self.body):
            self.data["Action"] = "DeleteObjects"
            return self.serialized(ActionResult({"Deleted": [], "Errors": []}))
        return super()._bucket_response_delete_keys(bucket_name, authenticated)

    def _deletable(self, bucket: FakeBucket, element: bytes) -> bytes:
        named = {one.tag: one.text or "" for one in ET.fromstring(element)}  # noqa: S314 - expat limits what entities expand to
        action = "s3:DeleteObjectVersion" if "VersionId" in named else "s3:DeleteObject"
        if self._asks.allows(bucket, action, named["Key"]):
            return element
        self._not_deleted.append({**named, "Code": "AccessDenied", "Message": "Access Denied"})
        return b""

    def _bucket_response_get(self, bucket_name: str, querystring: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
        if "requestPayment" not in querystring:
            return super()._bucket_response_get(bucket_name, querystring)
        payer = getattr(self.backend.get_bucket(bucket_name), _PAYS, "BucketOwner")
        name = "RequestPaymentConfiguration"
        return 200, {}, f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Payer>{payer}</Payer></{name}>'

    def _bucket_response_put(self, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
        if "policy" in querystring:
            put_policy(self.backend, bucket_name, self.body)
            return int(HTTPStatus.NO_CONTENT), {}, ""
        if "requestPayment" not in querystring:
            return super()._bucket_response_put(request, bucket_name, querystring)
        bucket, found = self.backend.get_bucket(bucket_name), _PAYER.search(self.body)
        if found is None:
            raise MalformedXML
        setattr(bucket, _PAYS, found[1].decode())
        return 200, {}, ""

    def list_object_versions(self) -> Any:  # noqa: ANN401 - moto's
        """Begin after all versions of the key marker if no version is named; moto skips only the first one."""
        marker = self.querystring.get("key-marker", [""])[0]
        if marker and not self.querystring.get("version-id-marker", [""])[0]:
            self._begin_after(marker)
        return super().list_object_versions()

    def _begin_after(self, key: str) -> None:
        keys = self.backend.get_bucket(self.bucket_name).keys
        before = [version for _, versions in keys.iterlists() for version in versions if version.name <= key]
        # In moto's own order; if the last one is named as the marker, moto is right.
        last = max(enumerate(before), key=lambda one: (one[1].name, -unix_time_millis(one[1].last_modified), one[0]), default=None)
        if last is None:
            del self.querystring["key-marker"]
        else:
            self.querystring |= {"key-marker": [last[1].name], "version-id-marker": [last[1].version_id]}

    def serialized(self, action_result: ActionResult) -> Any:  # noqa: ANN401 - moto's
        """Complete an answer before it becomes XML."""
        if self._not_deleted and self.data.get("Action") == "DeleteObjects":
            deleted: Any = action_result.result
            action_result = ActionResult({**deleted, "Errors": [*deleted["Errors"], *self._not_deleted]})
        if self.data.get("Action") == "GetBucketNotificationConfiguration":
            action_result = ActionResult(self._notifications(action_result.result))
        if self.querystring.get("encoding-type", [None])[0] == "url":
            action_result = ActionResult(self._url_encoded(action_result.result))
        return super().serialized(action_result)

    def _url_encoded(self, moto_result: Any) -> Any:  # noqa: ANN401 - moto's
        """Return a listing with its keys encoded, where moto forgets to."""
        match self.data.get("Action"):
            case "ListObjectVersions":
                return {**_encoded(moto_result), "EncodingType": "url"}
            case "ListObjectsV2" if "StartAfter" in moto_result:
                return {**moto_result, "StartAfter": quote(moto_result["StartAfter"], safe="/")}
        return moto_result

    def _stored(self, method: str) -> FakeKey:
        """Return the object that a request on its tags is about; a delete marker has none."""
        bucket = self.backend.get_bucket(self.bucket_name)
        return find_or_raise(bucket, self.parse_key_name(), self._asks.query.get("versionId"), method)

    def get_object_tagging(self) -> Any:  # noqa: ANN401 - moto's
        stored = self._stored("GET")
        self.data["Action"] = "GetObjectTagging"
        found = [{"Key": key, "Value": value} for key, value in sorted(tags.tags_of(stored).items())]
        status, headers, body = self.serialized(ActionResult({"TagSet": found}))
        return status, headers | _version_header(stored), body

    def put_object_tagging(self) -> Any:  # noqa: ANN401 - moto's
        stored = self._stored("PUT")
        set_tags(stored, tags.from_xml(self.body))
        self.sender.tagged("Object Tags Added", self.backend.get_bucket(self.bucket_name), stored)
        return int(HTTPStatus.OK), _version_header(stored), ""

    def delete_object_tagging(self) -> Any:  # noqa: ANN401 - moto's
        stored = self._stored("DELETE")
        set_tags(stored, {})
        self.sender.tagged("Object Tags Deleted", self.backend.get_bucket(self.bucket_name), stored)
        return int(HTTPStatus.NO_CONTENT), _version_header(stored), ""

    def get_object(self) -> Any:  # noqa: ANN401 - moto's
        status, headers, body = super().get_object()
        return status, headers | self._tag_count(), body

    def head_object(self, *request: Any, **named: Any) -> Any:  # noqa: ANN401 - moto's
        with with_versions():
            status, headers, body = super().head_object(*request, **named)
        return status, headers | self._tag_count(), body

    def _tag_count(self) -> dict[str, str]:
        """Return the header with the number of an object's tags, if it has any and the requester may read them."""
        bucket, key, version = self.backend.get_bucket(self.bucket_name), self.parse_key_name(), self._asks.query.get("versionId")
        stored = find(bucket, key, version)
        action = "s3:GetObjectTagging" if version is None else "s3:GetObjectVersionTagging"
        if stored is None or not tags.tags_of(stored) or not self._asks.allows(bucket, action, key, stored):
            return {}
        return {"x-amz-tagging-count": str(len(tags.tags_of(stored)))}

    def copy_object(self) -> Any:  # noqa: ANN401 - moto's
        """Copy an object with its tags and annotations, as the directives say."""
        copy = Copy.of(self.backend, self._asks)
        answer = super().copy_object()
        made = self.backend.get_object(self.bucket_name, self.parse_key_name())
        if copy is not None and made is not None:
            copy.complete(made)
        return answer

    def _annotation(self, method: str) -> Any:  # noqa: ANN401 - moto's
        bucket = self.backend.get_bucket(self.bucket_name)
        return annotation_responses.answer(method, bucket, self.parse_key_name(), self._asks, self.body, self.sender)

    def _notifications(self, moto_result: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        """Return the configuration as S3 does: with EventBridge, without empty lists, filters called `Prefix` and `Suffix`."""
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        bridge: dict[str, Any] = {} if configuration.event_bridge is None else {"EventBridgeConfiguration": {}}
        return {name: [_capitalised(each) for each in found] for name, found in moto_result.items() if found} | bridge

    def _notification_config_from_body(self) -> Any:  # noqa: ANN401 - moto's
        if b"s3:ObjectAnnotation" in self.body:
            raise refuse("s3", "events of annotations")
        self.body = _FILTER_NAME.sub(lambda found: found[0].lower(), self.body)
        return super()._notification_config_from_body()


class _AnyCharacters(werkzeug_app.RegexConverter):  # type: ignore[misc] # moto is untyped
    """Moto's routes with a dot for any character: keys may contain line breaks."""

    def __init__(self, url_map: Any, *items: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(url_map, *items)
        self.regex: str = f"(?s:{items[0]})"


def hooks(sender: Notifications) -> Iterator[moto_hooks.Hook]:
    """Yield the hooks that correct moto's S3 and send the events of its writes."""
    yield from suspended.hooks()
    yield from times.hooks(sender.clock)
    yield from notifications.hooks(sender)
    installed: type[CorrectedResponse] = type("InstalledResponse", (CorrectedResponse,), {"sender": sender})
    for path, dispatch in urls.url_paths.items():
        yield moto_hooks.Route(urls, path, getattr(installed, dispatch.__name__))
    # Tags are kept with their objects, and policies are not moto's to apply.
    yield moto_hooks.Replacement(S3Backend, "put_object_tagging", _keep_tags)
    yield moto_hooks.Replacement(S3Backend, "put_bucket_policy", put_policy)
    yield moto_hooks.Replacement(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
    # Each new S3 backend of moto's loads its URLs again, by the name of this class.
    yield moto_hooks.Replacement(responses, "S3Response", installed)
    yield moto_hooks.Replacement(werkzeug_app, "RegexConverter", _AnyCharacters)


def _keep_tags(_: S3Backend, key: FakeKey, tags: Tags | None) -> FakeKey:
    set_tags(key, tags or {})
    return key


def _version_header(stored: FakeKey) -> dict[str, str]:
    return {} if stored.version_id in (None, NULL_VERSION) else {"x-amz-version-id": str(stored.version_id)}


def _capitalised(destination: dict[str, Any]) -> dict[str, Any]:
    """Return a destination with the names of its filters as S3 writes them; moto needs its own as they are."""
    rules = destination.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    named = [{**rule, "Name": rule["Name"].capitalize()} for rule in rules]
    return {**destination, **({"Filter": {"Key": {"FilterRules": named}}} if named else {})}


def _encoded(listing: Any) -> Any:  # noqa: ANN401 - JSON values of any depth
    if isinstance(listing, list):
        return [_encoded(each) for each in listing]
    if not isinstance(listing, dict):
        return listing
    return {
        name: quote(value, safe="/") if name in _ENCODED and isinstance(value, str) else _encoded(value)
        for name, value in listing.items()
    }
