"""Deploys a synthesised CDK assembly as `cdk deploy` does: upload the assets, create the stack from the template."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tools.emulator.services import cloudformation
from tools.emulator.settings import EmulatorSettings

QUALIFIER = "hnb659fds"  # the CDK's default bootstrap
VERSION_PARAMETER = f"/cdk-bootstrap/{QUALIFIER}/version"
VERSION = "27"  # of the bootstrap stack; templates require at least 6
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# The property that names a resource physically.
_NAMES = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold; a fixed one, so that equal files give equal archives

NO_NAMES: Mapping[str, str] = MappingProxyType({})

ClientFactory = Callable[[str], Any]


class DeploymentError(Exception):
    """The assembly has no such stack, or CloudFormation did not complete it."""


class Deployer:
    """Deploys into one account and Region through AWS's API."""

    def __init__(self, client: ClientFactory, settings: EmulatorSettings) -> None:
        self._client = client
        self._placeholders = {
            "${AWS::AccountId}": settings.account_id,
            "${AWS::Region}": settings.region,
            "${AWS::Partition}": "aws",
        }
        self._bucket = f"cdk-{QUALIFIER}-assets-{settings.account_id}-{settings.region}"

    def bootstrap(self) -> None:
        """Create what a deployment needs of the things that `cdk bootstrap` creates."""
        self._client("s3").create_bucket(Bucket=self._bucket)
        self._client("ssm").put_parameter(Name=VERSION_PARAMETER, Value=VERSION, Type="String")

    def deploy(self, assembly: Path, stack_name: str, names: Mapping[str, str] = NO_NAMES) -> dict[str, str]:
        """Deploy a stack and return its outputs; `names` are physical names for buckets and tables, by logical id.

        Raises:
            DeploymentError: There is no such stack in the assembly, or it was not completed.
            UnsupportedError: The template contains what would have no effect here; nothing was deployed.
        """
        template = json.loads((assembly / _template_of(assembly, stack_name)).read_text("utf-8"))
        cloudformation.check(template)
        _name(template, names)
        for asset in _assets(assembly, stack_name).values():
            self._upload(assembly, asset)
        return self._create(stack_name, template)

    def _upload(self, assembly: Path, asset: Mapping[str, Any]) -> None:
        source = assembly / asset["source"]["path"]
        body = _zip(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
        for destination in asset["destinations"].values():
            bucket, key = self._fill_in(destination["bucketName"]), self._fill_in(destination["objectKey"])
            self._client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def names(self, stack_name: str) -> dict[str, str]:
        """Return the physical names of a stack's buckets and tables by logical id."""
        resources = self._client("cloudformation").describe_stack_resources(StackName=stack_name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources if one["ResourceType"] in _NAMES}

    def _create(self, stack_name: str, template: Mapping[str, Any]) -> dict[str, str]:
        client = self._client("cloudformation")
        client.create_stack(StackName=stack_name, TemplateBody=json.dumps(template), Capabilities=CAPABILITIES)
        stack = client.describe_stacks(StackName=stack_name)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise DeploymentError(f"{stack_name}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}

    def _fill_in(self, text: str) -> str:
        for placeholder, value in self._placeholders.items():
            text = text.replace(placeholder, value)
        return text


def _name(template: dict[str, Any], names: Mapping[str, str]) -> None:
    for logical, resource in template["Resources"].items():
        if logical in names and resource["Type"] in _NAMES:
            resource.setdefault("Properties", {})[_NAMES[resource["Type"]]] = names[logical]


def _template_of(assembly: Path, stack_name: str) -> str:
    artifacts = json.loads((assembly / "manifest.json").read_text("utf-8"))["artifacts"]
    stacks = {name: one for name, one in artifacts.items() if one["type"] == "aws:cloudformation:stack"}
    if stack_name not in stacks:
        raise DeploymentError(f"{assembly} has no stack {stack_name}; its stacks: {', '.join(stacks) or 'none'}")
    return str(stacks[stack_name]["properties"]["templateFile"])


def _assets(assembly: Path, stack_name: str) -> dict[str, Any]:
    manifest = assembly / f"{stack_name}.assets.json"
    files: dict[str, Any] = json.loads(manifest.read_text("utf-8"))["files"]
    return files


def _zip(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
