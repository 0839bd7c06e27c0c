"""The synthesised template, as CloudFormation gets it, but for the hashes of assets: a change of it is a change of deployments.

`stacks/snapshot.json` holds the one that the demo deploys, and is read as a diff; of others `fixtures/template/` holds what is not
as in it. Logical ids and outputs stand there; what has one of them is kept by it or made anew.
"""

import json
import re

import pytest

from tests.pins.pinned import check
from tests.pins.product import SNAPSHOT, SNAPSHOT_CONTEXT, shipped_context

CONTEXTS = {
    "no_mail": {"alert_email": ""},
    "every_option": {
        "alert_email": "reviewer@example.com",
        "source_buckets": ["amzn-s3-demo-bucket", "amzn-s3-demo-bucket2"],
        "kms_keys": ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-123456789001"],
        "slots": 10,
        "account_jobs": 12,
        "min_confidence": 55.5,
        "policy": {
            "default": {"min_confidence": 70, "alert": False},
            "labels": {"Explicit Nudity": {"min_confidence": 60, "alert": True}},
        },
        "batch_concurrency": 50,
        "log_retention_days": 7,
        "mails_per_scan": 3,
        "language": "es",
        "watch": [{"bucket": "amzn-s3-demo-bucket2", "prefixes": ["in/"], "suffixes": [".mp4"], "max_minutes_per_day": 60}],
    },
}
HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def template(assembly):
    """Return a function from changes of the context to the template, without hashes of assets and metadata of the CDK."""
    return lambda **changes: normalised(
        json.loads((assembly(**SNAPSHOT_CONTEXT | changes) / "VideoModeration.template.json").read_text("utf-8"))
    )


def normalised(template):
    """Return a template with a placeholder for every hash of an asset."""
    return json.loads(HASH.sub("<hash of the asset>", json.dumps(template)))


def changes(old, new):
    """Return the parts of a value that differ from another; null marks a part that is gone."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    names = [*old, *(name for name in new if name not in old)]
    return {name: changes(old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def test_snapshot(template):
    """The template that the demo deploys is the reviewed one, synthesised from the shipped context."""
    check(SNAPSHOT, {"context": shipped_context() | SNAPSHOT_CONTEXT, "template": template()})


@pytest.mark.parametrize("name", CONTEXTS)
def test_other_contexts(template, name):
    """Settings change exactly those parts of the template that they changed when it was reviewed."""
    check(f"template/{name}.json", changes(template(), template(**CONTEXTS[name])))


def test_names(template):
    """Resources keep their logical ids, or CloudFormation replaces them; outputs keep theirs, by which programs find them."""
    found = template(**CONTEXTS["every_option"])
    resources = sorted((resource["Type"], name) for name, resource in found["Resources"].items())

    check(
        "template_names.json",
        {
            "resources": [f"{kind} {name}" for kind, name in resources],
            "outputs": sorted(found["Outputs"]),
            "environment": {
                name: sorted(resource["Properties"]["Environment"]["Variables"])
                for name, resource in found["Resources"].items()
                if resource["Type"] == "AWS::Lambda::Function"
            },
            "handlers": sorted(
                resource["Properties"]["Handler"]
                for resource in found["Resources"].values()
                if resource["Type"] == "AWS::Lambda::Function"
            ),
        },
    )
