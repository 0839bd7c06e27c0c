"""The signature of an HTTP request, in its header or its query, and whether it was made with the secret of its key.

Signature Version 4, and the older query form that boto3 still uses for S3's presigned URLs in us-east-1
[IAM:reference_sigv-create-signed-request, S3:RESTAuthentication].
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote_to_bytes, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.utils import normalize_url_path

_SCOPE = r"(?P<key>[^/\s,]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]*)/(?P<service>[a-z0-9-]+)/aws4_request"
_HEADER = re.compile(
    rf"AWS4-HMAC-SHA256\s+Credential={_SCOPE}\s*,\s*SignedHeaders=(?P<headers>[^\s,]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{{64}})"
)
_CREDENTIAL = re.compile(_SCOPE)
_UNSIGNED = "UNSIGNED-PAYLOAD"
_STREAMING = "STREAMING-"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as the request states it; not verified yet."""

    access_key: str
    service: str  # the service's signing name, e.g. `s3`, `monitoring`
    region: str
    date: str
    headers: tuple[str, ...]  # the headers that it covers, in lower case
    value: str
    version: int  # 4, or 2 for S3's older query form
    in_query: bool  # in the query rather than in the header


def claims(environ: dict[str, Any]) -> bool:
    """Return whether a request carries anything that looks like a signature."""
    names = {name for name, _ in _query(environ)}
    return "HTTP_AUTHORIZATION" in environ or bool(names & {"X-Amz-Credential", "X-Amz-Signature", "AWSAccessKeyId"})


def read(environ: dict[str, Any]) -> Signature | None:
    """Return the signature in the header, or else in the query; None if it is missing or malformed."""
    if "HTTP_AUTHORIZATION" in environ:
        found = _HEADER.fullmatch(environ["HTTP_AUTHORIZATION"].strip())
        return None if found is None else _version_4(found, found["headers"], found["signature"], in_query=False)
    query = _query(environ)
    given = dict(query)
    if len(given) < len(query) and any(name.startswith("X-Amz-") or name == "AWSAccessKeyId" for name in _repeated(query)):
        return None  # which of the two would count?
    if "X-Amz-Credential" in given:
        found = _CREDENTIAL.fullmatch(given["X-Amz-Credential"])
        names, value = given.get("X-Amz-SignedHeaders"), given.get("X-Amz-Signature")
        return _version_4(found, names, value, in_query=True) if found and names and value else None
    if {"AWSAccessKeyId", "Signature", "Expires"} <= given.keys():
        return Signature(given["AWSAccessKeyId"], "s3", "", "", (), given["Signature"], 2, in_query=True)
    return None


def session_token(environ: dict[str, Any], signature: Signature) -> str:
    """Return the session token that a request carries beside its signature, or ""."""
    if not signature.in_query:
        return str(environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))
    given = {name.lower(): value for name, value in _query(environ)}
    return given.get("x-amz-security-token", "")


def verified(environ: dict[str, Any], signature: Signature, secret: str) -> bool:
    """Return whether a request was signed as it is, with the secret of its key; its body is read and put back.

    The time of signing does not matter: a world's time is not the machine's.
    """
    expected = _signature_2(environ, secret) if signature.version == 2 else _signature_4(environ, signature, secret)  # noqa: PLR2004 - a version
    return expected is not None and hmac.compare_digest(expected.encode(), signature.value.encode())


def _version_4(scope: re.Match[str], names: str, value: str, *, in_query: bool) -> Signature:
    headers = tuple(names.split(";"))
    return Signature(scope["key"], scope["service"], scope["region"], scope["date"], headers, value, 4, in_query=in_query)


def _signature_4(environ: dict[str, Any], signature: Signature, secret: str) -> str | None:
    timestamp = dict(_query(environ)).get("X-Amz-Date", "") if signature.in_query else environ.get("HTTP_X_AMZ_DATE", "")
    payload = _payload(environ, signature)
    if "host" not in signature.headers or not timestamp.startswith(signature.date) or payload is None:
        return None
    request = b"\n".join(
        (
            environ["REQUEST_METHOD"].encode(),
            _canonical_path(environ, signature.service).encode(),
            _canonical_query(environ).encode(),
            *(name.encode() + b":" + _header(environ, name) for name in signature.headers),
            b"",
            ";".join(signature.headers).encode(),
            payload.encode(),
        )
    )
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
    return hmac.new(_signing_key(secret, scope), text.encode(), "sha256").hexdigest()


def _signature_2(environ: dict[str, Any], secret: str) -> str:
    headers = HTTPHeaders()
    for name, value in (*_query(environ), *_headers(environ)):
        if name.lower().startswith("x-amz-") or name.lower() in {"content-md5", "content-type"}:
            headers[name.lower()] = value
    signer = _OlderQuery(BotocoreCredentials("", secret), dict(_query(environ))["Expires"])
    return str(signer.get_signature(environ["REQUEST_METHOD"], _target(environ), headers))  # type: ignore[arg-type] # what botocore passes itself


class _OlderQuery(HmacV1QueryAuth):
    def __init__(self, credentials: BotocoreCredentials, expires: str) -> None:
        self.credentials = credentials
        self._until = expires

    def _get_date(self) -> str:
        return self._until


def _payload(environ: dict[str, Any], signature: Signature) -> str | None:
    """Return the digest of the body as it was signed; None if the request states a wrong one.

    Only S3 takes a body that is unsigned or signed in chunks [S3API:sig-v4-header-based-auth].
    """
    stated = str(environ.get("HTTP_X_AMZ_CONTENT_SHA256", ""))
    if signature.service == "s3":
        if not stated and signature.in_query:
            return _UNSIGNED
        if stated == _UNSIGNED or stated.startswith(_STREAMING):
            return stated
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    actual = hashlib.sha256(body).hexdigest()
    return actual if stated in {"", actual} else None


def _canonical_path(environ: dict[str, Any], service: str) -> str:
    path = _target(environ).path or "/"
    if service == "s3":
        return quote(unquote_to_bytes(path), safe="/" + _UNRESERVED)
    return quote(normalize_url_path(path), safe="/~")


def _canonical_query(environ: dict[str, Any]) -> str:
    pairs = (part.partition("=") for part in _target(environ).query.split("&") if part)
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs if name != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=_UNRESERVED)


def _header(environ: dict[str, Any], name: str) -> bytes:
    variable = name.upper().replace("-", "_")
    value = environ.get(variable if name in {"content-type", "content-length"} else f"HTTP_{variable}", "")
    return b" ".join(str(value).encode("latin-1").split())


def _headers(environ: dict[str, Any]) -> Iterable[tuple[str, str]]:
    yield "content-type", environ.get("CONTENT_TYPE", "")
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name.removeprefix("HTTP_").replace("_", "-"), value


def _target(environ: dict[str, Any]) -> SplitResult:
    """Return the request's target as it was sent, path and query still encoded."""
    return urlsplit(str(environ["RAW_URI"]))


def _query(environ: dict[str, Any]) -> list[tuple[str, str]]:
    return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _repeated(query: list[tuple[str, str]]) -> set[str]:
    names = [name for name, _ in query]
    return {name for name in names if names.count(name) > 1}


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: str) -> bytes:
    """Derive the key for one day, Region and service from a secret."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return key
