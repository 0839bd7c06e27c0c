"""A synthesised template to look at."""

import json
import re
from pathlib import Path

import pytest

from tests import once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root():
    """Return the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shipped():
    """Return the context that cdk.json ships."""
    return once.shipped_context()


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory):
    """Return a function from changes of the shipped context to the folder of the assembly."""
    return lambda **changes: once.synthesised(tmp_path_factory, **changes)


@pytest.fixture(scope="session")
def templates(synthesised):
    """Return a function from changes of the shipped context to the template."""
    return lambda **changes: json.loads((synthesised(**changes) / "VideoModeration.template.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def template(templates):
    """Return the template of a deployment that mails somebody and reads two buckets."""
    return templates(alert_email="reviewer@example.com", source_buckets=["amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"])


@pytest.fixture(scope="session")
def watching(templates):
    """Return the template of the same deployment that also watches one of its buckets."""
    watch = [{"bucket": "amzn-s3-demo-bucket", "prefixes": ["2026/"], "max_minutes_per_day": 60}]
    return templates(
        alert_email="reviewer@example.com", source_buckets=["amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"], watch=watch
    )


@pytest.fixture(scope="session")
def sampling(templates):
    """Return the template of the deployment that watches a bucket and has the engine of frames, too."""
    watch = [{"bucket": "amzn-s3-demo-bucket", "prefixes": ["2026/"], "max_minutes_per_day": 60}]
    return templates(
        alert_email="reviewer@example.com",
        source_buckets=["amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"],
        watch=watch,
        frames=True,
    )


@pytest.fixture(scope="session")
def publishing(templates):
    """Return the template of the deployment that has all of that, and all consequences of verdicts, too."""
    watch = [{"bucket": "amzn-s3-demo-bucket", "prefixes": ["2026/"], "max_minutes_per_day": 60}]
    return templates(
        alert_email="reviewer@example.com",
        source_buckets=["amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"],
        watch=watch,
        frames=True,
        publish_events=True,
        tag_objects=True,
        annotate_objects=True,
    )


@pytest.fixture(scope="session")
def functions_of():
    """Return a function from a template to the properties of each function by the name of its module."""

    def collect(template):
        found = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
        return {properties["Handler"].split(".")[1]: properties for properties in found}

    return collect


@pytest.fixture(scope="session")
def functions(functions_of, template):
    """Return the properties of each function by the name of its module."""
    return functions_of(template)


@pytest.fixture(scope="session")
def role_statements():
    """Return a function from a template to the statements of each role, by the role's readable name."""

    def collect(template):
        statements = {}
        for name, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::IAM::Role":
                documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
                statements.setdefault(readable(name), []).extend(s for document in documents for s in document["Statement"])
            if resource["Type"] == "AWS::IAM::Policy":
                for role in properties["Roles"]:
                    statements.setdefault(readable(role["Ref"]), []).extend(properties["PolicyDocument"]["Statement"])
        return statements

    return collect


@pytest.fixture(scope="session")
def text_of():
    """Return a function from a CloudFormation value to a readable text, without the hashes of logical ids."""
    return render


def readable(logical_id):
    """Return a logical id without the hash that the CDK appends."""
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)


def render(value):
    """Return a CloudFormation value as text: `${Table}` for a Ref, `${Table.Arn}` for an attribute."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"${{{readable(name)}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{readable(name)}.{attribute}}}"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(render(part) for part in parts)
    raise AssertionError(f"a form this test does not know: {value}")
