"""The gate of a bucket: statements of its policy that follow from the tag of a verdict. They are printed, never installed."""

from tools.lib.gate.policy_document import read_policy, statements_of
from tools.lib.gate.propose import propose, withdraw
from tools.lib.gate.result import MergedPolicy
from tools.lib.gate.reviewer import ReviewerArn
from tools.lib.gate.statements import READING, TAGGING, GatePolicy, Roles, exempts, policy_of

__all__ = [
    "READING",
    "TAGGING",
    "GatePolicy",
    "MergedPolicy",
    "ReviewerArn",
    "Roles",
    "exempts",
    "policy_of",
    "propose",
    "read_policy",
    "statements_of",
    "withdraw",
]
