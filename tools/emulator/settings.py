"""The settings of the offline world: AWS's limits, what is unknown about AWS, and how fast time runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Everything about the offline world that can be set; the defaults are AWS's documented ones where there are any."""

    account_id: str = "111122223333"  # the account of everything; AWS's documentation account
    region: str = "us-east-1"  # the one Region there is
    speed: float = 1.0  # how many seconds pass in the world for each second of real time
    account_jobs: int = 20  # Rekognition stored-video jobs that may be open at a time
    starts_per_second: int = 5  # Rekognition Start calls a second
    gets_per_second: int = 20  # Rekognition Get calls a second
    images_per_second: int = 50  # Rekognition DetectModerationLabels calls a second; 50 in three Regions, 5 in the others
    analysis_factor: float = 1.0  # seconds of analysis for each second of video (AWS publishes none)
    analysis_base_seconds: float = 10.0  # seconds of analysis before the video's length counts
    # Unknown on AWS: whether a full account still answers a repeated token with its job.
    full_account_answers_repeated_token: bool = True
    # Unknown on AWS: whether GetContentModeration names tag and video of a job that failed; the API model requires neither.
    failed_answers_name_video: bool = True
    quota_lag_seconds: float = 0.0  # unknown on AWS: for how long a finished job still counts against the quota
    batch_tasks_per_second: float = 200.0  # how many tasks S3 Batch starts a second at most
    # Parallel invocations with which S3 Batch begins; it doubles every few seconds (undocumented).
    batch_initial_concurrency: int = 4
    batch_redrives: int = 2  # how often S3 Batch repeats a task that failed temporarily (undocumented)
    batch_redrive_seconds: float = 60.0  # how long it waits before each (undocumented)
    # Unknown on AWS: whether a permanently failed task's resultString reaches the report.
    batch_failed_strings_reach_report: bool = True
    batch_preparing_seconds: float = 5.0  # how long a job prepares its manifest
    batch_active_jobs: int = 6  # batch jobs that may be active at a time in the account
    # Unknown on AWS: whether one more job is refused (TooManyRequestsException) or waits as Ready.
    batch_full_account_refuses_job: bool = False
    # Unknown on AWS: whether an invocation that Lambda throttled (429) counts as a redrive.
    batch_throttle_spends_redrive: bool = False
    batch_function_errors_redriven: bool = False  # unknown on AWS: whether a task whose function raised or timed out is redriven
    # Unknown on AWS: whether a manifest that S3 makes of a bucket with versions lists all of them.
    batch_generates_all_versions: bool = False
    # Unknown on AWS: the code for a missing job; the API model says this one, AWS's guide NoSuchJob.
    batch_missing_job_error: str = "NotFoundException"
    index_lag_seconds: float = 0.0  # how far DynamoDB's indexes lag behind their table
    # Unknown on AWS: whether hiding a message that is visible again and was not received since is refused (MessageNotInflight,
    # says the API reference) or has no effect (seen on AWS: localstack/localstack #9632).
    sqs_refuses_late_receipts: bool = False
    # Function invocations at a time in the account; 1,000 by default, new accounts have as few as 10.
    account_concurrency: int = 1000
    # Processes at most for one function: a laptop's limit, not AWS's; more invocations are throttled.
    environments_per_function: int = 8
    # The least seconds of real time before a timeout ends a function (at most the timeout), however fast the world's time runs: a
    # laptop's limit, not AWS's.
    function_wall_seconds: float = 5.0
    # Fork each process of a function from one that has loaded its code, as Lambda SnapStart does: a start takes a fifth of the CPU.
    # What the code does while it is loaded, it does once for all of them.
    snap_start: bool = False
    async_retry_seconds: tuple[float, ...] = (60.0, 120.0)  # waits before Lambda's retries of an asynchronous invocation
    # Until a bucket sends events to EventBridge after that was switched on; about five minutes [S3:EventBridge].
    event_bridge_switch_seconds: float = 300.0
    # Unknown on AWS: whether the tags that CopyObject takes from its source are tags of the request to policies
    # (s3:RequestObjectTag), as those in its header are.
    copied_tags_are_request_tags: bool = False
    # Unknown on AWS: the code for an annotation of more than 1 MiB.
    annotation_too_large_error: str = "InvalidRequest"
    # Unknown on AWS: the code for annotating what is deleted, in a bucket with versions: this one, as for reading, or
    # MethodNotAllowed, as for tagging.
    annotation_deleted_error: str = "NoSuchKey"
    event_delay_seconds: float = 0.5  # from an event to its delivery, on average
    event_repeats: float = 0.0  # the share of deliveries that are made twice; EventBridge promises at least one
    event_losses: float = 0.0  # the share of deliveries that are never made
    # What the entries of a PutEvents request must stay below: 1 MB by the newest API model, 256 KB by older pages.
    put_events_max_bytes: int = 1_048_576
    mail_confirmed: bool = True  # whether an e-mail subscription is taken as confirmed by its owner
