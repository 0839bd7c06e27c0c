"""S3 for functions: looking at an object, its bytes and its tags, and keeping hits, without HTTP as long as nothing prevents it.

All else is answered by the emulator's S3 through boto3, above all what it refuses: what is missing, archived, forbidden or changed.
"""

import io
from datetime import UTC

from handlers.runtime.clients import CONFIGS
from tests.harness.direct import DirectClient, as_boto3_raises
from tools.emulator.core import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError
from tools.emulator.services.s3.lookup import find
from tools.emulator.services.s3.tags import tags_of


class ShortWayToObjects:
    """A client of S3 for the functions of a line."""

    def __init__(self, line):
        self._line = line
        self._through_boto3 = line.session.client("s3", config=CONFIGS["s3"])
        self._direct = DirectClient("s3", as_boto3_raises(self._answer), line.gate)

    def __getattr__(self, method):
        """Return an operation that boto3 carries out."""
        return getattr(self._through_boto3, method)

    def head_object(self, **parameters):
        """Look at an object."""
        client = self._through_boto3 if self._found(parameters) is None else self._direct
        return client.head_object(**parameters)

    def get_object(self, **parameters):
        """Read a part of an object."""
        found = self._found(parameters)
        first, _ = _range(parameters)
        plain = found is not None and parameters["IfMatch"] == f'"{found.etag}"' and first < found.size
        return (self._direct if plain else self._through_boto3).get_object(**parameters)

    def get_object_tagging(self, **parameters):
        """Read an object's tags."""
        client = self._through_boto3 if self._found(parameters) is None else self._direct
        return client.get_object_tagging(**parameters)

    def put_object(self, **parameters):
        """Store an object."""
        ours = parameters["Bucket"] == self._line.outputs["WorkBucketName"]
        return (self._direct if ours else self._through_boto3).put_object(**parameters)

    def _answer(self, operation, parameters):
        bucket, key = parameters["Bucket"], parameters["Key"]
        if operation == "PutObject":
            self._line.storage.write(bucket, key, parameters["Body"].read())
            return {}
        found = self._line.storage.read(bucket, key, parameters.get("VersionId"))
        if operation == "GetObject":
            first, last = _range(parameters)
            return {"Body": io.BytesIO(found.body[first : last + 1])}
        stored = self._stored(bucket, key, found.version_id)
        if operation == "GetObjectTagging":
            return {"TagSet": [{"Key": name, "Value": value} for name, value in sorted(tags_of(stored).items())]}
        version = {} if found.version_id is None else {"VersionId": found.version_id}
        # HTTP's times have no fraction.
        modified_at = stored.last_modified.replace(tzinfo=UTC, microsecond=0)
        return {"ETag": f'"{found.etag}"', "ContentLength": found.size, "LastModified": modified_at, **version}

    def _found(self, parameters):
        """Return an object that nothing prevents from being read, else None."""
        bucket, key = parameters["Bucket"], parameters["Key"]
        try:
            found = self._line.storage.read(bucket, key, parameters.get("VersionId"))
        except (NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError):
            return None
        return found if self._stored(bucket, key, found.version_id).storage_class == "STANDARD" else None

    def _stored(self, bucket, key, version_id):
        return find(self._line.storage.buckets()[bucket], key, version_id)


def _range(parameters):
    """Return the first and the last byte that a request asks for."""
    first, _, last = parameters["Range"].removeprefix("bytes=").partition("-")
    return int(first), int(last)
