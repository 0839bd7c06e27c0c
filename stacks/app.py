"""Synthesising the stack into a cloud assembly."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App

from stacks.settings import StackSettings, from_context, unknown_keys
from stacks.video_moderation import VideoModerationStack


def synthesise(*, root: Path, context: Mapping[str, object], outdir: Path) -> tuple[str, ...]:
    """Write the cloud assembly into `outdir` and return warnings for people.

    `root` is the repository's root, which holds `handlers/`; `context` is that of cdk.json. The environment's CDK_CONTEXT_JSON, in
    which the CDK CLI passes `-c key=value`, overrides it.

    Raises:
        ContextError: The context is invalid.
    """
    # No analytics: the metadata resource would differ between machines.
    app = App(context=context, outdir=str(outdir), analytics_reporting=False)
    given = app.node.get_all_context()
    settings = from_context(given)
    VideoModerationStack(app, settings.stack_name, root=root, settings=settings)
    app.synth()
    return (*unknown_keys(given), *warnings(settings))


def warnings(settings: StackSettings) -> tuple[str, ...]:
    """Return warnings about settings that are valid but rarely meant."""
    if settings.alert_email:
        return ()
    return ("Warning: alert_email is empty, so no mail is sent; set it in cdk.json or with -c alert_email=reviewer@example.com.",)
