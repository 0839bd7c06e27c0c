"""What Lambda says of the account: GetAccountSettings, which moto lacks [bc:lambda AccountLimit, AccountUsage]."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda import urls
from moto.awslambda.responses import LambdaResponse

from tools.emulator.core import moto_hooks

PATH = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
# Quotas of 75 GB for all code, 250 MB unzipped, 50 MB for an upload [L:gettingstarted-limits].
TOTAL_CODE_BYTES, UNZIPPED_BYTES, ZIPPED_BYTES = 80_530_636_800, 262_144_000, 52_428_800


def hooks(concurrency: int) -> tuple[moto_hooks.Hook, ...]:
    """Return what has moto's Lambda answer GetAccountSettings, for an account with a limit of concurrent invocations."""

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
