"""``python -m meanscheck`` is the command ``meanscheck``."""

from __future__ import annotations

from meanscheck.faces.cli import main

if __name__ == "__main__":
    main()
