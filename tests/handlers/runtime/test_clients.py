"""The clients: retries and time-outs are explicit, whatever boto3's defaults or the environment."""

import pytest

from handlers.runtime.clients import CONFIGS, Clients

SERVICES = {"lambda": "functions"} | {name: name for name in ("dynamodb", "events", "s3", "s3control", "sqs", "sns", "rekognition")}


@pytest.mark.parametrize("service", SERVICES)
def test_explicit(aws, monkeypatch, service):
    """Retry mode, attempts and time-outs of each client are the configured ones."""
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")

    config = getattr(Clients(), SERVICES[service]).meta.config

    expected = CONFIGS[service]
    assert expected.retries == {"mode": config.retries["mode"], "total_max_attempts": config.retries["total_max_attempts"]}
    assert (expected.connect_timeout, expected.read_timeout) == (config.connect_timeout, config.read_timeout)


def test_one_call_is_one_call(aws):
    """The SDK never retries Rekognition: at the job limit each retry would be one call too many."""
    assert 1 == CONFIGS["rekognition"].retries["total_max_attempts"]


def test_all():
    """Every service that a handler uses has its own configuration."""
    assert set(SERVICES) == set(CONFIGS)
