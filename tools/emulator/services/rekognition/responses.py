"""Rekognition's requests: moderation is answered here, what moto has by moto, anything else is refused by name."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.rekognition import urls
from moto.rekognition.responses import RekognitionResponse

from tools.emulator.core import Answer, AwsError, moto_hooks, refuse
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.errors import RekognitionError
from tools.emulator.services.rekognition.images import ImageModeration
from tools.emulator.services.rekognition.parameters import SERVICE


class ContentModerationResponse(RekognitionResponse):  # type: ignore[misc] # moto is untyped
    """Moto's Rekognition with content moderation by engines, which a subclass of each installation holds."""

    engine: ContentModeration
    images: ImageModeration

    def start_content_moderation(self) -> Answer:
        return self._answer(self.engine.start)

    def get_content_moderation(self) -> Answer:
        return self._answer(self.engine.get)

    def detect_moderation_labels(self) -> Answer:
        return self._answer(lambda parameters: self.images.detect(_decoded(parameters)))

    def call_action(self) -> Any:  # noqa: ANN401 - moto's own type
        """Answer any operation; one that neither this nor moto implements is refused by name."""
        try:
            if not hasattr(self, camelcase_to_underscores(self._get_action())):
                raise refuse(SERVICE, self._get_action())
            return super().call_action()
        except AwsError as error:
            return _http(error.status, {"__type": error.code, "Code": error.code, "Message": error.message})

    def _answer(self, operation: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Answer:
        return _http(200, operation(json.loads(self.body or "{}")))


def hooks(engine: ContentModeration, images: ImageModeration) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks with which these engines answer Rekognition's requests."""
    # moto makes an instance for each request, so it finds the engines through the class
    base = ContentModerationResponse
    installed: type[ContentModerationResponse] = type("InstalledModerationResponse", (base,), {"engine": engine, "images": images})
    return moto_hooks.routes(urls, installed.dispatch)


def _decoded(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a request whose `Image.Bytes`, base64 on the wire, are decoded."""
    image = parameters.get("Image")
    if not isinstance(image, dict) or image.get("Bytes") is None:
        return parameters
    try:
        return {**parameters, "Image": {**image, "Bytes": base64.b64decode(image["Bytes"], validate=True)}}
    except (binascii.Error, TypeError):
        raise RekognitionError("SerializationException", "Image.Bytes is not base64.") from None


def _http(status: int, content: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1", "status": str(status)}, json.dumps(content)
