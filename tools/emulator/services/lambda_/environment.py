"""The code and the environment variables of a function's process."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import threading
import uuid
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tools.emulator.core import Credentials
from tools.emulator.services.lambda_.model import Function
from tools.emulator.settings import EmulatorSettings


class CodeStore:
    """Unpacks each deployment package once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def root(self, code: bytes) -> Path:
        """Return the folder with the unpacked package.

        Raises:
            zipfile.BadZipFile: The package is not a zip file.
        """
        folder = self._directory / hashlib.sha256(code).hexdigest()[:16]
        with self._lock:
            if not folder.is_dir():
                self._unpack(code, folder)
        return folder

    def _unpack(self, code: bytes, folder: Path) -> None:
        unfinished = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
        try:
            with zipfile.ZipFile(io.BytesIO(code)) as package:
                package.extractall(unfinished)
            os.replace(unfinished, folder)  # noqa: PTH105  # the documentation of os.replace promises that it is atomic
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def variables(
    function: Function,
    *,
    root: Path,
    settings: EmulatorSettings,
    endpoint: Mapping[str, str],
    credentials: Credentials,
    now: float,
) -> dict[str, str]:
    """Return the environment variables of a process: the function's, those that lead to this world, and Lambda's.

    Lambda's take precedence: functions cannot set them [L:configuration-envvars]. AWS does not set AWS_CONFIG_FILE,
    AWS_SHARED_CREDENTIALS_FILE and AWS_EC2_METADATA_DISABLED; here they keep the developer's profile and metadata requests out.
    """
    day = datetime.fromtimestamp(now, UTC).strftime("%Y/%m/%d")
    return {
        **function.environment,
        **endpoint,
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(root),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{day}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        **credentials.variables(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }
