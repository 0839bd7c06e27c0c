"""Every AWS call that a function can reach is allowed by its role, and no role allows a call that its function cannot reach.

The source is read, not run: from `handler` on, a name that a function mentions may be any function of that name in its module or
one that its module imports, directly or not. That finds too much rather than too little. What really is called is seen end to end.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
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
    "send_message_batch": {"sqs:SendMessage"},
    "get_queue_attributes": {"sqs:GetQueueAttributes"},
    "purge_queue": {"sqs:PurgeQueue"},
    "invoke": {"lambda:InvokeFunction"},
    "get_event_source_mapping": {"lambda:GetEventSourceMapping"},
    "update_event_source_mapping": {"lambda:UpdateEventSourceMapping"},
    "change_message_visibility": {"sqs:ChangeMessageVisibility"},
    "list_objects_v2": {"s3:ListBucket"},
    "head_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},  # the last one so that missing is 404, not 403
    "put_object": {"s3:PutObject"},
    "get_object_tagging": {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
    "put_object_tagging": {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
    "put_object_annotation": {"s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation"},
    "put_events": {"events:PutEvents"},
    "get_object": {"s3:GetObject", "s3:GetObjectVersion"},
    "start_content_moderation": {"rekognition:StartContentModeration", "iam:PassRole"},
    "get_content_moderation": {"rekognition:GetContentModeration"},
    "detect_moderation_labels": {"rekognition:DetectModerationLabels"},
    "publish": {"sns:Publish"},
    "list_subscriptions_by_topic": {"sns:ListSubscriptionsByTopic"},
    "describe_job": {"s3:DescribeJob"},
}
# A transaction is a list of {"Put": ...}, {"Update": ...}, {"Delete": ...}.
PARTS = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem"}
# What Lambda itself does in a function's name: logs, polling a lane, dead letters.
BY_LAMBDA = {
    "batch_invoke": set(),
    "new_upload": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "start_analysis": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "sample_frames": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "publish_verdict": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
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


@pytest.fixture(scope="module")
def reached(sources):
    """Return a function from a module to the functions that its `handler` may lead to."""
    return cache(lambda module: functions_reached(sources, module))


def functions_reached(sources, module):
    """Return the functions that a module's `handler` may lead to: methods only of classes that are mentioned on the way."""
    start = f"handlers.{module}"
    direct = {name: directly_imported(sources, tree) for name, tree in sources.items()}
    knows = {name: imported(direct, name, set()) for name in imported(direct, start, set())}
    known = [each for name in knows for each in functions_of(name, sources[name])]
    mentioned = {name: set() for name in knows} | {start: {"handler"}}
    found = set()
    while new := [each for each in known if each not in found and each.is_reached(mentioned[each.module])]:
        found.update(new)
        for each in new:
            for target in knows[each.module]:
                mentioned[target] |= each.mentions
    return found


def directly_imported(sources, tree):
    """Return the modules of the package that a module imports."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    targets = {name for node in imports for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))}
    return targets & sources.keys()


def imported(direct, module, found):
    """Add a module and those of the package that it imports, directly or not."""
    if module not in found:
        found.add(module)
        for target in direct[module]:
            imported(direct, target, found)
    return found


@dataclass(frozen=True)
class Function:
    """A function or a class, the class it belongs to, and what it mentions: `name`, or `.name` for an attribute."""

    module: str
    name: str
    owner: str | None
    node: ast.AST
    mentions: frozenset[str]

    def is_reached(self, mentioned):
        """Tell whether these mentions lead here: to a method by its attribute and its class, to others by either form."""
        if self.owner:
            return self.owner in mentioned and (self.name == "__init__" or f".{self.name}" in mentioned)
        return not mentioned.isdisjoint({self.name, f".{self.name}"})


def functions_of(module, tree):
    """Yield the functions of a module, and its classes, which lead to their base classes."""
    owners = {method: owner.name for owner in ast.walk(tree) if isinstance(owner, ast.ClassDef) for method in owner.body}
    foreign = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield Function(module, node.name, owners.get(node), node, mentions(node, foreign))
        if isinstance(node, ast.ClassDef):
            bases = ast.Tuple(elts=node.bases)
            yield Function(module, node.name, None, bases, mentions(bases, foreign))


def mentions(tree, foreign):
    """Return every name, every attribute that is called (of foreign modules none), and all of `self` and of what it holds."""
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    attributes = [(node, ast.unparse(node).partition(".")[0]) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used = {f".{node.attr}" for node, root in attributes if root == "self" or (node in called and root not in foreign)}
    return frozenset(names | used)


def calls(nodes):
    """Return the methods of AWS clients that functions use: adapters keep their client in `_client`, or pass it as `client`."""
    attributes = [node for each in nodes for node in ast.walk(each) if isinstance(node, ast.Attribute)]
    return {node.attr for node in attributes if is_client(node.value)}


def is_client(node):
    """Tell whether an expression is a client of AWS."""
    return (isinstance(node, ast.Attribute) and node.attr == "_client") or (isinstance(node, ast.Name) and node.id == "client")


def needed(functions):
    """Return the actions that functions need."""
    parts = {
        key.value
        for function in functions
        for node in ast.walk(function.node)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value in PARTS
    }
    methods = calls(function.node for function in functions)
    return {action for method in methods for action in ACTIONS[method]} | {
        PARTS[part] for part in parts if "transact_write_items" in methods
    }


@pytest.fixture(scope="module")
def granted(publishing, role_statements):
    """Return the actions that each function's role allows, where all is deployed: the code is the same where it is not."""
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", role.removesuffix("HandlerRole")).lower(): {
            action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        }
        for role, statements in role_statements(publishing).items()
        if role.endswith("HandlerRole")
    }


def test_adapters_alone_hold_clients(sources):
    """Only adapters call AWS, so that reading them is reading every call."""
    holders = {name for name, tree in sources.items() if calls([tree])}

    assert holders
    assert [] == [name for name in holders if not name.startswith("handlers.adapters.")]


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_every_call_is_allowed(reached, granted, module):
    """Whatever a function can reach, its role allows."""
    functions = reached(module)

    assert calls(function.node for function in functions)
    assert needed(functions) - granted[module] == set()


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_nothing_else_is_allowed(reached, granted, module):
    """What a role allows is reached by its function or done by Lambda in its name."""
    assert granted[module] - needed(reached(module)) - LOGS - BY_LAMBDA[module] == set()


@pytest.mark.parametrize("module", BY_LAMBDA)
def test_indexes_are_queried_where_allowed(reached, publishing, role_statements, text_of, module):
    """A role may query exactly the indexes that its function can reach a query of."""
    role = "".join(part.title() for part in module.split("_")) + "HandlerRole"
    resources = [s["Resource"] for s in role_statements(publishing)[role] if "dynamodb:Query" in s["Action"]]
    texts = [text_of(resource) for each in resources for resource in (each if isinstance(each, list) else [each])]

    queried = {
        keyword.value.value
        for function in reached(module)
        for node in ast.walk(function.node)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "index" and isinstance(keyword.value, ast.Constant)
    }

    assert {text.rpartition("/")[2] for text in texts if "/index/" in text} == queried
