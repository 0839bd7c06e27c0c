"""Service Quotas and Lambda's account settings, over HTTP as a program asks for them."""

import pytest
from botocore.exceptions import ClientError

from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world whose account may run 70 functions at a time."""
    with World(EmulatorSettings(account_concurrency=70), directory=tmp_path_factory.mktemp("world")) as made:
        yield made


def test_account_settings(world):
    """The account's concurrency is that of the settings, and all of it is free where nothing is reserved."""
    answer = world.client("lambda").get_account_settings()

    assert (70, 70) == tuple(answer["AccountLimit"][name] for name in ("ConcurrentExecutions", "UnreservedConcurrentExecutions"))
    assert {"TotalCodeSize": 0, "FunctionCount": 0} == answer["AccountUsage"]


def test_quotas(world):
    """Of Rekognition no quota is listed; a service whose quotas would be invented is refused by name."""
    quotas = world.client("service-quotas")

    pages = list(quotas.get_paginator("list_service_quotas").paginate(ServiceCode="rekognition"))
    with pytest.raises(ClientError, match="lists no quotas of s3") as refused:
        quotas.list_service_quotas(ServiceCode="s3")

    assert [[]] == [page["Quotas"] for page in pages]
    assert "NoSuchResourceException" == refused.value.response["Error"]["Code"]
