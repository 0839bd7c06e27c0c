"""botocore's service models, read and parsed once in a process instead of once a session.

A session of its own is what keeps a test's credentials, Region, events and clients apart from another's; the models are the same
for all. They are data from botocore's package, and nothing writes to them.
"""

import functools
from contextlib import contextmanager

import botocore.session
import pytest
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.model import ServiceModel


@contextmanager
def shared_models():
    """Let all sessions of this process share loaders and models, as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", _loaders(botocore.session.create_loader))
        patch.setattr(ClientCreator, "_load_service_model", _service_model)
        # The names of events are the same in all sessions, too; finding them anew takes half of making one.
        aliased = functools.cache(EventAliaser(None)._alias_event_name)
        patch.setattr(EventAliaser, "_alias_event_name", lambda _, event_name: aliased(event_name))
        yield


def _loaders(create):
    """Return a function that gives one loader for each search path of models."""
    cached = functools.cache(create)

    def loader(search_path_string=None):
        found = cached(search_path_string)
        # boto3 adds its own folder for each session.
        found.search_paths[:] = dict.fromkeys(found.search_paths)
        return found

    return loader


def _service_model(creator, service, api_version=None):
    """Return what botocore's method of this name does, with operations and shapes that an earlier client has parsed."""
    return _parsed(creator._loader, service, api_version)


@functools.cache
def _parsed(loader, service, api_version):
    return ServiceModel(loader.load_service_model(service, "service-2", api_version=api_version), service_name=service)
