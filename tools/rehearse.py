"""Rehearse a scan offline: deploy the real template into the offline world and run the real programs on real videos."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter("emulator")
    from tools.emulator.shell import forget_aws_settings

    forget_aws_settings()

import click

from tools.lib.cli import CONTEXT_SETTINGS, EXIT_CODES, ProgramContext, Terminal, ending, version_option
from tools.rehearsal import OutputFolder, Rehearsal, demo, own, require_apart, require_keeping

ROOT = Path(__file__).resolve().parents[1]


@click.command(epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
@version_option
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--speed",
    type=click.FloatRange(1, 60),
    default=60.0,
    show_default=True,
    help="How many seconds pass in the offline world per real second.",
)
@click.option(
    "--serve", is_flag=True, help="Scan nothing: keep the deployed offline world open for your own commands until Ctrl-C."
)
@click.option("--keep", is_flag=True, help="With --serve: go on with the state that the last --keep left, and keep it again.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything that a rehearsal makes; default: build/rehearsal, with --serve build/playground.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(
    context: click.Context,
    *,
    directory: Path | None,
    speed: float,
    serve: bool,
    keep: bool,
    output: Path | None,
    debug: bool,
) -> None:
    """Rehearse a scan of a generated library, or of the files in DIRECTORY, without an AWS account.

    \b
    python tools/rehearse.py
    python tools/rehearse.py ~/Videos
    python tools/rehearse.py --speed 10 --output /tmp/rehearsal
    python tools/rehearse.py --serve

    Your own videos come out clean, because the offline Rekognition recognises only its test cards.

    Exit code 3 is that of the review: some of your files were not analysed. Some of the generated library cannot be; without
    DIRECTORY the exit code is 0 if each object came out as it should.
    """  # noqa: D301 - click needs the character itself: it does not wrap the lines after it
    program_context: ProgramContext = context.obj or ProgramContext()
    terminal = Terminal(as_json=False, out=sys.stdout, err=sys.stderr, interactive=program_context.interactive)
    if keep and not serve:
        raise click.UsageError("--keep goes with --serve.")
    output = output or ROOT / "build" / ("playground" if serve else "rehearsal")
    with ending(terminal, debug=debug):
        terminal.require_output()
        if directory is not None:
            require_apart(directory, output)
        if serve:
            require_keeping(output, keep=keep)
        library = demo() if directory is None else own(directory)
        with OutputFolder(output) as folder:
            rehearsal = Rehearsal(terminal, folder, speed)
            sys.exit(rehearsal.serve(library, keep=keep) if serve else rehearsal.run(library))


if __name__ == "__main__":
    main()
