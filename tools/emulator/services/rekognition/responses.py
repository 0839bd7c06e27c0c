"""Rekognition's requests: content moderation is answered here, what moto has by moto, anything else is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.rekognition import urls
from moto.rekognition.responses import RekognitionResponse

from tools.emulator.core import Answer, AwsError, moto_hooks, refuse
from tools.emulator.services.rekognition.backend import ContentModeration
from tools.emulator.services.rekognition.parameters import SERVICE


class ContentModerationResponse(RekognitionResponse):  # type: ignore[misc] # moto is untyped
    """Moto's Rekognition with content moderation by an engine, which a subclass of each installation holds."""

    engine: ContentModeration

    def start_content_moderation(self) -> Answer:
        return self._answer(self.engine.start)

    def get_content_moderation(self) -> Answer:
        return self._answer(self.engine.get)

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


def hooks(engine: ContentModeration) -> tuple[moto_hooks.Hook, ...]:
    """Return what has an engine answer Rekognition's requests."""
    # moto makes an instance for each request, so it finds the engine through the class
    base = ContentModerationResponse
    installed: type[ContentModerationResponse] = type("InstalledModerationResponse", (base,), {"engine": engine})
    return moto_hooks.routes(urls, installed.dispatch)


def _http(status: int, content: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1", "status": str(status)}, json.dumps(content)
