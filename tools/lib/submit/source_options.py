"""The options that say where the rows of a manifest come from, and which options go together with which."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from tools.lib.cli import options
from tools.lib.listing import Selection
from tools.lib.manifest import Kind, Source, refused_options
from tools.lib.submit.selection_options import selection_from

_OPTIONS = {"manifest": Kind.MANIFEST, "inventory": Kind.INVENTORY, "keys_from": Kind.KEYS, "generate": Kind.GENERATED}

# Options beside --run-plan: all others were decided when the plan was made.
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
_TELLING_BUCKET = frozenset({Kind.MANIFEST, Kind.INVENTORY})


# The options that `source_from` takes.
source_options = options(
    click.option("--manifest", metavar="URI|FILE", help="Instead of listing: the objects of your own manifest, each row checked."),
    click.option("--inventory", metavar="URI", help="Instead of listing: an S3 Inventory (CSV), by its manifest.json."),
    click.option("--keys-from", metavar="FILE|-", help="Instead of listing: these keys, one a line, or NUL between them."),
    click.option("--generate", is_flag=True, help="Instead of listing: S3 itself lists the bucket and writes the manifest."),
)


def source_from(**given: Any) -> Source:  # noqa: ANN401 - click hands values over by name
    """Return the source that the options of `source_options` name; other options are not for it."""
    for name, kind in _OPTIONS.items():
        if given[name]:
            return Source(kind, None if kind is Kind.GENERATED else given[name])
    return Source()


def selection_for(source: Source, bucket: str, **given: Any) -> Selection:  # noqa: ANN401 - click hands values over by name
    """Return the selection of a source; who names objects one by one means just these, whatever their keys end in."""
    return selection_from(bucket, **(given if source.filters else {**given, "suffixes": ()}))


def require_consistent(context: click.Context) -> None:
    """Make sure that the options fit together, before AWS is asked.

    Raises:
        click.UsageError: They do not.
    """
    given = {
        option.name or "": option.opts[0]
        for option in context.command.params
        if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    }
    if "run_plan" in given:
        _refuse("The plan has decided {}: omit it, or make a new plan with --dry-run.", given, set(given) - _WITH_A_PLAN)
        return
    if "recheck" in given:
        raise click.UsageError("--recheck is for --run-plan.")
    sources = [name for name in _OPTIONS if name in given]
    if len(sources) > 1:
        raise click.UsageError(f"{' and '.join(given[name] for name in sources)} exclude one another: name one source.")
    kind = _OPTIONS[sources[0]] if sources else Kind.LISTING
    if "bucket" not in given and kind not in _TELLING_BUCKET:
        raise click.UsageError("Missing option '--bucket'.")
    _require_possible(kind, given)


def _require_possible(kind: Kind, given: dict[str, str]) -> None:
    if kind is Kind.GENERATED:
        what = "S3's own ManifestGenerator has no such filter: {}. Omit it, or let this program list the bucket."
        _refuse(what, given, set(given) & refused_options())
    elif not Source(kind, "").filters:
        _refuse(
            f"Who names objects one by one has chosen already: {{}} cannot be used with --{_long(kind)}.",
            given,
            set(given) & _FILTERS,
        )


def _long(kind: Kind) -> str:
    return "keys-from" if kind is Kind.KEYS else kind.value


def _refuse(text: str, given: dict[str, str], names: set[str]) -> None:
    if names:
        raise click.UsageError(text.format(", ".join(option for name, option in given.items() if name in names)))
