"""Synthesising the stack into a cloud assembly."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App

from stacks.settings import ContextError, StackSettings, from_context, unknown_keys
from stacks.video_moderation import VideoModerationStack

# The content of the Lambda layer with PyAV, which `make package` puts there.
MEDIA = Path("build", "media-layer")
# And of the one with boto3, which `make package-sdk` puts there.
SDK = Path("build", "sdk-layer")


def synthesise(
    *, root: Path, context: Mapping[str, object], outdir: Path, media: Path | None = None, sdk: Path | None = None
) -> tuple[str, ...]:
    """Write the cloud assembly into `outdir` and return warnings for people.

    `root` is the repository's root, which holds `handlers/`; `context` is that of cdk.json. The environment's CDK_CONTEXT_JSON, in
    which the CDK CLI passes `-c key=value`, overrides it. `media` is the folder of the layer for frames, by default the one that
    `make package` fills, and `sdk` that of the layer for annotations, by default the one that `make package-sdk` fills.

    Raises:
        ContextError: The context is invalid, or a folder that it needs is missing.
    """
    # No analytics: the metadata resource would differ between machines.
    app = App(context=context, outdir=str(outdir), analytics_reporting=False)
    given = app.node.get_all_context()
    settings = from_context(given)
    media = media or root / MEDIA
    if settings.frames and not media.is_dir():
        raise ContextError(
            f'Context key "frames": {media} is missing, which holds FFmpeg; run make package, or set frames to false.'
        )
    sdk = sdk or root / SDK
    if settings.consequences.annotate_objects and not sdk.is_dir():
        raise ContextError(
            f'Context key "annotate_objects": {sdk} is missing, which holds boto3; run make package-sdk, or set it to false.'
        )
    VideoModerationStack(app, settings.stack_name, root=root, media=media, sdk=sdk, settings=settings)
    app.synth()
    return (*unknown_keys(given), *warnings(settings))


def warnings(settings: StackSettings) -> tuple[str, ...]:
    """Return warnings about settings that are valid but rarely meant."""
    if settings.alert_email:
        return ()
    return ("Warning: alert_email is empty, so no mail is sent; set it in cdk.json or with -c alert_email=reviewer@example.com.",)
