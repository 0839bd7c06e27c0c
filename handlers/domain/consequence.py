"""What a verdict or a decision does outside the table: the words that S3 objects carry."""

from enum import StrEnum

TAG_KEY = "VideoModerationStatus"


class ObjectStatus(StrEnum):
    """The value of the tag: the statuses of GuardDuty Malware Protection for S3, with flags for threats.

    Source: GuardDuty user guide, Monitoring S3 object scans (GuardDutyMalwareScanStatus).
    """

    NO_FLAGS_FOUND = "NO_FLAGS_FOUND"
    FLAGS_FOUND = "FLAGS_FOUND"
    UNSUPPORTED = "UNSUPPORTED"
    ACCESS_DENIED = "ACCESS_DENIED"
    FAILED = "FAILED"
