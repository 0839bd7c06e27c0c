"""Every change that the offline world makes to moto, and how it is undone; services describe as data what they need.

moto reads some of its tables when its server or `mock_aws` starts, so install routes before that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, NoReturn

from moto.cloudformation import parsing
from moto.core.base_backend import BackendDict
from moto.core.common_models import CloudFormationModel
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tools.emulator.core.refusal import refuse
from tools.emulator.core.server import Application

ACCOUNT_VARIABLE = "MOTO_ACCOUNT_ID"  # where moto looks for the account of a request
# moto's own services beside AWS's APIs: a dashboard that reads and resets everything, and an instance's metadata
_CLOSED = ("moto_api", "instance_metadata")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Route:
    """Has `dispatch` answer a path of a service, whether moto knows the path or not."""

    urls: ModuleType  # the `urls` module of moto's service
    path: str  # a pattern as in its `url_paths`
    dispatch: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Replacement:
    """Gives an attribute of a class or a module another value; it may be absent before."""

    owner: type | ModuleType
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class After:
    """Calls `then(result, *arguments)` after a method of moto's; the arguments begin with the instance or class."""

    owner: type
    name: str
    then: Callable[..., Any]


Hook = Route | Replacement | After


def routes(urls: ModuleType, dispatch: Callable[..., Any]) -> tuple[Route, ...]:
    """Return the hooks that have `dispatch` answer every path of a service."""
    return tuple(Route(urls, path, dispatch) for path in urls.url_paths)


def install(hooks: Iterable[Hook]) -> ExitStack:
    """Apply hooks in order; closing what is returned undoes them, the last one first."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()  # moto may have listed its resource types before ours were added
    with ExitStack() as undo:
        for hook in tuple(hooks):  # a generator is read to its end before the first hook changes anything
            undo.callback(_apply(hook))
        return undo.pop_all()


def _apply(hook: Hook) -> Callable[[], None]:
    match hook:
        case Route(urls, path, dispatch):
            return _put(urls.url_paths, path, dispatch)
        case Replacement(owner, name, value):
            return _replace(owner, name, value)
        case After(owner, name, then):
            return _replace(owner, name, _followed(vars(owner)[name], then))


def _put(paths: MutableMapping[str, object], path: str, dispatch: object) -> Callable[[], None]:
    before = paths.get(path, _ABSENT)
    paths[path] = dispatch
    return partial(paths.__delitem__, path) if before is _ABSENT else partial(paths.__setitem__, path, before)


def _replace(owner: type | ModuleType, name: str, value: object) -> Callable[[], None]:
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, value)
    return partial(delattr, owner, name) if before is _ABSENT else partial(setattr, owner, name, before)


def _followed(original: Any, then: Callable[..., Any]) -> object:  # noqa: ANN401 - a function or a class method of moto's
    inner = original.__func__ if isinstance(original, classmethod) else original

    def wrapped(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - any method of moto's
        result = inner(*args, **kwargs)
        then(result, *args, **kwargs)
        return result

    return classmethod(wrapped) if isinstance(original, classmethod) else wrapped


class Resource:
    """A resource of a type that moto's CloudFormation lacks: `Ref` returns its id, `Fn::GetAtt` its ARN if it has one."""

    def __init__(self, physical_id: str, arn: str | None = None) -> None:
        self.physical_resource_id = physical_id
        self.arn = arn

    def get_cfn_attribute(self, _: str) -> str | None:
        """Return the ARN, the only attribute."""
        return self.arn


def resource_type(
    name: str,
    create: Callable[[str, dict[str, Any], Any], tuple[str, ...]],
    delete: Callable[[str, Any], None] = lambda *_: None,
    *,
    has_arn: bool = False,
) -> type[Resource]:
    """Add a resource type to moto's CloudFormation while the returned class exists: moto finds it as a subclass of its model.

    Args:
        name: The name of the type.
        create: Makes a resource from its logical id, its properties, and (account, Region); returns its id, perhaps with its ARN.
        delete: Deletes a resource by its id and (account, Region).
        has_arn: Whether `Fn::GetAtt` knows `Arn`.
    """

    def created(cls: type[Resource], /, logical_id: str, template: Any, account: str, region: str, **_: object) -> Resource:  # noqa: ANN401 - moto's
        return cls(*create(logical_id, template["Properties"], (account, region)))

    def updated(*_: object, **__: object) -> NoReturn:
        raise refuse("cloudformation", f"a change of {name}")

    members = {
        "cloudformation_type": staticmethod(lambda: name),
        "cloudformation_name_type": staticmethod(lambda: ""),
        "has_cfn_attr": staticmethod(lambda attribute: has_arn and attribute == "Arn"),
        "create_from_cloudformation_json": classmethod(created),
        "update_from_cloudformation_json": staticmethod(updated),
        "delete": lambda made, account, region: delete(made.physical_resource_id, (account, region)),
    }
    return type(name, (Resource, CloudFormationModel), members)


@contextmanager
def account(account_id: str) -> Iterator[None]:
    """Have requests belong to an account until the end of the block."""
    before = os.environ.get(ACCOUNT_VARIABLE)
    os.environ[ACCOUNT_VARIABLE] = account_id
    try:
        yield
    finally:
        os.environ.pop(ACCOUNT_VARIABLE, None)
        if before is not None:
            os.environ[ACCOUNT_VARIABLE] = before


def reset() -> None:
    """Empty moto: its backends, and the instances that its models track."""
    BackendDict.reset()
    reset_model_data()


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc] # moto is untyped
    """Remembers which host means which service; moto lists a folder for that at every request (0.3 ms, measured)."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's
        """Return the service's name; None for moto's own services, so that the signature decides. moto holds its lock meanwhile."""
        if host not in self._known:
            self._known[host] = None if host in _CLOSED else super().get_backend_for_host(host)
        return self._known[host]


def application() -> Application:
    """Return moto's application, made anew so that it has the routes that are installed now."""
    made: Application = _Dispatcher()
    return made
