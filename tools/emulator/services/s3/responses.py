"""S3's requests where moto answers them wrongly.

These are keys with line breaks, listings of versions, notification configurations, and who pays for requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult
from moto.core.utils import unix_time_millis
from moto.moto_server import werkzeug_app
from moto.s3 import responses, urls
from moto.s3.exceptions import MalformedXML
from moto.s3.responses import S3Response

from tools.emulator.core import moto_hooks
from tools.emulator.services.s3 import notifications, times
from tools.emulator.services.s3.notifications import Notifications

# What S3 encodes in a listing where the caller asks for it, as botocore always does [S3API:API_ListObjectVersions].
_ENCODED = ("Key", "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
# A bucket's configuration of who pays [S3API:API_PutBucketRequestPayment], and the attribute of moto's bucket that holds it.
_PAYER = re.compile(rb"<Payer>(BucketOwner|Requester)</Payer>")
_PAYS = "who_pays"
# The name of a filter, in any case.
_FILTER_NAME = re.compile(rb"(?<=<Name>)(?:prefix|suffix)(?=</Name>)", re.IGNORECASE)


class CorrectedResponse(S3Response):  # type: ignore[misc] # moto is untyped
    """Moto's S3 with a correct ListObjectVersions, notification configuration and request payment.

    moto's listing loses versions and makes invalid XML of control characters; its configuration forgets EventBridge, and knows
    the names of filters in lower case only, while S3 answers with `Prefix` and takes either. A subclass of each installation
    holds what sends events. Of who pays moto knows nothing: it lists the bucket, or creates one.
    """

    sender: Notifications

    def _bucket_response_get(self, bucket_name: str, querystring: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
        if "requestPayment" not in querystring:
            return super()._bucket_response_get(bucket_name, querystring)
        payer = getattr(self.backend.get_bucket(bucket_name), _PAYS, "BucketOwner")
        name = "RequestPaymentConfiguration"
        return 200, {}, f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Payer>{payer}</Payer></{name}>'

    def _bucket_response_put(self, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
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

    def put_object_tagging(self) -> Any:  # noqa: ANN401 - moto's
        """Tag an object and send the event, which moto would send for each upload."""
        answer = super().put_object_tagging()
        tagged = self.backend.get_object(self.bucket_name, self.parse_key_name(), version_id=self._get_param("versionId"))
        self.sender.tagged("Object Tags Added", self.backend.get_bucket(self.bucket_name), tagged)
        return answer

    def _notifications(self, moto_result: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        """Return the configuration as S3 does: with EventBridge, without empty lists, filters called `Prefix` and `Suffix`."""
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        bridge: dict[str, Any] = {} if configuration.event_bridge is None else {"EventBridgeConfiguration": {}}
        return {name: [_capitalised(each) for each in found] for name, found in moto_result.items() if found} | bridge

    def _notification_config_from_body(self) -> Any:  # noqa: ANN401 - moto's
        self.body: bytes = _FILTER_NAME.sub(lambda found: found[0].lower(), self.body)
        return super()._notification_config_from_body()


class _AnyCharacters(werkzeug_app.RegexConverter):  # type: ignore[misc] # moto is untyped
    """Moto's routes with a dot for any character: keys may contain line breaks."""

    def __init__(self, url_map: Any, *items: Any) -> None:  # noqa: ANN401 - moto's
        super().__init__(url_map, *items)
        self.regex: str = f"(?s:{items[0]})"


def hooks(sender: Notifications) -> Iterator[moto_hooks.Hook]:
    """Yield the hooks that correct moto's S3 and send the events of its writes."""
    yield from times.hooks(sender.clock)
    yield from notifications.hooks(sender)
    installed: type[CorrectedResponse] = type("InstalledResponse", (CorrectedResponse,), {"sender": sender})
    for path, dispatch in urls.url_paths.items():
        yield moto_hooks.Route(urls, path, getattr(installed, dispatch.__name__))
    # Each new S3 backend of moto's loads its URLs again, by the name of this class.
    yield moto_hooks.Replacement(responses, "S3Response", installed)
    yield moto_hooks.Replacement(werkzeug_app, "RegexConverter", _AnyCharacters)


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
