"""A deployed stack seen through AWS's API alone, so that both servers are asked in the same way."""

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from handlers.runtime.clock import SystemClock

BUCKET = "amzn-s3-demo-bucket"


class Scene:
    """A stack in a server.

    Attributes:
        client: Makes boto3 clients of the server.
        environment: With these variables a program reaches the server.
        outputs: The stack's.
        ledger: The ledger of its Rekognition.
        table: The stack's table.
        functions: The configuration of each function by its module.
    """

    def __init__(self, client, environment, outputs, ledger):
        self.client = client
        self.environment = environment
        self.outputs = outputs
        self.ledger = ledger
        self.table = open_table(client("dynamodb"), outputs["TableName"], SystemClock())
        found = client("lambda").list_functions()["Functions"]
        self.functions = {function["Handler"].split(".")[1]: function for function in found}
        client("s3").create_bucket(Bucket=BUCKET)

    def environment_of(self, module):
        """Return the variables of a function, as the template has set them."""
        return self.functions[module]["Environment"]["Variables"]

    def stand_alone(self):
        """Stop everything that invokes functions: event source mappings, schedule and notices."""
        functions, events, sns = self.client("lambda"), self.client("events"), self.client("sns")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])
        for subscription in sns.list_subscriptions()["Subscriptions"]:
            if subscription["Protocol"] == "lambda":
                sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])

    def put_videos(self, keys, body):
        """Store the same video under many keys."""
        s3 = self.client("s3")
        for key in keys:
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def records(self, keys, scan_id):
        """Return a scan's records by key; missing ones are left out."""
        names = [(Video(BUCKET, key).id, scan_id) for key in keys]
        return {record.video.key: record for record in self.table.records.records(names)}

    def left(self):
        """Return the number of messages in each queue of the stack that has any."""
        sqs, counts = self.client("sqs"), {}
        for url in sqs.list_queues()["QueueUrls"]:
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            counts[url.rpartition("/")[2]] = sum(int(answer[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible"))
        return {name: count for name, count in counts.items() if count}
