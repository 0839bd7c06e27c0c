"""The ARN of a user or role that a gate lets through."""

from __future__ import annotations

import re

import click

# A name begins with a character of its own: a pattern for all roles of an account would open the gate to the account.
_REVIEWER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(user|role)/[\w+=,.@-][\w+=,.@/*?-]*", re.ASCII)
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/([\w+=,.@-]+)/.+", re.ASCII)


class ReviewerArn(click.ParamType[str]):
    """The ARN of an IAM user or role, in which `*` and `?` match as in IAM."""

    name = "arn"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if _REVIEWER.fullmatch(value):
            return value
        fault = f"{value!r} is not the ARN of a user or role; use arn:aws:iam::111122223333:role/NAME"
        if session := _SESSION.fullmatch(value):
            role = f"`aws iam get-role --role-name {session[1]} --query Role.Arn`"
            fault = f"{value!r} is a session, and a policy knows it by its role: pass what {role} prints"
        return self.fail(fault, param, ctx)
