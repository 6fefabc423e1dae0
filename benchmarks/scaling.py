"""How do time and memory grow with the number of households? One picture, drawn from rows that were measured before.

    python -m benchmarks.scaling --from benchmarks/scaling.json          writes benchmarks/scaling.svg

The file is a JSON list of rows ``{"households": 10000, "seconds": …, "cpu_seconds": …, "peak_mib": …, "label": "…"}``:
what `measure.run` says of a stage at one size (`wall`, `cpu`, `peak_mib`), under the name of the line that it belongs
to. Above are microseconds a household, by the wall clock (full line, filled marks) and of CPU (dashed, open marks);
below is the peak of memory. Both begin at zero, so that flat looks flat and twice looks twice; households stand on a
logarithmic axis.

Choices
    * The SVG is written here, line by line. A plotting library would bring ten packages for one picture, and its file
      would differ with each of its versions; this one changes only when a figure does.
    * The picture has its own white ground, so that it is readable on a dark page, and says its figures in words too
      (``<desc>``). Lines differ by their marks as well as by colour (Okabe and Ito's, told apart by the colour-blind).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

HERE = Path(__file__).parent
SHAPES = ((24, 0.0), (4, 0.5), (3, 0.0), (4, 0.0), (3, 0.5), (5, 0.0))
"""Line → corners of its mark and by what part of a step they are turned: disc, square, triangle, …"""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
WIDTH, LEFT, RIGHT = 860, 84, 28
PANEL, GAP, TOP, BOTTOM = 230, 76, 90, 62
INK, FAINT = "#222222", "#DDDDDD"
MARK = 5.0
TICKS = 4
"""At least so many steps on an axis of values; at most two and a half times as many and one."""


class Row(BaseModel):
    """One measurement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    households: int = Field(ge=1)
    seconds: float = Field(gt=0, allow_inf_nan=False)
    cpu_seconds: float = Field(gt=0, allow_inf_nan=False)
    peak_mib: float = Field(gt=0, allow_inf_nan=False)
    label: str = Field(min_length=1, max_length=28)

    @property
    def wall(self) -> float:
        """Microseconds of the wall clock a household."""
        return self.seconds / self.households * 1e6

    @property
    def cpu(self) -> float:
        """Microseconds of CPU a household."""
        return self.cpu_seconds / self.households * 1e6


def rows_of(file: Path) -> list[Row]:
    """The rows of a file, by size.

    Raises:
        ValueError: what is wrong with the file, where, and what to do.
    """
    try:
        rows = TypeAdapter(list[Row]).validate_json(file.read_bytes())
    except OSError:
        raise ValueError(
            f"{file.name}: no such file. Put the measured rows there, as benchmarks/scaling.py says"
        ) from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ", ".join(f"row {part + 1}" if isinstance(part, int) else str(part) for part in first["loc"])
        raise ValueError(f"{file.name}, {where or 'the file'}: {first['msg']}. Mend it there") from None
    if not rows:
        raise ValueError(f"{file.name}: no rows. Put in at least one measurement")
    labels = list(dict.fromkeys(row.label for row in rows))
    if len(labels) > len(COLOURS):
        raise ValueError(f"{file.name}: {len(labels)} labels, {len(COLOURS)} can be told apart. Leave some out")
    sizes = [(row.label, row.households) for row in rows]
    for label, households in sizes:
        if sizes.count((label, households)) > 1:
            raise ValueError(f"{file.name}: two rows of {label!r} at {households} households. Keep one")
    return sorted(rows, key=lambda row: row.households)


def short(number: float) -> str:
    """10 k, 22 M: a number of households as the axis says it."""
    for unit, word in ((1e6, " M"), (1e3, " k")):
        if number >= unit:
            return f"{number / unit:g}{word}"
    return f"{number:g}"


def nice_step(highest: float) -> float:
    """1, 2 or 5 times a power of ten: the largest that makes `TICKS` steps up to a value."""
    power = 10.0 ** math.floor(math.log10(highest / TICKS))
    return max(step for m in (1, 2, 5) if (step := m * power) <= highest / TICKS * (1 + 1e-9))


@dataclass(frozen=True, slots=True)
class Across:
    """The logarithmic axis of households."""

    lowest: float
    highest: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Across:
        """From somewhat below the smallest size to somewhat above the largest."""
        sizes = [row.households for row in rows]
        return cls(min(sizes) / 1.25, max(sizes) * 1.25)

    def at(self, households: float) -> float:
        """Pixels from the left."""
        share = math.log(households / self.lowest) / math.log(self.highest / self.lowest)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> list[int]:
        """1, 2 and 5 times powers of ten, only powers of ten where these would stand too close."""
        powers = range(math.floor(math.log10(self.lowest)), math.ceil(math.log10(self.highest)) + 1)
        all_of = [m * 10**p for p in powers if p >= 0 for m in (1, 2, 5)]
        ticks = [t for t in all_of if self.lowest <= t <= self.highest]
        if len(ticks) > 14:
            ticks = [t for t in ticks if str(t).strip("0") == "1"]
        return ticks


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of lines over a common axis: title with unit, pixels of its upper edge, value at its upper edge."""

    title: str
    top: float
    step: float
    highest: float

    @classmethod
    def of(cls, title: str, top: float, values: Sequence[float]) -> Panel:
        """From zero to the first step that no value passes."""
        step = nice_step(max(values))
        return cls(title, top, step, step * math.ceil(max(values) / step - 1e-9))

    def at(self, value: float) -> float:
        """Pixels from above."""
        return self.top + PANEL * (1 - value / self.highest)

    def ground(self, across: Across) -> Iterator[str]:
        """Title, lines across and down, and what they say."""
        yield text(LEFT, self.top - 14, self.title, weight="bold")
        for n in range(round(self.highest / self.step) + 1):
            y = self.at(n * self.step)
            yield line(LEFT, y, WIDTH - RIGHT, y, INK if n == 0 else FAINT)
            yield text(LEFT - 10, y + 5, f"{n * self.step:,.10g}".replace(",", " "), anchor="end")
        for tick in across.ticks():
            x = across.at(tick)
            yield line(x, self.top, x, self.top + PANEL, FAINT)
            yield line(x, self.top + PANEL, x, self.top + PANEL + 5, INK)
            yield text(x, self.top + PANEL + 22, short(tick), anchor="middle")


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """A thin straight line."""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    """Words at a place."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} fill="{INK}">{escape(words)}</text>'


def curve(points: Sequence[tuple[float, float]], which: int, *, is_open: bool = False) -> Iterator[str]:
    """A line through points with its marks; dashed and with open marks on request."""
    dash = ' stroke-dasharray="6 5"' if is_open else ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    yield f'<path d="M{path}" stroke="{COLOURS[which]}" stroke-width="2" fill="none"{dash}/>'
    yield from (mark(x, y, which, is_open=is_open) for x, y in points)


def mark(x: float, y: float, which: int, *, is_open: bool = False) -> str:
    """A polygon about a place: its corners and which way they point tell the line."""
    corners, turn = SHAPES[which]
    angles = [2 * math.pi * (i + turn) / corners for i in range(corners)]
    path = "L".join(f"{x + MARK * math.sin(a):.1f} {y - MARK * math.cos(a):.1f}" for a in angles)
    fill = "white" if is_open else COLOURS[which]
    return f'<path d="M{path}Z" stroke="{COLOURS[which]}" stroke-width="2" fill="{fill}"/>'


def legend(labels: Sequence[str]) -> Iterator[str]:
    """The labels, three in a row."""
    for i, label in enumerate(labels):
        x, y = LEFT + 258 * (i % 3), 30 + 20 * (i // 3)
        yield f'<path d="M{x} {y}h34" stroke="{COLOURS[i]}" stroke-width="2"/>'
        yield mark(x + 17, y, i)
        yield text(x + 44, y + 5, label)


def picture(rows: Sequence[Row]) -> str:
    """The SVG of rows in the order of their sizes; lines stand in the order in which their labels come first."""
    labels = list(dict.fromkeys(row.label for row in rows))
    across = Across.of(rows)
    top = TOP + 20 * ((len(labels) - 1) // 3)
    below = top + PANEL + GAP
    height = below + PANEL + BOTTOM
    time = Panel.of(
        "µs a household: wall clock (full line) and CPU (dashed)", top, [t for row in rows for t in (row.wall, row.cpu)]
    )
    memory = Panel.of("peak memory, MiB", below, [row.peak_mib for row in rows])
    parts = [*legend(labels), *time.ground(across), *memory.ground(across)]
    for which, label in enumerate(labels):
        own = [(across.at(row.households), row) for row in rows if row.label == label]
        parts += curve([(x, time.at(row.cpu)) for x, row in own], which, is_open=True)
        parts += curve([(x, time.at(row.wall)) for x, row in own], which)
        parts += curve([(x, memory.at(row.peak_mib)) for x, row in own], which)
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 12, "households (logarithmic)", anchor="middle"))
    said = [
        f"{row.label}, {row.households} households: {row.wall:.1f} µs, {row.cpu:.1f} µs of CPU, {row.peak_mib:.0f} MiB"
        for row in rows
    ]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    font = 'font-family="DejaVu Sans, Verdana, sans-serif" font-size="14"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">',
        "<title>Time a household and peak memory by number of households</title>",
        f"<desc>{escape('; '.join(said))}</desc>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    return "\n".join((*head, *parts, "</svg>\n"))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 2 if the rows cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--from", dest="rows", type=Path, default=HERE / "scaling.json", metavar="FILE")
    parser.add_argument("--to", type=Path, default=HERE / "scaling.svg", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        rows = rows_of(options.rows)
    except ValueError as fault:
        print(fault, file=sys.stderr)
        return 2
    options.to.write_text(picture(rows), encoding="utf-8")
    print(f"{options.to.name}: {len(rows)} measurements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
