"""The numbers in which model and simulation wire the product are the template's."""

import json

from tests.harness import product


def _all(template, kind):
    return [resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == kind]


def test_functions(template):
    """Functions have the template's timeouts, memory and dead-letter queues."""
    found = [one for one in _all(template, "AWS::Lambda::Function") if one["Handler"].startswith("handlers.")]

    assert product.FUNCTIONS == {one["Handler"].split(".")[1]: (one["Timeout"], one["MemorySize"]) for one in found}
    assert set(product.WITH_DEAD_LETTERS) == {one["Handler"].split(".")[1] for one in found if "DeadLetterConfig" in one}


def test_lanes(template):
    """Lanes have the template's visibility timeouts, retention, receive counts and number of starters."""
    lanes = [queue for queue in _all(template, "AWS::SQS::Queue") if "RedrivePolicy" in queue]
    mappings = _all(template, "AWS::Lambda::EventSourceMapping")

    assert {(product.VISIBILITY, product.RETENTION, product.RECEIVES)} == {
        (lane["VisibilityTimeout"], lane["MessageRetentionPeriod"], lane["RedrivePolicy"]["maxReceiveCount"]) for lane in lanes
    }
    assert [(1, product.STARTERS_PER_LANE, ["ReportBatchItemFailures"])] * 2 == [
        (one["BatchSize"], one["ScalingConfig"]["MaximumConcurrency"], one["FunctionResponseTypes"]) for one in mappings
    ]


def test_uploads(assembly):
    """Where a bucket is watched there is one function more, and its queue, with the template's figures."""
    template = json.loads((assembly(watch=[{"bucket": product.BUCKET}]) / f"{product.STACK}.template.json").read_text("utf-8"))
    (function,) = (one for one in _all(template, "AWS::Lambda::Function") if one["Handler"] == "handlers.new_upload.handler")
    (mapping,) = (one for one in _all(template, "AWS::Lambda::EventSourceMapping") if one["BatchSize"] > 1)
    (queue,) = (one for one in _all(template, "AWS::SQS::Queue") if one.get("VisibilityTimeout") == product.UPLOADS_VISIBILITY)

    assert product.WATCHING == {"new_upload": (function["Timeout"], function["MemorySize"])}
    assert (product.UPLOADS_RECEIVES, product.RETENTION) == (
        queue["RedrivePolicy"]["maxReceiveCount"],
        queue["MessageRetentionPeriod"],
    )
    assert (product.UPLOADS_BATCH, product.UPLOADS_AT_A_TIME, ["ReportBatchItemFailures"]) == (
        mapping["BatchSize"],
        mapping["ScalingConfig"]["MaximumConcurrency"],
        mapping["FunctionResponseTypes"],
    )


def test_frames(assembly):
    """Where frames are deployed there is one function more, and its lanes, with the template's figures."""
    template = json.loads((assembly(frames=True) / f"{product.STACK}.template.json").read_text("utf-8"))
    (function,) = (one for one in _all(template, "AWS::Lambda::Function") if one["Handler"] == "handlers.sample_frames.handler")
    mappings = [one for one in _all(template, "AWS::Lambda::EventSourceMapping") if "SampleFrames" in one["FunctionName"]["Ref"]]

    assert product.BY_FRAMES == {"sample_frames": (function["Timeout"], function["MemorySize"])}
    assert [product.WORKERS_PER_LANE] * 2 == [one["ScalingConfig"]["MaximumConcurrency"] for one in mappings]
    assert str(product.IMAGES_PER_SECOND) == function["Environment"]["Variables"]["IMAGES_PER_SECOND"]


def test_outbox(assembly):
    """Where verdicts have consequences there is one function more, and its queue, with the template's figures."""
    template = json.loads((assembly(tag_objects=True) / f"{product.STACK}.template.json").read_text("utf-8"))
    (function,) = (one for one in _all(template, "AWS::Lambda::Function") if one["Handler"] == "handlers.publish_verdict.handler")
    (mapping,) = (one for one in _all(template, "AWS::Lambda::EventSourceMapping") if one["BatchSize"] > 1)
    (queue,) = (one for one in _all(template, "AWS::SQS::Queue") if one.get("VisibilityTimeout") == product.OUTBOX_VISIBILITY)

    assert product.PUBLISHING == {"publish_verdict": (function["Timeout"], function["MemorySize"])}
    assert (product.OUTBOX_RECEIVES, product.RETENTION) == (
        queue["RedrivePolicy"]["maxReceiveCount"],
        queue["MessageRetentionPeriod"],
    )
    assert (product.OUTBOX_BATCH, product.OUTBOX_AT_A_TIME, ["ReportBatchItemFailures"]) == (
        mapping["BatchSize"],
        mapping["ScalingConfig"]["MaximumConcurrency"],
        mapping["FunctionResponseTypes"],
    )


def test_schedule(template):
    """The sweeper has the template's schedule."""
    assert [product.SWEEPS] == [rule["ScheduleExpression"] for rule in _all(template, "AWS::Events::Rule")]


def test_indexes(template):
    """The table's indexes have the template's keys and projected attributes."""
    (table,) = _all(template, "AWS::DynamoDB::Table")
    known = {
        one["IndexName"]: (
            [key["AttributeName"] for key in one["KeySchema"]],
            sorted(one["Projection"].get("NonKeyAttributes", [])),
        )
        for one in table["GlobalSecondaryIndexes"]
    }

    assert known == {name: (list(keys), sorted(shown)) for name, (keys, shown) in product.INDEXES.items()}
