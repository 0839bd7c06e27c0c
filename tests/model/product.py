"""What the template says of the product, in numbers and names; `test_figures.py` holds them against it."""

import json
from dataclasses import dataclass

from handlers.settings import BatchInvokeSettings, CompletionSettings, StartAnalysisSettings, SweeperSettings
from tools.lib.aws.deployment import Deployment

ACCOUNT, REGION = "111122223333", "us-east-1"
BUCKET, WORK, TABLE, STACK = "amzn-s3-demo-bucket", "amzn-s3-demo-work", "scans", "VideoModeration"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
COMPLETIONS, ALERTS = (f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in ("completions", "alerts"))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/product"
TIMEOUTS = {"batch_invoke": 300.0, "start_analysis": 900.0, "completion": 900.0, "sweeper": 120.0}
# The functions that have dead letters of their own.
BURIED = ("completion", "sweeper")
VISIBILITY, RECEIVES, RETENTION = 5_400, 1_000, 14 * 86_400
STARTERS_PER_LANE = 2
# The table's indexes: their keys, and what they show.
INDEXES = {
    "work": (("work_pk", "work_sk"), ("bucket", "key", "version_id", "attempt", "lane")),
    "by_scan": (("scan_pk", "scan_sk"), ()),
}
# For so long starters outlive the sweeper in an outage.
STARTERS_LONGER = 600.0
MAPPINGS = {"normal": "00000000-0000-4000-8000-000000000001", "express": "00000000-0000-4000-8000-000000000002"}


def arn(module):
    """Return a function's ARN."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{module}"


def url(queue):
    """Return a queue's URL."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"


def queue_arn(name):
    """Return a queue's ARN."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


@dataclass(frozen=True)
class Deployed:
    """With what the product is deployed."""

    slots: int = 2
    account_jobs: int = 3
    min_confidence: float = 50.0
    threshold: int = 80
    mails_per_scan: int = 2

    @property
    def policy(self):
        """Return the policy."""
        return json.dumps({"default": {"min_confidence": self.threshold, "alert": True}})

    def settings(self):
        """Return the settings of each function."""
        lanes = {"normal_queue_url": url("normal"), "express_queue_url": url("express")}
        return {
            "batch_invoke": BatchInvokeSettings(table_name=TABLE, **lanes),
            "start_analysis": StartAnalysisSettings(
                table_name=TABLE,
                **lanes,
                completions_topic_arn=COMPLETIONS,
                rekognition_role_arn=ROLE,
                min_confidence=self.min_confidence,
                account_jobs=self.account_jobs,
                slots=self.slots,
            ),
            "completion": CompletionSettings(
                table_name=TABLE, work_bucket_name=WORK, completions_topic_arn=COMPLETIONS, policy=self.policy
            ),
            "sweeper": SweeperSettings(
                table_name=TABLE,
                alerts_topic_arn=ALERTS,
                account_id=ACCOUNT,
                stack_name=STACK,
                **lanes,
                normal_dead_letters_url=url("normal-dead"),
                express_dead_letters_url=url("express-dead"),
                normal_mapping_id=MAPPINGS["normal"],
                express_mapping_id=MAPPINGS["express"],
                completion_function_arn=arn("completion"),
                completions_topic_arn=COMPLETIONS,
                mails_per_scan=self.mails_per_scan,
            ),
        }

    def deployment(self):
        """Return the deployment as the tools find it."""
        return Deployment(
            stack_name=STACK,
            partition="aws",
            region=REGION,
            account_id=ACCOUNT,
            table_name=TABLE,
            work_bucket=WORK,
            batch_invoke_function_arn=arn("batch_invoke"),
            batch_role_arn=ROLE,
            alerts_topic_arn=ALERTS,
            source_buckets=(BUCKET,),
            completion_function_arn=arn("completion"),
            lane_dead_letters_urls=(url("normal-dead"), url("express-dead")),
            completion_dead_letters_url=url("completion-dead"),
            undelivered_notices_url=url("undelivered"),
            sweeper_dead_letters_url=url("sweeper-dead"),
            slots=self.slots,
            account_jobs=self.account_jobs,
        )
