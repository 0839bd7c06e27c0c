"""Access to a world: keys and their principals, and the environment variables and clients with which programs reach it."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from tools.emulator.settings import EmulatorSettings

USER = "tool"  # the principal of the deployer and of the programs that a person runs
# boto3 prefixes s3control's host with the account, and only a proxy finds such a host; the server is one.
CONTROL_HOST = "s3control.invalid"
CONTROL_ENDPOINT = f"http://{CONTROL_HOST}"
# What IAM's identifiers consist of after a prefix that tells their kind [IAM:reference_identifiers].
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LONG_TERM, _TEMPORARY = "AKIA", "ASIA"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a user, or a session of a role."""

    name: str  # as ledgers show it: `tool`, or a function's name
    arn: str  # of the user, or of the role's session
    role: str | None = None  # the ARN of a session's role; None for a user


_caller: ContextVar[Principal | None] = ContextVar("caller", default=None)


def caller() -> Principal | None:
    """Return who sent the request that this thread carries out; None if a service acts by itself, or there is no server."""
    return _caller.get()


@contextmanager
def calling(principal: Principal) -> Iterator[None]:
    """Have the block carry out a request of a principal."""
    token = _caller.set(principal)
    try:
        yield
    finally:
        _caller.reset(token)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a principal signs with; a user, whose keys do not expire, has no session token."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that hold them.

        An empty token is among them too: the shell may have one of another account, which would be sent along and refused.
        """
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.session_token or "",
        }


@dataclass(frozen=True, slots=True)
class Key:
    """Credentials and their owner."""

    credentials: Credentials
    principal: Principal


class AccessKeys:
    """The keys of one world: random, so that only programs that were given one can use it. Safe to call from any thread.

    Attributes:
        user: The credentials of the account's user.
    """

    def __init__(self, settings: EmulatorSettings, user: Credentials | None = None) -> None:
        """Make the keys of the user; `user` has the user keep those of an earlier world."""
        self._account = settings.account_id
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._sessions: dict[tuple[str, str], Credentials] = {}
        self.user = self._issue(Principal(USER, f"arn:aws:iam::{self._account}:user/{USER}"), user or _new_credentials(_LONG_TERM))

    def session(self, role: str, name: str) -> Credentials:
        """Return the credentials of a session of a role (its ARN), the same each time; Lambda names sessions after functions."""
        with self._lock:
            if (role, name) not in self._sessions:
                arn = f"arn:aws:sts::{self._account}:assumed-role/{role.rpartition('/')[2]}/{name}"
                self._sessions[role, name] = self._issue(
                    Principal(name, arn, role), _new_credentials(_TEMPORARY, secrets.token_urlsafe(96))
                )
            return self._sessions[role, name]

    def find(self, access_key: str) -> Key | None:
        """Return a key of this world, made here or by IAM or STS; None if it has no such key."""
        return self._keys.get(access_key) or _made_by_the_api(access_key, self._account)

    def _issue(self, principal: Principal, credentials: Credentials) -> Credentials:
        self._keys[credentials.access_key] = Key(credentials, principal)
        return credentials


def _new_credentials(prefix: str, token: str | None = None) -> Credentials:
    return Credentials(prefix + "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_hex(20), token)


def _made_by_the_api(access_key: str, account: str) -> Key | None:
    """Return a key from CreateAccessKey or AssumeRole, which only a holder of another key can have called."""
    iam = iam_backends[account]["aws"]
    found = iam.access_keys.get(access_key)
    if found is None or found.status != "Active":
        return None
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    if session is not None:
        principal = Principal(session.session_name, session.arn, session.role_arn)
        return Key(Credentials(access_key, session.secret_access_key, session.session_token), principal)
    user = iam.get_user(found.user_name)
    return Key(Credentials(access_key, found.secret_access_key), Principal(user.name, user.arn))


@cache
def _session(region: str) -> boto3.Session:
    """Return the session of a Region, whatever AWS configuration the user has.

    It is kept, because loading botocore's models takes longer than a call.
    """
    nothing = {"profile": (None, None, None, None)} | dict.fromkeys(
        ("config_file", "credentials_file"), (None, None, os.devnull, None)
    )
    return boto3.Session(region_name=region, botocore_session=botocore.session.Session(session_vars=nothing))


class Access:
    """How the user reaches one endpoint: by environment variables or by clients."""

    def __init__(self, endpoint: str, settings: EmulatorSettings, user: Credentials) -> None:
        self._endpoint = endpoint
        self._region = settings.region
        self._session = _session(settings.region)
        self._user = user

    def environment(self) -> dict[str, str]:
        """Return the variables with which boto3 and the AWS CLI reach this world as its user, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_ENDPOINT_URL_S3_CONTROL": CONTROL_ENDPOINT,
            "HTTP_PROXY": self._endpoint,
            "NO_PROXY": f"{urlsplit(self._endpoint).hostname},localhost",
            **self._user.variables(),
            "AWS_DEFAULT_REGION": self._region,
            "AWS_REGION": self._region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401 - the type depends on the service
        """Return a boto3 client of the world; `config` are arguments of botocore's Config."""
        if service == "s3control":
            return self._new_client(service, CONTROL_ENDPOINT, Config(proxies={"http": self._endpoint}, **config))
        return self._new_client(service, self._endpoint, Config(proxies={}, **config))

    def _new_client(self, service: str, endpoint: str, config: Config) -> Any:  # noqa: ANN401 - the type depends on the service
        return self._session.client(  # type: ignore[call-overload] # any service
            service,
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=self._user.access_key,
            aws_secret_access_key=self._user.secret_key,
            aws_session_token=self._user.session_token,
        )
