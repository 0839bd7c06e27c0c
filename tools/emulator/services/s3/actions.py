"""The actions of S3 that a bucket policy can name, and which of them a request needs.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html for the actions, their resources and
condition keys; https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html for what requests need.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tools.emulator.services.s3.tags import HEADER as TAGGING


def _named(names: str) -> frozenset[str]:
    return frozenset(f"s3:{name}" for name in names.split())


OBJECT_ACTIONS = _named(
    """
    AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjectVersion
    DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes
    GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl
    GetObjectVersionAnnotation GetObjectVersionAnnotationForReplication GetObjectVersionAttributes
    GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication
    ListMultipartUploadParts ListObjectAnnotations ListObjectVersionAnnotations ObjectOwnerOverrideToBucketOwner PutObject
    PutObjectAcl PutObjectAnnotation PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl
    PutObjectVersionAnnotation PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateObjectAnnotation ReplicateTags
    RestoreObject UpdateObjectEncryption
    """
)
BUCKET_ACTIONS = _named(
    """
    AllowVendedLogDeliveryForResource CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket
    DeleteBucketMetadataTableConfiguration DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration
    GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
    GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
    GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging
    GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
    GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
    ListBucketMultipartUploads ListBucketVersions ListTagsForResource PauseReplication PutAccelerateConfiguration
    PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification
    PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
    PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration
    PutReplicationConfiguration TagResource UntagResource UpdateBucketMetadataAnnotationTableConfiguration
    UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration
    """
)

# The actions that know `s3:ExistingObjectTag/<key>`: those that write or delete an object do not [S3:tagging-and-policies].
ON_EXISTING_TAGS = _named(
    """
    DeleteObjectAnnotation DeleteObjectTagging DeleteObjectVersionAnnotation DeleteObjectVersionTagging GetObject GetObjectAcl
    GetObjectAnnotation GetObjectAttributes GetObjectTagging GetObjectVersion GetObjectVersionAcl GetObjectVersionAnnotation
    GetObjectVersionAttributes GetObjectVersionTagging ListObjectAnnotations ListObjectVersionAnnotations PutObjectAcl
    PutObjectAnnotation PutObjectTagging PutObjectVersionAcl PutObjectVersionAnnotation PutObjectVersionTagging
    UpdateObjectEncryption
    """
)
# The actions that know `s3:RequestObjectTag/<key>` and `s3:RequestObjectTagKeys`.
ON_REQUEST_TAGS = frozenset({"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"})
# What the root of the account may always do with the policy of its bucket [S3API:API_PutBucketPolicy].
POLICY_ACTIONS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})

# What actions on a bucket are called after their verb, by the name in the query of the request.
_BUCKET = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_DELETED_AS_SUCH = ("policy", "website")  # deleting any other configuration needs the permission to put it
_BUCKET_READS = {"versions": "s3:ListBucketVersions", "uploads": "s3:ListBucketMultipartUploads"}
_BUCKET_DEFAULTS = {"GET": "s3:ListBucket", "HEAD": "s3:ListBucket", "PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}
# Parts of an object that have actions of their own, with a form for versions or without one.
_PARTS = {"acl": "Acl", "tagging": "Tagging", "annotation": "Annotation", "attributes": "Attributes", "torrent": "Torrent"}
_PARTS_OF_ANY_VERSION = {"retention": "Retention", "legal-hold": "LegalHold"}


def on_bucket(method: str, query: Collection[str]) -> str:
    """Return the action that a request on a bucket needs; `query` are the names in its query."""
    named = next((name for name in query if name in _BUCKET), None)
    if named is not None:
        verb = {"GET": "Get", "DELETE": "Delete" if named in _DELETED_AS_SUCH else "Put"}.get(method, "Put")
        return f"s3:{verb}{_BUCKET[named]}"
    read = next((action for name, action in _BUCKET_READS.items() if name in query and method == "GET"), None)
    return read or _BUCKET_DEFAULTS.get(method, "s3:PutObject")


def on_object(method: str, query: Collection[str], headers: Mapping[str, str]) -> Iterator[str]:
    """Yield the actions that a request on an object needs, without those on the source of a copy."""
    version = "Version" if "versionId" in query else ""
    part = next((name for name in (*_PARTS, *_PARTS_OF_ANY_VERSION) if name in query), None)
    verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, "")
    if part in _PARTS_OF_ANY_VERSION:
        yield f"s3:{verb}Object{_PARTS_OF_ANY_VERSION[part]}"
    elif part == "annotation" and method == "GET" and "annotationName" not in query:
        yield f"s3:ListObject{version}Annotations"
    elif part is not None:
        yield f"s3:{verb}Object{version}{_PARTS[part]}"
        if part == "attributes":
            yield f"s3:GetObject{version}"
    elif method in ("PUT", "POST"):
        yield from _on_write(query, headers)
    elif "uploadId" in query:
        yield "s3:ListMultipartUploadParts" if method == "GET" else "s3:AbortMultipartUpload"
    else:
        yield f"s3:{verb}Object{version}"


def _on_write(query: Collection[str], headers: Mapping[str, str]) -> Iterator[str]:
    if "restore" in query:
        yield "s3:RestoreObject"
        return
    yield "s3:PutObject"
    if headers.get(TAGGING):
        yield "s3:PutObjectTagging"
    if headers.get("x-amz-acl"):
        yield "s3:PutObjectAcl"


def on_copy_source(*, version: bool, tags: bool, annotations: bool) -> Iterator[tuple[str, str | None]]:
    """Yield the actions on the source of a copy, each with that on the copy; `tags` and `annotations` say what is copied along."""
    form = "Version" if version else ""
    yield f"s3:GetObject{form}", None
    if tags:
        yield f"s3:GetObject{form}Tagging", "s3:PutObjectTagging"
    if annotations:
        yield f"s3:GetObject{form}Annotation", "s3:PutObjectAnnotation"
