"""Rekognition for a server that has none: the emulator's engine over HTTP, with that server's S3 and SNS behind it."""

from botocore.exceptions import ClientError

from tools.emulator.core import moto_hooks
from tools.emulator.core.clock import WallClock
from tools.emulator.core.ports import NoSuchObjectError, StoredObject
from tools.emulator.core.server import Server
from tools.emulator.services.rekognition import responses
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.images import ImageModeration
from tools.emulator.services.rekognition.picture import CardReader
from tools.emulator.services.rekognition.video import VideoAnalyser


class Objects:
    """The S3 of a server. Implements `ports.Objects`."""

    def __init__(self, s3):
        self._s3 = s3

    def read(self, bucket, key, version_id=None):
        """Return an object."""
        version = {} if version_id is None else {"VersionId": version_id}
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key, **version)
        except ClientError as error:
            raise NoSuchObjectError(f"s3://{bucket}/{key}") from error
        body = answer["Body"].read()
        return StoredObject(body, answer["ETag"].strip('"'), len(body), answer.get("VersionId"))


class Topics:
    """The SNS of a server. Implements `ports.Topics`."""

    def __init__(self, sns):
        self._sns = sns

    def publish(self, topic_arn, message):
        """Publish a message."""
        self._sns.publish(TopicArn=topic_arn, Message=message)


class Rekognition:
    """The engine behind a port of its own from `open` to `close`.

    Attributes:
        endpoint: Its URL.
        ledger: The engine's ledger.
    """

    def __init__(self, settings):
        self._settings = settings
        self._server = Server(0)
        self.endpoint = self._server.endpoint

    def open(self, client):
        """Serve, with the S3 and the SNS that these clients reach."""
        self._clock = WallClock()
        engine = ContentModeration(
            clock=self._clock,
            settings=self._settings,
            objects=Objects(client("s3")),
            topics=Topics(client("sns")),
            analyser=VideoAnalyser(),
        )
        images = ImageModeration(clock=self._clock, settings=self._settings, objects=Objects(client("s3")), analyser=CardReader())
        self.ledger = engine.ledger
        self._installed = moto_hooks.install(responses.hooks(engine, images))
        self._server.start(moto_hooks.application())

    def close(self):
        """Stop serving, and restore moto's own Rekognition."""
        self._clock.close()
        self._server.close()
        self._installed.close()
        moto_hooks.reset()
