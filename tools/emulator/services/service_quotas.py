"""Service Quotas: moto has no ListServiceQuotas.

Which of Rekognition's quotas AWS lists is not known to us: here none is. Those of other services would be
invented, so a request for them is refused, as AWS refuses a service that it does not know.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.servicequotas.responses import ServiceQuotasResponse

from tools.emulator.core import moto_hooks


def hooks() -> tuple[moto_hooks.Hook, ...]:
    """Return what has moto answer ListServiceQuotas."""
    return (moto_hooks.Replacement(ServiceQuotasResponse, "list_service_quotas", _list_service_quotas),)


def _list_service_quotas(response: Any) -> str:  # noqa: ANN401 - moto's
    code = response._get_param("ServiceCode")  # noqa: SLF001 - how moto's own answers read a request
    if code != "rekognition":
        raise JsonRESTError("NoSuchResourceException", f"The offline world lists no quotas of {code}")
    return json.dumps({"Quotas": []})
