"""The environment variables of each function, as a type from which the stack writes them and the function reads them.

Each field is one variable, in upper case; one with a default may be absent. Nothing is read at import: a handler reads its
settings on its first call.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar


class SettingsError(Exception):
    """A variable of the function's environment is missing or malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInvokeSettings:
    """What `batch_invoke` needs: the table and the lanes; those of frames are "" where frames are not deployed.

    `outbox` is "true" where verdicts have consequences, as in the settings of all functions that write verdicts.
    """

    table_name: str
    normal_queue_url: str
    express_queue_url: str
    frames_queue_url: str = ""
    frames_express_queue_url: str = ""
    outbox: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUploadSettings:
    """What `new_upload` needs: as `batch_invoke`, and the watched buckets (JSON, see `handlers/domain/watch.py`).

    `work_bucket_name` is the bucket that is never watched: each hit that is written there would be an upload.
    """

    table_name: str
    normal_queue_url: str
    express_queue_url: str
    watch: str
    frames_queue_url: str = ""
    frames_express_queue_url: str = ""
    work_bucket_name: str = ""
    outbox: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAnalysisSettings:
    """What `start_analysis` needs: table, lanes, and the parameters of Start.

    `account_jobs` is the account's quota of Rekognition video jobs; `slots` is how many of them are used, unless the settings item
    of the table overrides it; `min_confidence` is in percent; `watch` are the watched buckets that have a limit of minutes a day,
    "" where none has one.
    """

    table_name: str
    normal_queue_url: str
    express_queue_url: str
    completions_topic_arn: str
    rekognition_role_arn: str
    min_confidence: float
    account_jobs: int
    slots: int
    watch: str = ""
    outbox: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFramesSettings:
    """What `sample_frames` needs: table, its lanes, work bucket, the policy (compact JSON), and the pace of all its workers.

    `min_confidence` is in percent; `watch` is as for `start_analysis`.
    """

    table_name: str
    frames_queue_url: str
    frames_express_queue_url: str
    work_bucket_name: str
    policy: str
    min_confidence: float
    images_per_second: float
    watch: str = ""
    outbox: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSettings:
    """What `completion` needs: table, work bucket, the topic of its notices, and the policy (compact JSON)."""

    table_name: str
    work_bucket_name: str
    completions_topic_arn: str
    policy: str
    outbox: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperSettings:
    """What `sweeper` needs: table, lanes, topics, `completion`, and the content of mails.

    `mails_per_scan` is how many flagged videos of a scan are mailed one by one; `slots` is as for `start_analysis`; `language` is
    that of the mails, by its code; the mapping ids are those of the lanes' event source mappings. `watch` and the queues of uploads
    are "" where no bucket is watched, what is of the lanes of frames where frames are not deployed, and `outbox_queue_url` where
    verdicts have no consequences.
    """

    table_name: str
    alerts_topic_arn: str
    account_id: str
    stack_name: str
    normal_queue_url: str
    express_queue_url: str
    normal_dead_letters_url: str
    express_dead_letters_url: str
    normal_mapping_id: str
    express_mapping_id: str
    completion_function_arn: str
    completions_topic_arn: str
    mails_per_scan: int
    slots: int = 18
    language: str = "en"
    watch: str = ""
    uploads_queue_url: str = ""
    uploads_dead_letters_url: str = ""
    frames_queue_url: str = ""
    frames_express_queue_url: str = ""
    frames_dead_letters_url: str = ""
    frames_express_dead_letters_url: str = ""
    frames_mapping_id: str = ""
    frames_express_mapping_id: str = ""
    outbox_queue_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVerdictSettings:
    """What `publish_verdict` needs: the table, and which consequences are carried out: "true", or "" for none."""

    table_name: str
    publish_events: str = ""
    tag_objects: str = ""
    annotate_objects: str = ""


AnySettings = TypeVar(
    "AnySettings",
    BatchInvokeSettings,
    NewUploadSettings,
    StartAnalysisSettings,
    SampleFramesSettings,
    CompletionSettings,
    SweeperSettings,
    PublishVerdictSettings,
)


def from_environment(kind: type[AnySettings], environment: Mapping[str, str]) -> AnySettings:
    """Read a function's settings from its environment.

    Raises:
        SettingsError: Names every variable that is missing, empty or not of its type.
    """
    values: dict[str, str | int | float] = {}
    faults: list[str] = []
    for field in dataclasses.fields(kind):
        name = field.name.upper()
        if name not in environment and field.default is not dataclasses.MISSING:
            continue
        text = environment.get(name, "")
        try:
            values[field.name] = _CONVERTERS[str(field.type)](text)
        except ValueError:
            faults.append(f"{name}={text!r} ({field.type} expected)")
    if faults:
        raise SettingsError(
            f"{kind.__name__}: the function's environment lacks or mistypes {', '.join(faults)}; deploy the stack again."
        )
    return kind(**values)  # type: ignore[arg-type]  # each value was converted to the type of its field


def to_environment(settings: AnySettings) -> dict[str, str]:
    """Return the environment variables of these settings; an empty text has none."""
    values = {field.name.upper(): str(getattr(settings, field.name)) for field in dataclasses.fields(settings)}
    return {name: value for name, value in values.items() if value}


def _text(value: str) -> str:
    if not value:
        raise ValueError
    return value


_CONVERTERS: dict[str, Callable[[str], str | int | float]] = {"str": _text, "int": int, "float": float}
