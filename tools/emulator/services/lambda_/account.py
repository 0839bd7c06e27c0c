"""GetAccountSettings, which moto lacks [bc:lambda AccountLimit, AccountUsage]."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda import urls
from moto.awslambda.responses import LambdaResponse

from tools.emulator.core import moto_hooks

PATH = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
# The quotas for all code (75 GB), unzipped code (250 MB) and an upload (50 MB) [L:gettingstarted-limits].
TOTAL_CODE_BYTES, UNZIPPED_BYTES, ZIPPED_BYTES = 80_530_636_800, 262_144_000, 52_428_800


def hooks(concurrency: int) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks that make moto's Lambda answer GetAccountSettings with this limit of concurrent invocations."""

    def get_account_settings(response: Any) -> str:  # noqa: ANN401  # moto's
        functions = list(response.backend.list_functions(None))
        reserved = sum(int(fn.reserved_concurrency or 0) for fn in functions)
        limit = {
            "TotalCodeSize": TOTAL_CODE_BYTES,
            "CodeSizeUnzipped": UNZIPPED_BYTES,
            "CodeSizeZipped": ZIPPED_BYTES,
            "ConcurrentExecutions": concurrency,
            "UnreservedConcurrentExecutions": concurrency - reserved,
        }
        usage = {"TotalCodeSize": sum(int(fn.code_size) for fn in functions), "FunctionCount": len(functions)}
        return json.dumps({"AccountLimit": limit, "AccountUsage": usage})

    return (
        moto_hooks.Replacement(LambdaResponse, "get_account_settings", get_account_settings),
        moto_hooks.Route(urls, PATH, LambdaResponse.dispatch),
    )
