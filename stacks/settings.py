"""A deployment's settings, read from the CDK context and validated."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from handlers.domain.languages import ENGLISH, LANGUAGES
from handlers.domain.watch import Watch
from stacks import policy, watch
from stacks.consequences import Consequences
from stacks.values import ANY_BUCKET, BUCKET, BUCKETS, number_of, whole_number

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-using-console-create-stack-parameters.html
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# As in an HTML e-mail field, with a dot in the domain: https://html.spec.whatwg.org/#valid-e-mail-address
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
EMAIL_LENGTH = 254  # RFC 5321 through its erratum 1690
# No aliases, because IAM matches the key's own ARN. https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN
KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,64}")
KMS_KEYS = 10
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html, by the names the CDK gives them
LOG_RETENTION = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1827: "FIVE_YEARS",
    3653: "TEN_YEARS",
}

# The default quota of DetectModerationLabels, except in three Regions, where it is ten times as high:
# https://docs.aws.amazon.com/general/latest/gr/rekognition.html
IMAGES_PER_SECOND = 5.0
MOST_IMAGES_PER_SECOND = 1_000
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
MOST_WORKERS = 1_000
# Workers for each image a second: the lease of a worker that waits for its turn much longer ends before it.
MOST_WORKERS_PER_IMAGE = 20

Value = TypeVar("Value")


class ContextError(Exception):
    """The CDK context is invalid; the message has a line for each key, with the rule and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """One field for each context key.

    `alert_email` is "" to send no mail; `source_buckets` are bucket names, or "*" alone for every bucket of the account;
    `kms_keys` are ARNs of the customer's keys that the videos are encrypted with;
    `account_jobs` is the account's quota of Rekognition video jobs, `slots` how many of them are used; `min_confidence` is the
    confidence in percent from which Rekognition reports; `policy` is compact JSON; `batch_concurrency` reserves concurrency for
    `batch_invoke`, None reserves none; `mails_per_scan` is how many flagged videos of a scan are mailed one by one; `language` is
    that of mails and review pages, by its code; `watch` are the buckets whose new uploads are scanned. `frames` deploys analyses by
    frames; all their workers together have at most `images_per_second` analysed, and each of their lanes has `frames_workers`
    (None: as many as that pace needs). With `publish_events`, `tag_objects` and `annotate_objects` verdicts become events,
    tags and annotations.
    """

    stack_name: str
    alert_email: str
    source_buckets: tuple[str, ...]
    kms_keys: tuple[str, ...]
    slots: int
    account_jobs: int
    min_confidence: float
    policy: str
    batch_concurrency: int | None
    log_retention_days: int
    mails_per_scan: int
    language: str
    watch: tuple[Watch, ...]
    frames: bool
    images_per_second: float
    frames_workers: int | None
    publish_events: bool
    tag_objects: bool
    annotate_objects: bool

    @property
    def consequences(self) -> Consequences:
        """Return what verdicts do outside the table."""
        return Consequences(self.publish_events, self.tag_objects, self.annotate_objects)


def from_context(context: Mapping[str, object]) -> StackSettings:
    """Read a deployment's settings from CDK context; a number may be a string, as in `-c key=value`.

    Raises:
        ContextError: Names all keys that are missing, misspelt or invalid.
    """
    reader = _Reader(context)
    account_jobs = reader.take("account_jobs", whole_number, otherwise=20)
    min_confidence = reader.take("min_confidence", _percentage, otherwise=0.0)
    source_buckets: tuple[str, ...] = reader.take("source_buckets", _buckets, otherwise=())
    frames = reader.take("frames", _switch, otherwise=False)
    consequences = Consequences(
        publish_events=reader.take("publish_events", _switch, otherwise=False),
        tag_objects=reader.take("tag_objects", _switch, otherwise=False),
        annotate_objects=reader.take("annotate_objects", _switch, otherwise=False),
    )
    images_per_second = reader.take("images_per_second", _images_per_second, otherwise=IMAGES_PER_SECOND)
    judging = reader.take("policy", lambda value: policy.compact(value, least=min_confidence), otherwise="")
    settings = StackSettings(
        stack_name=reader.take("stack_name", _stack_name, otherwise=""),
        alert_email=reader.take("alert_email", _email, otherwise=""),
        source_buckets=source_buckets,
        kms_keys=reader.take("kms_keys", _kms_keys, otherwise=()),
        slots=reader.take("slots", lambda value: _slots(value, account_jobs), otherwise=0),
        account_jobs=account_jobs,
        min_confidence=min_confidence,
        policy=judging,
        batch_concurrency=reader.take("batch_concurrency", _whole_or_none, otherwise=None),
        log_retention_days=reader.take("log_retention_days", _retention, otherwise=0),
        mails_per_scan=reader.take("mails_per_scan", _mails, otherwise=0),
        language=reader.take("language", _language, otherwise=ENGLISH.code),
        watch=reader.take(
            "watch",
            lambda value: _watches(value, source_buckets, judging, frames=frames, has_outbox=consequences.any),
            otherwise=(),
        ),
        frames=frames,
        images_per_second=images_per_second,
        frames_workers=reader.take("frames_workers", lambda value: _frames_workers(value, images_per_second), otherwise=None),
        publish_events=consequences.publish_events,
        tag_objects=consequences.tag_objects,
        annotate_objects=consequences.annotate_objects,
    )
    reader.finish()
    return settings


class _Reader:
    """Reads values from the context and collects their faults."""

    def __init__(self, context: Mapping[str, object]) -> None:
        self._context = context
        self._faults = [_misspelt(key, meant) for key, meant in _unknown(context)]

    def take(self, key: str, parse: Callable[[object], Value], *, otherwise: Value) -> Value:
        """Return a key's value; on a ValueError of its parser note the fault and return `otherwise`."""
        try:
            return parse(self._context.get(key))
        except ValueError as fault:
            self._faults.append(f'Context key "{key}": {fault}.')
            return otherwise

    def finish(self) -> None:
        if self._faults:
            raise ContextError("\n".join([*self._faults, "Context is set in cdk.json, or for one run with -c key=value."]))


def unknown_keys(context: Mapping[str, object]) -> tuple[str, ...]:
    """Return a warning for each key that nothing reads and that resembles none of ours; `~/.cdk.json` may hold keys of others.

    Keys of the CDK itself have a colon, a slash, an at sign or a hyphen.
    """
    misspelt = {key for key, _ in _unknown(context)}
    others = [key for key in context if key not in (*_OURS, *misspelt) and not re.search("[:/@-]", key)]
    return tuple(f'Warning: context key "{key}" is unknown and has no effect; there are {", ".join(_OURS)}.' for key in others)


_OURS = tuple(field.name for field in fields(StackSettings))


def _unknown(context: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return unknown keys that resemble one of ours, with that one, however their words are joined (alertEmail, ALERT-EMAIL)."""
    found = []
    for key in context:
        written = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().replace("-", "_")
        close = difflib.get_close_matches(written, _OURS, n=1, cutoff=0.8)
        if key not in _OURS and close:
            found.append((key, close[0]))
    return found


def _misspelt(key: str, meant: str) -> str:
    return f'Context key "{key}": unknown key; did you mean "{meant}"?'


def _stack_name(value: object) -> str:
    if isinstance(value, str) and STACK_NAME.fullmatch(value):
        return value
    raise ValueError(f"must be a letter followed by up to 127 letters, digits or hyphens, is {value!r}; write e.g. VideoModeration")


def _email(value: object) -> str:
    if isinstance(value, str) and (not value or (EMAIL.fullmatch(value) and len(value) <= EMAIL_LENGTH)):
        return value
    raise ValueError(f'must be one e-mail address, is {value!r}; write e.g. reviewer@example.com, or "" for no mail')


def _buckets(value: object) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not 1 <= len(names) <= BUCKETS:
        raise ValueError(
            f'must be a list of 1 to {BUCKETS} bucket names, is {value!r}; name them, or write ["{ANY_BUCKET}"] for every one'
        )
    wrong = [name for name in names if not (isinstance(name, str) and (BUCKET.fullmatch(name) or name == ANY_BUCKET))]
    if wrong:
        raise ValueError(
            f"must hold bucket names (3-63 of a-z, 0-9, dot and hyphen), holds {', '.join(map(repr, wrong))}; "
            "write names only, without s3:// and without a folder"
        )
    if ANY_BUCKET in names and len(names) > 1:
        raise ValueError(
            f'must be ["{ANY_BUCKET}"] alone or a list of names, is {value!r}; "{ANY_BUCKET}" holds the others already'
        )
    return tuple(dict.fromkeys(names))


def _kms_keys(value: object) -> tuple[str, ...]:
    arns = [arn for arn in value.split(",") if arn] if isinstance(value, str) else value
    if not isinstance(arns, list) or len(arns) > KMS_KEYS:
        raise ValueError(f"must be a list of at most {KMS_KEYS} key ARNs, is {value!r}; write [] if no key of your own is used")
    if wrong := [arn for arn in arns if not (isinstance(arn, str) and KMS_KEY.fullmatch(arn))]:
        raise ValueError(
            f"must hold ARNs of KMS keys, holds {', '.join(map(repr, wrong))}; "
            "write e.g. arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, no alias"
        )
    return tuple(dict.fromkeys(arns))


def _watches(value: object, source_buckets: tuple[str, ...], judging: str, *, frames: bool, has_outbox: bool) -> tuple[Watch, ...]:
    found = watch.watches(value, source_buckets, frames=frames, has_outbox=has_outbox)
    if frames:
        watch.require_room(found, judging)
    return found


def _whole_or_none(value: object) -> int | None:
    return None if value in (None, "") else whole_number(value)


def _switch(value: object) -> bool:
    """Return true or false; a cdk.json older than the setting has None."""
    if value in (None, True, False) or value in ("true", "false"):
        return value in (True, "true")
    raise ValueError(f"must be true or false, is {value!r}; write false to do without it")


def _images_per_second(value: object) -> float:
    if value is None:
        return IMAGES_PER_SECOND
    number = number_of(value)
    if number is None or not 1 <= number <= MOST_IMAGES_PER_SECOND:
        raise ValueError(
            f"must be a number from 1 to {MOST_IMAGES_PER_SECOND}, is {value!r}; write your quota of DetectModerationLabels, e.g. 5"
        )
    return number


def _frames_workers(value: object, images_per_second: float) -> int | None:
    number = _whole_or_none(value)
    if number is not None and not 2 <= number <= MOST_WORKERS:  # noqa: PLR2004  # what Lambda allows
        raise ValueError(f"must be a whole number from 2 to {MOST_WORKERS}, is {value!r}; write null for as many as the pace needs")
    if number is not None and number > MOST_WORKERS_PER_IMAGE * images_per_second:
        raise ValueError(
            f"must be at most {MOST_WORKERS_PER_IMAGE} x images_per_second ({images_per_second:g}), is {number}: more workers "
            "only wait for their turn until their lease ends; lower it, or write null for as many as the pace needs"
        )
    return number


def _mails(value: object) -> int:
    number = number_of(value)
    if number is None or not number.is_integer() or number < 0:
        raise ValueError(f"must be a whole number from 0, is {value!r}; write e.g. 25, or 0 to be mailed digests only")
    return int(number)


def _language(value: object) -> str:
    """Return the code of a language; a cdk.json older than the setting has None."""
    if value is None:
        return ENGLISH.code
    if isinstance(value, str) and value in LANGUAGES:
        return value
    raise ValueError(f"must be one of {', '.join(LANGUAGES)}, is {value!r}; write e.g. {ENGLISH.code}")


def _slots(value: object, account_jobs: int) -> int:
    slots = whole_number(value)
    if slots > account_jobs:
        raise ValueError(
            f"must be at most account_jobs ({account_jobs}), is {slots}; lower it, or raise account_jobs if AWS raised your quota"
        )
    return slots


def _percentage(value: object) -> float:
    number = number_of(value)
    if number is None or not 0 <= number <= 100:  # noqa: PLR2004  # percent
        raise ValueError(f"must be a percentage from 0 to 100, is {value!r}; write e.g. 50")
    return number


def _retention(value: object) -> int:
    number = number_of(value)
    if number is None or number not in LOG_RETENTION:
        raise ValueError(
            f"must be one of the days CloudWatch knows, is {value!r}; write one of {', '.join(map(str, LOG_RETENTION))}"
        )
    return int(number)
