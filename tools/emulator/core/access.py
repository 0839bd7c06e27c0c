"""Access to a world: its keys with their principals, and the environment and clients with which programs reach it."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from tools.emulator.settings import EmulatorSettings

USER = "tool"  # the principal of the deployer and of the programs that a person runs
# boto3 puts the account in front of s3control's host, which only a proxy can still find; the server is one
CONTROL_HOST = "s3control.invalid"
CONTROL_ENDPOINT = f"http://{CONTROL_HOST}"
# What IAM's identifiers are made of, after a prefix that names their kind [IAM:reference_identifiers].
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LONG_TERM, _TEMPORARY = "AKIA", "ASIA"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, or a session of a role: what policies apply to."""

    name: str  # what ledgers call it: `tool`, or a function's name
    arn: str  # the ARN that AWS would state: a user's, or that of a role's session
    role: str | None = None  # the ARN of the role, whose policies say what a session may do; None for a user


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a principal signs with; the session token is None for a user, whose keys last."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that hold them.

        The token is there though empty: one that a shell has of another account would be sent along, and refused.
        """
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.session_token or "",
        }


@dataclass(frozen=True, slots=True)
class Key:
    """Credentials, and whose they are."""

    credentials: Credentials
    principal: Principal


class AccessKeys:
    """The keys of one world, random, so that only programs that were given one can use it. Safe to call from any thread.

    Attributes:
        user: The credentials of the account's user.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self._account = settings.account_id
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._sessions: dict[tuple[str, str], Credentials] = {}
        self.user = self._issue(Principal(USER, f"arn:aws:iam::{self._account}:user/{USER}"), _made(_LONG_TERM))

    def session(self, role: str, name: str) -> Credentials:
        """Return the temporary credentials of a role's session, the same each time.

        Args:
            role: The role's ARN.
            name: The session's name; Lambda gives it the function's.
        """
        with self._lock:
            if (role, name) not in self._sessions:
                arn = f"arn:aws:sts::{self._account}:assumed-role/{role.rpartition('/')[2]}/{name}"
                self._sessions[role, name] = self._issue(Principal(name, arn, role), _made(_TEMPORARY, secrets.token_urlsafe(96)))
            return self._sessions[role, name]

    def find(self, access_key: str) -> Key | None:
        """Return a key of this world, or one that IAM or STS made in it, or None."""
        return self._keys.get(access_key) or _made_by_the_api(access_key, self._account)

    def _issue(self, principal: Principal, credentials: Credentials) -> Credentials:
        self._keys[credentials.access_key] = Key(credentials, principal)
        return credentials


def _made(prefix: str, token: str | None = None) -> Credentials:
    return Credentials(prefix + "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_hex(20), token)


def _made_by_the_api(access_key: str, account: str) -> Key | None:
    """Return a key from CreateAccessKey or AssumeRole: only the holder of a key can have asked for it."""
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
    """Return the session of a Region: what it loads of botocore's models takes longer than a call."""
    return boto3.Session(region_name=region)


class Access:
    """How the user reaches one endpoint."""

    def __init__(self, endpoint: str, settings: EmulatorSettings, user: Credentials) -> None:
        self._endpoint = endpoint
        self._region = settings.region
        self._session = _session(settings.region)
        self._user = user

    def environment(self) -> dict[str, str]:
        """Return the variables with which boto3 and the AWS CLI reach the world as its user, and nothing else."""
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
        """Return a boto3 client of the world; `config` are settings of botocore's Config."""
        if service == "s3control":
            return self._made(service, CONTROL_ENDPOINT, Config(proxies={"http": self._endpoint}, **config))
        return self._made(service, self._endpoint, Config(proxies={}, **config))

    def _made(self, service: str, endpoint: str, config: Config) -> Any:  # noqa: ANN401 - the type depends on the service
        return self._session.client(  # type: ignore[call-overload] # any service
            service,
            endpoint_url=endpoint,
            config=config,
            aws_access_key_id=self._user.access_key,
            aws_secret_access_key=self._user.secret_key,
            aws_session_token=self._user.session_token,
        )
