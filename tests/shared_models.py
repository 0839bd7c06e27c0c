"""botocore's service models and rules of endpoints, read and parsed once in a process instead of once a session or client.

A session of its own is what keeps a test's credentials, Region, events and clients apart from another's; the models and rules are
the same for all. They are data from botocore's package, and nothing writes to them.
"""

import functools
import inspect
from contextlib import contextmanager

import botocore.hooks
import botocore.regions
import botocore.session
import botocore.useragent
import pytest
from botocore.client import ClientCreator
from botocore.endpoint_provider import EndpointProvider
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
        # What a client is made of for each of its operations, rules and handlers, most of the time that making one takes.
        patch.setattr(ClientCreator, "_create_methods", _methods_by_model(ClientCreator._create_methods))
        patch.setattr(botocore.regions, "EndpointProvider", _providers())
        patch.setattr(botocore.hooks, "accepts_kwargs", _accepts_kwargs(botocore.hooks.accepts_kwargs))
        # The header User-Agent, of thirty components, for each request.
        component = botocore.useragent.UserAgentComponent
        patch.setattr(component, "to_string", functools.lru_cache(component.to_string))
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


def _methods_by_model(create):
    """Return what makes a client's methods, the same for all clients of a service; a session may add others to its own."""
    by_model = {}

    def methods(creator, service_model):
        if service_model not in by_model:
            by_model[service_model] = create(creator, service_model)
        return dict(by_model[service_model])

    return methods


def _providers():
    """Return what gives one provider of endpoints for each set of rules; what it finds depends on its parameters alone."""
    by_rules = {}

    def provider(ruleset_data, partition_data, excluded_params=None):
        # The loaders keep the data, so no other has its id.
        key = id(ruleset_data), id(partition_data), frozenset(excluded_params or ())
        if key not in by_rules:
            by_rules[key] = EndpointProvider(ruleset_data, partition_data, excluded_params), ruleset_data, partition_data
        return by_rules[key][0]

    return provider


def _accepts_kwargs(inspected):
    """Return what tells whether a function takes any keyword: a flag of its code, for which botocore parses its signature."""

    def accepts(function):
        code = getattr(function, "__code__", None)
        return inspected(function) if code is None else bool(code.co_flags & inspect.CO_VARKEYWORDS)

    return accepts
