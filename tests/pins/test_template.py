"""The synthesised template, as CloudFormation gets it, but for the hashes of assets: a change of it is a change of deployments.

`fixtures/template/` is read as a diff. Logical ids and outputs stand there; what has one of them is kept by it or made anew.
"""

import json
import re

import pytest

from tests.pins.pinned import check

CONTEXTS = {
    "default": {},
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
    },
}
HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def template(assembly):
    """Return a function from the name of a context to the template, without hashes of assets and metadata of the CDK."""
    return lambda name: normalised(json.loads((assembly(**CONTEXTS[name]) / "VideoModeration.template.json").read_text("utf-8")))


def normalised(template):
    """Return a template with a placeholder for every hash of an asset."""
    return json.loads(HASH.sub("<hash of the asset>", json.dumps(template)))


@pytest.mark.parametrize("name", CONTEXTS)
def test_template(template, name):
    """The template is the one that was reviewed."""
    check(f"template/{name}.json", template(name))


def test_names(template):
    """Resources keep their logical ids, or CloudFormation makes them anew; outputs keep theirs, by which programs find them."""
    found = template("every_option")
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
