"""The command line ``meanscheck``: one small module per group of commands, assembled here.

Exit codes: 0 good · 1 a negative verdict (a receipt that does not hold, a replay that differs, an expectation not
met, a pack that does not load) · 2 a missing file or unusable input · 3 a guard of the library itself tripped.

Every command takes ``--json`` and then prints one JSON value, alone, on standard output. An error is one line on
standard error. Heavy imports live inside the commands, so that ``--help`` answers at once.

Choices
    * An unforeseen exception prints its kind and place but not its text, which may hold a person's data; set
      ``MEANSCHECK_TRACEBACK=1`` to see all of it.
"""

from meanscheck.faces.cli.app import main

__all__ = ["main"]
