"""Service Quotas: ListServiceQuotas, which moto lacks.

Which of Rekognition's quotas AWS lists is unknown, so none is listed. Quotas of other services would be invented; they are
refused as AWS refuses a service that it does not know.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.servicequotas.responses import ServiceQuotasResponse

from tools.emulator.core import moto_hooks


def hooks() -> tuple[moto_hooks.Hook, ...]:
    """Return what adds ListServiceQuotas to moto."""
    return (moto_hooks.Replacement(ServiceQuotasResponse, "list_service_quotas", _list_service_quotas),)


def _list_service_quotas(response: Any) -> str:  # noqa: ANN401 - moto's
    code = response._get_param("ServiceCode")  # noqa: SLF001 - as moto's own methods read a request
    if code != "rekognition":
        raise JsonRESTError("NoSuchResourceException", f"The offline world lists no quotas of {code}")
    return json.dumps({"Quotas": []})
