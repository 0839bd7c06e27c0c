"""Whether a request to S3 is permitted by the policies of buckets; users and roles may do everything else in their account.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket, FakeKey, S3Backend

from tools.emulator.core import USER, caller
from tools.emulator.services.s3 import actions
from tools.emulator.services.s3.errors import access_denied
from tools.emulator.services.s3.policy import Access, BucketPolicy, Requester, access, parse, permits
from tools.emulator.services.s3.tags import Tags, tags_of


def requester_of(account: str) -> Requester:
    """Return who sent the request that is carried out now; the account's root in a world without a server."""
    principal = caller()
    return Requester.root(account) if principal is None else Requester(principal.arn, principal.role)


def readable_for_services(bucket: FakeBucket, stored: FakeKey, version_id: str | None) -> bool:
    """Tell whether a service may read an object: Rekognition does so with its caller's permissions [REK:api-video-roles].

    What a service reads by itself is not checked.
    """
    if caller() is None:
        return True
    action = "s3:GetObject" if version_id is None else "s3:GetObjectVersion"
    query = {} if version_id is None else {"versionId": version_id}
    asks = Authorization(requester_of(bucket.account_id), bucket.account_id, query, {})
    return asks.allows(bucket, action, stored.name, stored)


@dataclass(frozen=True, slots=True)
class Authorization:
    """Checks what one request asks for.

    Attributes:
        requester: Who sent it.
        account: The account of all buckets.
        query: The parameters in its query.
        headers: Its headers, with names in lower case.
    """

    requester: Requester
    account: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    def require(
        self, bucket: FakeBucket, action: str, key: str | None = None, stored: FakeKey | None = None, tags: Tags | None = None
    ) -> None:
        """Raise an error unless an action is permitted on a bucket or on an object in it; `tags` are those of the request.

        Raises:
            S3Error: AccessDenied.
        """
        if not self.allows(bucket, action, key, stored, tags):
            asked = self._access(bucket, action, key, stored, tags)
            raise access_denied(_message(asked) if self.requester.account == self.account else "Access Denied")

    def allows(
        self, bucket: FakeBucket, action: str, key: str | None = None, stored: FakeKey | None = None, tags: Tags | None = None
    ) -> bool:
        """Tell whether an action is permitted."""
        policy = policy_of(bucket)
        if policy is None and self.requester.account == self.account:
            return True  # the usual case, without the condition keys
        return permits(policy, self._access(bucket, action, key, stored, tags), self.account)

    def _access(self, bucket: FakeBucket, action: str, key: str | None, stored: FakeKey | None, tags: Tags | None) -> Access:
        existing = {} if stored is None else tags_of(stored)
        return access(self.requester, action, bucket.name, key, existing_tags=existing, request_tags=tags, more=self._keys())

    def _keys(self) -> dict[str, tuple[str, ...]]:
        """Return the condition keys that every request has, and those that its query and headers make.

        A request came over TLS, which the world's plain HTTP stands for.
        """
        signed = "REST-QUERY-STRING" if {"X-Amz-Signature", "Signature"} & self.query.keys() else "REST-HEADER"
        keys = {
            "aws:PrincipalIsAWSService": "false",
            "aws:ResourceAccount": self.account,
            "aws:SecureTransport": "true",
            "aws:SourceIp": "127.0.0.1",
            "aws:ViaAWSService": "false",
            "s3:ResourceAccount": self.account,
            "s3:authType": signed,
            "s3:signatureversion": "AWS" if "AWSAccessKeyId" in self.query else "AWS4-HMAC-SHA256",
        }
        keys |= {f"s3:{name}": value for name, value in self.headers.items() if name.startswith("x-amz-")}
        keys |= {f"s3:{name}": self.query[name] for name in ("prefix", "delimiter", "max-keys") if name in self.query}
        keys |= {"s3:versionid": self.query["versionId"]} if "versionId" in self.query else {}
        return {name: (value,) for name, value in keys.items()}

    def require_bucket(self, bucket: FakeBucket, method: str) -> None:
        """Check a request on a bucket itself; see `require`."""
        self.require(bucket, actions.on_bucket(method, self.query))

    def require_object(self, bucket: FakeBucket, key: str, method: str, stored: FakeKey | None, tags: Tags | None) -> None:
        """Check a request on an object, which may not be there; see `require`."""
        for action in actions.on_object(method, self.query, self.headers):
            self.require(bucket, action, key, stored, tags)


def policy_of(bucket: FakeBucket) -> BucketPolicy | None:
    """Return what was put last, parsed once; None if a bucket has none."""
    return None if bucket.policy is None else _parsed(bucket.policy, bucket.name)


@lru_cache(maxsize=256)
def _parsed(text: bytes, bucket: str) -> BucketPolicy:
    return parse(text.decode(), bucket)


def put_policy(backend: S3Backend, bucket_name: str, text: bytes) -> None:
    """Replace a bucket's policy, once it is known to be valid.

    Raises:
        S3Error: S3 would not take it: MalformedPolicy.
        UnsupportedError: It uses what IAM has and the offline world lacks; the message names it.
    """
    bucket = backend.get_bucket(bucket_name)
    parse(text.decode(errors="replace"), bucket_name, lambda arn: _exists(arn, backend.account_id))
    bucket.policy = text


def _exists(arn: str, account: str) -> bool:
    """Tell whether there is a user or role with an ARN, as far as can be known here."""
    _, _, service, _, owner, name = arn.split(":", 5)
    if owner != account or name in ("root", f"user/{USER}"):
        return True
    iam = iam_backends[account]["aws"]
    if service == "sts":  # a session, which need not have begun, of a role
        return any(role.name == name.split("/")[1] for role in iam.roles.values())
    return any(one.arn == arn for one in (*iam.roles.values(), *iam.users.values()))


def _message(asked: Access) -> str:
    """Return what S3 tells requesters of the same account [S3:troubleshoot-403-errors]."""
    return (
        f"User: {asked.requester.arn} is not authorized to perform: {asked.action} on resource: "
        f'"{asked.resource}" with an explicit deny in a resource-based policy'
    )
