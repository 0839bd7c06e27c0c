"""The simulation runs what is deployed: its timeouts, memory, queues and mappings are the template's."""

from tests.bench.simulation import ours


def of_type(template, kind):
    """Return the properties of the resources of a type."""
    return [resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == kind]


def test_functions(functions):
    """Each function has as much time and memory."""
    deployed = {name: (properties["Timeout"], properties["MemorySize"]) for name, properties in functions.items()}

    assert deployed == ours.FUNCTIONS


def test_lanes(template):
    """Each lane hides its messages as long, and gives them up after as many receipts."""
    lanes = [
        (queue["VisibilityTimeout"], queue["RedrivePolicy"]["maxReceiveCount"])
        for queue in of_type(template, "AWS::SQS::Queue")
        if "RedrivePolicy" in queue
    ]

    assert [(ours.LANE_VISIBILITY_SECONDS, ours.LANE_RECEIVES)] * len(ours.LANES) == lanes


def test_mappings(template):
    """Each lane has as many starters, each of one message at a time."""
    mappings = [
        (mapping["ScalingConfig"]["MaximumConcurrency"], mapping["BatchSize"])
        for mapping in of_type(template, "AWS::Lambda::EventSourceMapping")
    ]

    assert [(ours.STARTERS_PER_LANE, 1)] * len(ours.MAPPINGS) == mappings


def test_schedule(template):
    """The sweeper comes as often."""
    assert [ours.SWEEPS] == [rule["ScheduleExpression"] for rule in of_type(template, "AWS::Events::Rule")]
