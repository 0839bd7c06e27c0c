"""The clients: retries and time-outs of each are said, whatever boto3's defaults or the environment are."""

import pytest

from handlers.runtime.clients import CONFIGS, Clients

SERVICES = {"lambda": "functions"} | {name: name for name in ("dynamodb", "s3", "s3control", "sqs", "sns", "rekognition")}


@pytest.mark.parametrize("service", SERVICES)
def test_explicit(aws, monkeypatch, service):
    """Mode, attempts and time-outs of each client are the ones of the factory."""
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")

    config = getattr(Clients(), SERVICES[service]).meta.config

    wanted = CONFIGS[service]
    assert wanted.retries == {"mode": config.retries["mode"], "total_max_attempts": config.retries["total_max_attempts"]}
    assert (wanted.connect_timeout, wanted.read_timeout) == (config.connect_timeout, config.read_timeout)


def test_one_call_is_one_call(aws):
    """Rekognition is never called again by the SDK: at the job limit each repetition would be a call too many."""
    assert 1 == CONFIGS["rekognition"].retries["total_max_attempts"]


def test_all():
    """Every service that a handler uses has its own configuration."""
    assert set(SERVICES) == set(CONFIGS)
