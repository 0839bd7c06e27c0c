"""How programs and tests reach a world: environment variables, and boto3 clients that need none."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tools.emulator.settings import EmulatorSettings

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"  # the example key of AWS's documentation
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 - the secret of that example
# boto3 puts the account in front of s3control's host, which only a proxy can still find; the server is one
CONTROL_ENDPOINT = "http://s3control.invalid"


@cache
def _session(region: str) -> boto3.Session:
    """Return the session of a Region: what it loads of botocore's models takes longer than a call."""
    return boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=region)


class Access:
    """The ways to one endpoint."""

    def __init__(self, endpoint: str, settings: EmulatorSettings) -> None:
        self._endpoint = endpoint
        self._region = settings.region
        self._session = _session(settings.region)

    def environment(self) -> dict[str, str]:
        """Return the variables with which boto3 and the AWS CLI reach the world, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ENDPOINT_URL_S3_CONTROL": CONTROL_ENDPOINT,
            "HTTP_PROXY": self._endpoint,
            "NO_PROXY": f"{urlsplit(self._endpoint).hostname},localhost",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_REGION": self._region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401 - the type depends on the service
        """Return a boto3 client of the world; `config` are settings of botocore's Config."""
        if service == "s3control":
            proxied = Config(proxies={"http": self._endpoint}, **config)
            return self._session.client("s3control", endpoint_url=CONTROL_ENDPOINT, config=proxied)
        direct = Config(proxies={}, **config)
        return self._session.client(service, endpoint_url=self._endpoint, config=direct)  # type: ignore[call-overload] # any service
