"""Which commands are there, and what happens when one fails?"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from meanscheck.errors import (
    Erased,
    InternalError,
    MeanscheckError,
    NotProven,
    ReplayDifference,
    Restricted,
    Retained,
)
from meanscheck.faces.cli import (
    access,
    audit,
    casework,
    consents,
    demo,
    differences,
    erase,
    explain,
    feeds,
    identity,
    intake,
    latest,
    receipts,
    requests,
    rules,
    rules_diff,
    steps,
    store,
    trace,
    witness,
)

GOOD, NEGATIVE, UNUSABLE, OURS = 0, 1, 2, 3

app = typer.Typer(
    name="meanscheck",
    help="Verify a household's economic means and decide social relief: exact money, honest unknowns, cited law, "
    "decisions that anyone can verify.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (demo, intake, casework, explain, differences, trace, steps, receipts, latest, erase, store):
    group.register(app)
rules_diff.register(rules.app)
app.add_typer(audit.app, name="audit")
app.add_typer(consents.app, name="consents")
app.add_typer(identity.app, name="identity")
app.add_typer(access.app, name="access")
app.add_typer(rules.app, name="rules")
app.add_typer(requests.app, name="requests")
app.add_typer(feeds.app, name="feeds")
app.add_typer(witness.app, name="witness")


def _version(wanted: bool) -> None:
    if wanted:
        from meanscheck import __version__

        typer.echo(f"meanscheck {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; always leaves by SystemExit."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="meanscheck")
    except MeanscheckError as fault:
        _leave(str(fault), _code_of(fault), fault)
    except OSError as fault:
        # The name of a file that the caller gave is no secret to the caller; only its last part is repeated.
        name = Path(str(fault.filename)).name if fault.filename else "a file"
        _leave(f"{name}: {fault.strerror or type(fault).__name__}", UNUSABLE, fault)
    except KeyboardInterrupt:
        _leave("stopped; what was complete is kept, nothing is half done", 130, None)
    except Exception as fault:
        _leave(
            f"unforeseen {type(fault).__name__} {_place(fault)}; MEANSCHECK_TRACEBACK=1 shows all of it", OURS, fault
        )
    raise SystemExit(GOOD)


def _code_of(fault: MeanscheckError) -> int:
    if isinstance(fault, InternalError):
        return OURS
    return NEGATIVE if isinstance(fault, NotProven | ReplayDifference | Erased | Restricted | Retained) else UNUSABLE


def _leave(line: str, code: int, fault: BaseException | None) -> NoReturn:
    if fault is not None and os.environ.get("MEANSCHECK_TRACEBACK"):
        traceback.print_exception(fault)
    sys.stdout.flush()
    sys.stderr.write(f"meanscheck: {' '.join(line.split())}\n")
    raise SystemExit(code)


def _place(fault: BaseException) -> str:
    house = str(Path(__file__).parents[2])
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if f.filename.startswith(house)]
    return f"in {frames[-1].name} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
