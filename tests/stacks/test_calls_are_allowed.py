"""Every AWS call that a function can reach is allowed by its role, and no role allows a call that its function cannot reach.

The source is read, not run: from `handler` on, every name that a function mentions may be any function of that name in the modules
that its file imports, directly or not. That finds too much rather than too little. What really is called is seen end to end.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Which action a method of an AWS client needs: https://docs.aws.amazon.com/service-authorization/latest/reference/
ACTIONS = {
    "get_item": {"dynamodb:GetItem"},
    "batch_get_item": {"dynamodb:BatchGetItem"},
    "query": {"dynamodb:Query"},
    "put_item": {"dynamodb:PutItem"},
    "update_item": {"dynamodb:UpdateItem"},
    "delete_item": {"dynamodb:DeleteItem"},
    "batch_write_item": {"dynamodb:BatchWriteItem"},
    "transact_write_items": set(),  # needs the actions of its parts, see PARTS
    "send_message": {"sqs:SendMessage"},
    "change_message_visibility": {"sqs:ChangeMessageVisibility"},
    "head_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},  # the last one so that missing is 404, not 403
    "get_object": {"s3:GetObject", "s3:GetObjectVersion"},
    "start_content_moderation": {"rekognition:StartContentModeration", "iam:PassRole"},
    "get_content_moderation": {"rekognition:GetContentModeration"},
    "publish": {"sns:Publish"},
    "describe_job": {"s3:DescribeJob"},
}
# A transaction is a list of {"Put": ...}, {"Update": ...}, {"Delete": ...}.
PARTS = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem"}
# What Lambda itself does in a function's name: logs, polling a lane, dead letters.
BY_LAMBDA = {
    "batch_invoke": set(),
    "start_analysis": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "completion": {"sqs:SendMessage"},
    "sweeper": {"sqs:SendMessage"},
}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


@pytest.fixture(scope="module")
def sources():
    """Return the syntax tree of each module of the package `handlers`."""
    paths = sorted((ROOT / "handlers").rglob("*.py"))
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for path in paths
    }


def reached(sources, module):
    """Return the functions that a module's `handler` may lead to."""
    modules = imported(sources, f"handlers.{module}", set())
    known = {}
    for name in modules:
        for bearer, function in functions_of(sources[name]):
            if bearer != "handler" or name == f"handlers.{module}":
                known.setdefault(bearer, []).append(function)
    seen, names = set(), ["handler"]
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            names += [mentioned for function in known.get(name, []) for mentioned in mentions(function)]
    return [function for name in seen for function in known.get(name, [])]


def imported(sources, module, found):
    """Add a module and those of the package that it imports, directly or not."""
    if module in sources and module not in found:
        found.add(module)
        for node in ast.walk(sources[module]):
            if isinstance(node, ast.ImportFrom) and node.module:
                for target in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    imported(sources, target, found)
    return found


def functions_of(tree):
    """Yield the name and the node of each function; a class leads to its constructor."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from (
                (node.name, inner) for inner in node.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"
            )


def mentions(function):
    """Return every name and attribute in a function."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute | ast.Name)
    }


def calls(functions):
    """Return the methods of AWS clients that functions use: adapters keep their client in `_client`."""
    return {
        node.attr
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_client"
    }


def needed(functions):
    """Return the actions that functions need."""
    parts = {
        key.value
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value in PARTS
    }
    methods = calls(functions)
    return {action for method in methods for action in ACTIONS[method]} | {
        PARTS[part] for part in parts if "transact_write_items" in methods
    }


@pytest.fixture(scope="module")
def granted(template, role_statements):
    """Return the actions that each function's role allows."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", role.removesuffix("HandlerRole")).lower(): {
            action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        }
        for role, statements in role_statements(template).items()
        if role.endswith("HandlerRole")
    }


def test_adapters_alone_hold_clients(sources):
    """Only adapters call AWS, so that reading them is reading every call."""
    holders = {name for name, tree in sources.items() if calls([tree])}

    assert holders
    assert [] == [name for name in holders if not name.startswith("handlers.adapters.")]


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_every_call_is_allowed(sources, granted, module):
    """Whatever a function can reach, its role allows."""
    functions = reached(sources, module)

    assert calls(functions)
    assert needed(functions) - granted[module] == set()


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_nothing_else_is_allowed(sources, granted, module):
    """What a role allows is reached by its function or done by Lambda in its name."""
    assert granted[module] - needed(reached(sources, module)) - LOGS - BY_LAMBDA[module] == set()


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_indexes_are_queried_where_allowed(sources, template, role_statements, text_of, module):
    """A role may query the indexes exactly if its function can reach such a query."""
    role = "".join(part.title() for part in module.split("_")) + "HandlerRole"
    resources = [s["Resource"] for s in role_statements(template)[role] if "dynamodb:Query" in s["Action"]]
    allowed = any("/index/" in text_of(r) for each in resources for r in (each if isinstance(each, list) else [each]))

    reaches = any(
        keyword.arg == "index"
        for function in reached(sources, module)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    )

    assert allowed == reaches
