"""The command line: options, output, exit codes, and files that are replaced as a whole or not at all."""

from tools.lib.cli.atomic_file import kept_if_done, replace_atomically
from tools.lib.cli.commands import DefaultGroup, Invocation, command
from tools.lib.cli.output import EXIT_CODES, Bar, CommandResult, ExitCode, Terminal
from tools.lib.cli.params import (
    EXISTING_FILE,
    STANDARD_STREAM,
    BucketName,
    Moment,
    NewFile,
    ObjectUri,
    ScanOrObject,
    SourceFile,
    object_uri,
)
from tools.lib.cli.program import (
    CONTEXT_SETTINGS,
    ROOT,
    ProgramContext,
    Target,
    as_tool_error,
    ending,
    options,
    poll_seconds_option,
    user_name,
    version_option,
)

__all__ = [
    "CONTEXT_SETTINGS",
    "EXISTING_FILE",
    "EXIT_CODES",
    "ROOT",
    "STANDARD_STREAM",
    "Bar",
    "BucketName",
    "CommandResult",
    "DefaultGroup",
    "ExitCode",
    "Invocation",
    "Moment",
    "NewFile",
    "ObjectUri",
    "ProgramContext",
    "ScanOrObject",
    "SourceFile",
    "Target",
    "Terminal",
    "as_tool_error",
    "command",
    "ending",
    "kept_if_done",
    "object_uri",
    "options",
    "poll_seconds_option",
    "replace_atomically",
    "user_name",
    "version_option",
]
