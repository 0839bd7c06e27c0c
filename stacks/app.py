"""From context to a cloud assembly on disk."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App

from stacks.settings import StackSettings, from_context
from stacks.video_moderation import VideoModerationStack


def synthesise(*, root: Path, context: Mapping[str, object], outdir: Path) -> tuple[str, ...]:
    """Write the cloud assembly into `outdir` and return warnings for people.

    `root` is the repository's root, which holds `handlers/`; `context` is what cdk.json says, over which CDK_CONTEXT_JSON of the
    environment wins (that is how the CDK CLI hands over `-c key=value`).

    Raises:
        ContextError: The context cannot be used.
    """
    # No analytics: the metadata resource would differ between machines.
    app = App(context=context, outdir=str(outdir), analytics_reporting=False)
    settings = from_context(app.node.get_all_context())
    VideoModerationStack(app, settings.stack_name, root=root, settings=settings)
    app.synth()
    return warnings(settings)


def warnings(settings: StackSettings) -> tuple[str, ...]:
    """Return what is legal but rarely meant."""
    if settings.alert_email:
        return ()
    return ("Warning: alert_email is empty, so no mail is sent; set it in cdk.json or with -c alert_email=reviewer@example.com.",)
