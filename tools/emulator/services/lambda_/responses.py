"""Lambda's requests: moto stores functions and event source mappings, and the hooks pass them on to the service.

moto's own ways of running a function (docker, a call inside SendMessage, constant SNS events) are disabled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.utils import get_backend
from moto.sqs.models import sqs_backends

from tools.emulator.core import moto_hooks
from tools.emulator.core.moto_hooks import After, Replacement
from tools.emulator.services.lambda_ import account, http
from tools.emulator.services.lambda_.backend import FunctionService
from tools.emulator.services.lambda_.mapping import Mapping
from tools.emulator.services.lambda_.model import (
    DEFAULT_RETRY_ATTEMPTS,
    MAXIMUM_EVENT_AGE_SECONDS,
    Function,
)

# MaximumConcurrency of an SQS mapping [bc:lambda ScalingConfig].
LEAST_CONCURRENCY = 2
GREATEST_CONCURRENCY = 1000


def _configure_events(name: str, given: dict[str, Any], place: tuple[str, str]) -> tuple[str]:
    config = {key: value for key, value in given.items() if key not in ("FunctionName", "Qualifier")}
    for number in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
        if number in config:
            config[number] = int(config[number])
    get_backend(*place).put_function_event_invoke_config(given["FunctionName"], config)
    return (name,)


# moto's CloudFormation lacks this type. Deleting a function deletes its configuration too.
_EVENT_INVOKE_CONFIG = moto_hooks.resource_type("AWS::Lambda::EventInvokeConfig", _configure_events)


def hooks(service: FunctionService) -> Iterator[moto_hooks.Hook]:
    """Yield the hooks that connect moto's Lambda with the service."""
    made = _Hooks(service)
    yield from made.of_functions()
    yield from made.of_mappings()
    yield from made.of_invocations()
    yield from account.hooks(service.account_concurrency)


class _Hooks:
    """Passes what moto's methods have stored on to the service."""

    def __init__(self, service: FunctionService) -> None:
        self._service = service

    # Functions.

    def of_functions(self) -> Iterator[moto_hooks.Hook]:
        """Yield what keeps the engine's functions as moto's are: created, changed, described, deleted."""
        yield After(LambdaBackend, "create_function", lambda fn, backend, spec: self._created(backend, fn, spec))
        for name in ("create_from_cloudformation_json", "update_from_cloudformation_json"):
            yield After(LambdaFunction, name, self._described)
        for name in ("update_configuration", "update_function_code"):
            yield After(LambdaFunction, name, lambda _, fn, updates: self._changed(fn, updates))
        for name in (
            "put_function_concurrency",
            "delete_function_concurrency",
            "put_function_event_invoke_config",
            "delete_function_event_invoke_config",
        ):
            yield After(LambdaBackend, name, lambda _, backend, function_name, *__: self._put(backend.get_function(function_name)))
        yield After(
            LambdaBackend, "delete_function", lambda _, __, function_name, *___, **____: self._service.remove(function_name)
        )
        yield After(LambdaFunction, "get_configuration", _add_dead_letters)

    def _created(self, backend: Any, fn: Any, spec: dict[str, Any]) -> None:  # noqa: ANN401  # moto's
        latest = backend.get_function(fn.function_name)
        _keep_dead_letters(latest, spec)
        self._put(latest)

    def _described(self, fn: Any, _: type, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  # moto's
        template = named.get("cloudformation_json") or next(entry for entry in arguments if isinstance(entry, dict))
        self._changed(fn, template["Properties"])

    def _changed(self, fn: Any, updates: dict[str, Any]) -> None:  # noqa: ANN401  # moto's
        _keep_dead_letters(fn, updates)
        self._put(fn)

    def _put(self, fn: Any) -> None:  # noqa: ANN401  # moto's
        self._service.put(_function(fn))

    # Event source mappings.

    def of_mappings(self) -> Iterator[moto_hooks.Hook]:
        """Yield the hooks for event source mappings."""
        yield After(LambdaBackend, "create_event_source_mapping", lambda esm, backend, _: self._mapped(backend, esm))
        yield After(LambdaBackend, "update_event_source_mapping", lambda esm, backend, *_: self._remapped(backend, esm))
        yield After(LambdaBackend, "delete_event_source_mapping", lambda _, __, mapping: self._service.remove_mapping(mapping))
        yield After(EventSourceMapping, "get_configuration", self._add_state)

    def _mapped(self, backend: Any, esm: Any) -> None:  # noqa: ANN401  # moto's
        for queue in sqs_backends[backend.account_id][backend.region_name].queues.values():
            queue.lambda_event_source_mappings.pop(esm.function_arn, None)  # moto would call the function inside SendMessage
        try:
            self._service.put_mapping(_mapping(esm))
        except InvalidParameterValueException:
            backend.delete_event_source_mapping(esm.uuid)
            raise

    def _remapped(self, backend: Any, esm: Any) -> None:  # noqa: ANN401  # moto's
        if esm is not None:  # None: there is no such mapping
            self._mapped(backend, esm)

    def _add_state(self, configuration: dict[str, Any], esm: Any) -> None:  # noqa: ANN401  # moto's
        state = self._service.mapping_state(esm.uuid)
        if state is not None:
            configuration["State"] = state

    # Invocations.

    def of_invocations(self) -> Iterator[moto_hooks.Hook]:
        """Yield the hooks that make the service run what moto would run."""
        service = self._service

        def queue_event(fn: Any, body: str | bytes, *_: object, **__: object) -> bytes:  # noqa: ANN401  # moto's
            service.invoke_event(fn.function_arn, http.payload(body))
            return b""

        def queue_by_name(_: object, function_name: str, __: object, body: str | bytes, *___: object, **____: object) -> bytes:
            service.invoke_event(function_name, http.payload(body))
            return b""

        yield Replacement(LambdaFunction, "invoke", queue_event)
        yield Replacement(LambdaBackend, "invoke", queue_by_name)
        yield Replacement(LambdaBackend, "send_sns_message", lambda *_, **__: None)  # our SNS delivers
        yield Replacement(LambdaBackend, "send_sqs_batch", lambda *_, **__: False)
        yield Replacement(LambdaResponse, "invoke", lambda response: http.invoke(service, response))


def _keep_dead_letters(fn: Any, given: dict[str, Any]) -> None:  # noqa: ANN401  # moto's
    if "DeadLetterConfig" in given:
        fn.dead_letter_arn = (given["DeadLetterConfig"] or {}).get("TargetArn") or None


def _add_dead_letters(configuration: dict[str, Any], fn: Any, *_: object, **__: object) -> None:  # noqa: ANN401  # moto's
    if arn := vars(fn).get("dead_letter_arn"):
        configuration["DeadLetterConfig"] = {"TargetArn": arn}


def _function(fn: Any) -> Function:  # noqa: ANN401  # moto's
    events = fn.event_invoke_config[-1].config if fn.event_invoke_config else {}
    dead_letter_arn = vars(fn).get("dead_letter_arn")
    on_failure_arn = events.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination") or None
    for arn in (dead_letter_arn, on_failure_arn):
        if arn is not None and ":sqs:" not in arn:
            raise InvalidParameterValueException(
                f"function {fn.function_name}: the offline world sends dead letters to SQS only, not to {arn}"
            )
    return Function(
        name=fn.function_name,
        arn=fn.function_arn,
        handler=fn.handler or "",
        role=fn.role,
        code=fn.code_bytes,
        environment={name: str(value) for name, value in fn.environment_vars.items()},
        timeout=float(fn.timeout),
        memory=int(fn.memory_size),
        dead_letter_arn=dead_letter_arn,
        on_failure_arn=on_failure_arn,
        max_retry_attempts=int(events.get("MaximumRetryAttempts", DEFAULT_RETRY_ATTEMPTS)),
        max_event_age=float(events.get("MaximumEventAgeInSeconds", MAXIMUM_EVENT_AGE_SECONDS)),
        reserved_concurrency=None if fn.reserved_concurrency is None else int(fn.reserved_concurrency),
    )


def _mapping(esm: Any) -> Mapping:  # noqa: ANN401  # moto's
    if ":sqs:" not in esm.event_source_arn:
        raise InvalidParameterValueException(f"the offline world maps SQS queues only, not {esm.event_source_arn}")
    for name, value in (("FilterCriteria", esm.filter_criteria), ("MaximumBatchingWindowInSeconds", esm.max_batch_window)):
        if value:
            raise InvalidParameterValueException(f"the offline world does not implement {name} of an event source mapping")
    concurrency = (esm.scaling_config or {}).get("MaximumConcurrency")
    if concurrency is not None and not LEAST_CONCURRENCY <= int(concurrency) <= GREATEST_CONCURRENCY:
        raise InvalidParameterValueException(
            f"MaximumConcurrency {concurrency} is not in {LEAST_CONCURRENCY}..{GREATEST_CONCURRENCY}"
        )
    return Mapping(
        uuid=esm.uuid,
        queue_arn=esm.event_source_arn,
        function_arn=esm.function_arn,
        batch_size=int(esm.batch_size),
        maximum_concurrency=None if concurrency is None else int(concurrency),
        report_item_failures="ReportBatchItemFailures" in (esm.function_response_types or []),
        enabled=str(esm.enabled).lower() == "true",
    )
