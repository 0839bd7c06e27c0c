"""The parts of a world that outlive its process: S3, the items of tables, and the batch jobs that have ended.

Everything else comes from the deployment or is lost, as in an outage: messages, invocations, and Rekognition's jobs. What is stored
has to cope with that anyway.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.emulator.core import Credentials

# Raised by whoever changes what a state consists of.
FORMAT = 1


class StateError(Exception):
    """A file holds no state that this version can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of a world.

    Attributes:
        now: The world's time, which must not go back.
        port: The server's port and, with `user`, what lets a shell go on that was led to the world.
        user: The credentials of the account's user.
        names: The names of the stack's buckets and tables by their logical ids: retained, they keep their names.
        buckets: S3's buckets, as moto has them.
        items: The items of each table.
        jobs: The batch jobs.
    """

    now: float
    port: int
    user: Credentials
    names: dict[str, str]
    buckets: dict[str, Any]
    items: dict[str, list[Any]]
    jobs: list[Any]

    def write(self, path: Path) -> None:
        """Write the state to a file, which an interruption leaves as it was."""
        part = path.with_name(f"{path.name}.part")
        part.touch(mode=0o600)  # it holds the world's keys
        with part.open("wb") as file:
            pickle.dump((FORMAT, self), file, protocol=pickle.HIGHEST_PROTOCOL)
        part.replace(path)


def read_state(path: Path) -> State:
    """Return the state that a file holds.

    Raises:
        StateError: It holds none, or one of another version.
    """
    try:
        with path.open("rb") as file:
            version, state = pickle.load(file)  # noqa: S301 - written by `write` into the user's own folder
    except Exception as error:
        raise StateError(f"{path} cannot be read as a state: {error}") from error
    if version != FORMAT or not isinstance(state, State):
        raise StateError(f"{path} holds a state of another version")
    return state
