"""Each client lists a bucket into the same manifest: `python -m tests.bench.listing_clients ours|boto3 versions|objects PATH`.

The others are programs of their own, and what Unix has to make rows of what they print.
"""

import csv
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

from tests.bench.listing_server import BUCKET


def ours(path, *, versioned):
    """As submit_job.py does."""
    import boto3  # noqa: PLC0415 - each client pays for its own imports

    from tools.lib.aws.clients import Clients  # noqa: PLC0415
    from tools.lib.listing import Selection, list_batches  # noqa: PLC0415
    from tools.lib.manifest import write_manifest  # noqa: PLC0415

    selection = Selection(bucket=BUCKET)
    batches = list_batches(Clients(boto3.Session()), selection, versioned=versioned, directory=path.parent)
    write_manifest(batches, selection=selection, manifest=path, ineligible=path.with_suffix(".side"))


def paginator(path, *, versioned):
    """As one would with boto3, and as submit_job.py did."""
    import boto3  # noqa: PLC0415

    operation, entries = ("list_object_versions", "Versions") if versioned else ("list_objects_v2", "Contents")
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for page in boto3.client("s3").get_paginator(operation).paginate(Bucket=BUCKET):
            for entry in page[entries]:
                if entry["Key"].lower().endswith(".mp4"):
                    rows.writerow([BUCKET, quote(entry["Key"], safe="/"), *([entry["VersionId"]] if versioned else [])])


def command(client, bucket, path, peers):
    """Return the shell's command for a client."""
    if client in ("ours", "boto3"):
        kind = "versions" if bucket.versions else "objects"
        return shlex.join([sys.executable, "-m", "tests.bench.listing_clients", client, kind, str(path)])
    if client == "aws_cli":
        query = "Contents[?ends_with(Key, '.mp4') || ends_with(Key, '.MP4')].[Key]"
        listing = shlex.join(
            [str(peers / "aws"), "s3api", "list-objects-v2", "--bucket", BUCKET, "--query", query, "--output", "text"]
        )
        return f"{listing} | sed 's/^/{BUCKET},/' > {shlex.quote(str(path))}"
    s5cmd = f"{shlex.quote(str(peers / 's5cmd'))} --endpoint-url $AWS_ENDPOINT_URL"
    if bucket.folders == 1:
        listing = f"{s5cmd} ls --show-fullpath 's3://{BUCKET}/*'"
    else:
        # It can list several prefixes at once if they are given; in an order of its own.
        jobs = "\n".join(f"ls --show-fullpath s3://{BUCKET}/library-{folder}/*" for folder in range(bucket.folders))
        listing = f"printf '%s\\n' {shlex.quote(jobs)} | {s5cmd} run"
    rows = f"grep -i '[.]mp4$' | sed 's|^s3://{BUCKET}/|{BUCKET},|'"
    return f"{listing} | {rows} > {shlex.quote(str(path))}"


def environment(endpoint):
    """Return what all clients find in their environment."""
    return os.environ | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "LC_ALL": "C",
    }


if __name__ == "__main__":
    {"ours": ours, "boto3": paginator}[sys.argv[1]](Path(sys.argv[3]), versioned=sys.argv[2] == "versions")
