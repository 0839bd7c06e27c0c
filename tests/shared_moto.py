"""What moto does anew for each request and account, done once in a process: the answers depend on its classes and routes alone."""

import functools
import importlib
import sys
from contextlib import contextmanager

import pytest


@contextmanager
def moto_repeats_less():
    """Let moto remember what it finds, as long as the block lasts; nothing is imported for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("moto.core.responses", "moto.sqs.models"):
            if module := sys.modules.get(name):
                # Letter by letter, for each queue and request.
                patch.setattr(module, "camelcase_to_underscores", functools.cache(module.camelcase_to_underscores))
        if responses := sys.modules.get("moto.core.responses"):
            patch.setattr(responses, "method_names_from_class", functools.cache(responses.method_names_from_class))
        if backends := sys.modules.get("moto.core.base_backend"):
            _patch_backends(patch, backends)
        if models := sys.modules.get("moto.s3.models"):
            patch.setattr(models.S3Backend, "_url_module", property(_urls_of_s3()))
        yield


def _patch_backends(patch, backends):
    create = backends.BackendDict._create_account_specific_backend
    # What an account has is known where accounts are reset as long as it is there: both are forgotten together.
    patch.setattr(
        backends.BackendDict,
        "_create_account_specific_backend",
        lambda services, account: account in services.keys() or create(services, account),  # noqa: SIM118 # moto's own `in`
    )
    patch.setattr(backends.BaseBackend, "urls", property(_urls(backends)))


def _urls(backends):
    """Return what gives a backend's patterns with what answers them, made anew where its routes have changed."""
    make, known = backends.BaseBackend.urls.fget, {}

    def urls(backend):
        module = backend._url_module
        routes = backends.enable_iso_regions(), tuple(module.url_bases), tuple(module.url_paths.items())
        if known.get(module, (None,))[0] != routes:
            known[module] = routes, make(backend)
        return known[module][1]

    return urls


def _urls_of_s3():
    """Return what gives S3's routes, loaded anew where another class answers them."""
    from moto.s3 import responses, urls  # noqa: PLC0415 - they are there where this is called

    loaded = [None]

    def url_module(_):
        if loaded[0] is not responses.S3Response:
            importlib.reload(urls)
            loaded[0] = responses.S3Response
        return urls

    return url_module
