"""Which AWS call an HTTP request is: its service, operation and signature, read from what every request carries."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from botocore.loaders import Loader

from tools.emulator.core import signature as signatures
from tools.emulator.core.signature import Signature

_FORM = "application/x-www-form-urlencoded"
# boto3's name of a service where its signatures have another.
_NAMES = {"monitoring": "cloudwatch"}
# Services whose operations follow from method and path.
_PATH_SERVICES = ("lambda", "s3control")
# S3's operations by method, whether there is a key, and the query parameter that distinguishes them.
_S3 = {
    ("GET", True, ""): "GetObject",
    ("HEAD", True, ""): "HeadObject",
    ("PUT", True, ""): "PutObject",
    ("DELETE", True, ""): "DeleteObject",
    ("POST", True, "uploads"): "CreateMultipartUpload",
    ("PUT", True, "uploadId"): "UploadPart",
    ("POST", True, "uploadId"): "CompleteMultipartUpload",
    ("POST", True, "restore"): "RestoreObject",
    ("GET", True, "tagging"): "GetObjectTagging",
    ("PUT", True, "tagging"): "PutObjectTagging",
    ("DELETE", True, "tagging"): "DeleteObjectTagging",
    ("GET", True, "annotationName"): "GetObjectAnnotation",
    ("GET", True, "annotation"): "ListObjectAnnotations",
    ("PUT", True, "annotation"): "PutObjectAnnotation",
    ("DELETE", True, "annotation"): "DeleteObjectAnnotation",
    ("GET", False, "list-type"): "ListObjectsV2",
    ("GET", False, "versions"): "ListObjectVersions",
    ("GET", False, "location"): "GetBucketLocation",
    ("GET", False, "versioning"): "GetBucketVersioning",
    ("PUT", False, "versioning"): "PutBucketVersioning",
    ("GET", False, "notification"): "GetBucketNotificationConfiguration",
    ("PUT", False, "notification"): "PutBucketNotificationConfiguration",
    ("GET", False, "policy"): "GetBucketPolicy",
    ("PUT", False, "policy"): "PutBucketPolicy",
    ("DELETE", False, "policy"): "DeleteBucketPolicy",
    ("POST", False, "delete"): "DeleteObjects",
    ("GET", False, ""): "ListObjects",
    ("HEAD", False, ""): "HeadBucket",
    ("PUT", False, ""): "CreateBucket",
    ("DELETE", False, ""): "DeleteBucket",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as AWS names it."""

    service: str  # boto3's name of the service, e.g. `dynamodb`, `s3control`; "" for an unsigned request
    operation: str  # AWS's name, e.g. `PutItem`; method and path if the name is not known here
    signature: Signature | None
    protocol: str  # `json`, `query`, `rest-xml` or `rest-json`: decides how errors are written


def identify(environ: dict[str, Any]) -> Call:
    """Return which call a WSGI request is; the body of a form is read and put back."""
    found = signatures.read(environ)
    signed = "" if found is None else found.service
    path = environ.get("PATH_INFO", "")
    service = "s3control" if signed == "s3" and path.startswith("/v20180820/") else _NAMES.get(signed, signed)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Call(service, target.rpartition(".")[2], found, "json")
    if environ.get("CONTENT_TYPE", "").startswith(_FORM):
        return Call(service, _action(environ), found, "query")
    method = environ["REQUEST_METHOD"]
    if service == "s3":
        return Call(service, _s3(method, path, environ.get("QUERY_STRING", "")), found, "rest-xml")
    operation = _by_path(service, method, path) if service in _PATH_SERVICES else f"{method} {path}"
    return Call(service, operation, found, "rest-json" if service == "lambda" else "rest-xml")


def _action(environ: dict[str, Any]) -> str:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return str(parse_qs(body[:4096].decode("utf-8", "replace")).get("Action", [""])[0])


def _s3(method: str, path: str, query: str) -> str:
    has_key = "/" in path.strip("/") or (path.count("/") > 1 and not path.endswith("/"))
    names = {part.partition("=")[0] for part in query.split("&")}
    marked = (name for (verb, key, mark), name in _S3.items() if (verb, key) == (method, has_key) and mark in names)
    return next(marked, None) or _S3.get((method, has_key, "")) or f"{method} {path}"


def _by_path(service: str, method: str, path: str) -> str:
    for verb, pattern, name in _routes(service):
        if verb == method and pattern.fullmatch(path):
            return name
    return f"{method} {path}"


@lru_cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return the methods, paths and names of a service's operations in botocore's model, literal paths first."""
    operations: Mapping[str, Any] = Loader().load_service_model(service, "service-2")["operations"]
    found = [(one["http"]["method"], one["http"]["requestUri"].partition("?")[0], name) for name, one in operations.items()]
    found.sort(key=lambda one: one[1].count("{"))
    return [(method, _pattern(path), name) for method, path, name in found]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts).rstrip("/") + "/?")
