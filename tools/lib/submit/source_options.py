"""The options that say where the rows of a manifest come from, and which options may be combined."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from tools.lib.cli import SourceFile, options
from tools.lib.listing import Selection
from tools.lib.manifest import Kind, Source, refused_options
from tools.lib.submit.selection_options import selection_from

_OPTIONS = {"manifest": Kind.MANIFEST, "inventory": Kind.INVENTORY, "keys_from": Kind.KEYS, "generate": Kind.GENERATED}

# Options that --run-plan allows: all others were decided when the plan was made.
_WITH_A_PLAN = frozenset(
    {
        "run_plan",
        "recheck",
        "stack",
        "region",
        "profile",
        "yes",
        "wait",
        "unconfirmed_mail",
        "as_json",
        "debug",
        "poll_seconds",
        "manifests",
    }
)

_FILTERS = frozenset(
    {
        "prefixes",
        "suffixes",
        "include",
        "exclude",
        "min_size",
        "max_size",
        "modified_after",
        "modified_before",
        "storage_classes",
        "all_versions",
    }
)
# Sources that name their bucket.
_NAMING_BUCKET = frozenset({Kind.MANIFEST, Kind.INVENTORY})

# The options that `source_from` takes.
source_options = options(
    click.option(
        "--manifest",
        type=SourceFile(stdin=False),
        metavar="URI|FILE",
        help="Instead of listing: use the objects of your own manifest; each row is checked.",
    ),
    click.option(
        "--inventory",
        type=SourceFile(stdin=False),
        metavar="URI|FILE",
        help="Instead of listing: use an S3 Inventory (CSV), named by its manifest.json.",
    ),
    click.option(
        "--keys-from",
        type=SourceFile(stdin=True),
        metavar="FILE|-",
        help="Instead of listing: use these keys, one per line or separated by NUL.",
    ),
    click.option("--generate", is_flag=True, help="Instead of listing: let S3 list the bucket and write the manifest."),
)


def source_from(**given: Any) -> Source:  # noqa: ANN401 - click hands values over by name
    """Return the source that the options of `source_options` name; other options are ignored."""
    for name, kind in _OPTIONS.items():
        if given[name]:
            return Source(kind, None if kind is Kind.GENERATED else given[name])
    return Source()


def selection_for(source: Source, bucket: str, **given: Any) -> Selection:  # noqa: ANN401 - click hands values over by name
    """Return the selection of a source, which has suffixes of its own where none are given."""
    return selection_from(bucket, **{**given, "suffixes": given["suffixes"] or source.suffixes})


def require_consistent(context: click.Context) -> None:
    """Make sure that the options can be combined, before any call to AWS.

    Raises:
        click.UsageError: They cannot.
    """
    given = {
        option.name or "": option.opts[0]
        for option in context.command.params
        if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    }
    if "run_plan" in given:
        text = "{} cannot be used with --run-plan, because the plan decides it: omit it, or make a new plan with --dry-run."
        _refuse(text, given, set(given) - _WITH_A_PLAN)
        return
    if "recheck" in given:
        raise click.UsageError("--recheck requires --run-plan.")
    sources = [name for name in _OPTIONS if name in given]
    if len(sources) > 1:
        raise click.UsageError(f"{' and '.join(given[name] for name in sources)} exclude each other: pass one source.")
    kind = _OPTIONS[sources[0]] if sources else Kind.LISTING
    if "bucket" not in given and kind not in _NAMING_BUCKET:
        raise click.UsageError("Missing option '--bucket'.")
    _require_possible(kind, given)


def _require_possible(kind: Kind, given: dict[str, str]) -> None:
    if kind is Kind.GENERATED:
        text = "{} cannot be used with --generate, because S3's ManifestGenerator has no such filter: omit one of them."
        _refuse(text, given, set(given) & refused_options())
    elif not Source(kind, "").filters:
        option = next(given[name] for name in _OPTIONS if name in given)
        _refuse(f"{{}} cannot be used with {option}, which names each object: omit one of them.", given, set(given) & _FILTERS)


def _refuse(text: str, given: dict[str, str], names: set[str]) -> None:
    if names:
        raise click.UsageError(text.format(", ".join(option for name, option in given.items() if name in names)))
