"""A policy in a file: read, checked, and warned about where it is valid but suspicious."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path

from handlers.domain import Policy, policy, taxonomy
from handlers.domain.policy import PolicyError
from tools.lib.bounded import MAX_SETTINGS, read_file
from tools.lib.errors import ToolError
from tools.lib.text import printable

SCHEMA = "tools/lib/rejudge/policy.schema.json"


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy, with its labels as the file spells them."""

    policy: Policy
    labels: tuple[str, ...]

    def warnings(self) -> list[str]:
        """Return a warning for each label that the taxonomy does not know; AWS renames labels, so it is not an error."""
        return [_unknown(label) for label in self.labels if not taxonomy.known(label)]

    def name_of(self, folded: str) -> str:
        """Return a rule's label as the file spells it."""
        return next((label for label in self.labels if taxonomy.folded(label) == folded), folded)


def read(path: Path) -> PolicyFile:
    """Return what `policy FILE` is to judge by, with its labels as they are spelt there.

    Raises:
        ToolError: It is not a policy in UTF-8, or too large for one; the message names the fault.
        OSError: It cannot be read.
    """
    try:
        text = read_file(path, "a policy", MAX_SETTINGS).decode("utf-8-sig")
        return PolicyFile(policy.parse(text), tuple(json.loads(text).get("labels", {})))
    except UnicodeDecodeError as fault:
        raise ToolError(f"{path}: the policy is not written in UTF-8 ({fault}).", cure="Save it as UTF-8.") from fault
    except PolicyError as fault:
        raise ToolError(
            f"{path}: {fault}", cure=f"Fix the file; {SCHEMA} describes it, and many editors can check against it."
        ) from fault


def _unknown(label: str) -> str:
    names = {taxonomy.folded(name): name for name in taxonomy.names()}
    close = difflib.get_close_matches(taxonomy.folded(label), names, n=1, cutoff=0.6)
    meant = f' Did you mean "{names[close[0]]}"?' if close else ""
    return (
        f'The policy has a rule for "{printable(label)}", which is not a label of Rekognition\'s model {taxonomy.MODEL_VERSION}: '
        f"the rule applies to nothing, unless a newer model knows it.{meant}"
    )
