"""How far is it? Bars with a rate, on standard error, one for each stage of a long command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from meanscheck.faces.cli.page import console

if TYPE_CHECKING:
    from rich.progress import Progress

Tell = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


class Later:
    """A `Tell` given away before there is a bar; it passes on to `to` once that is set."""

    def __init__(self) -> None:
        self.to: Tell | None = None

    def __call__(self, done: int, total: int) -> None:
        if self.to is not None:
            self.to(done, total)


class Stages:
    """The bars of one command; `stage` adds the next."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars

    @contextmanager
    def stage(self, name: str, unit: str = "", total: int | None = None) -> Iterator[Tell]:
        """A bar for a stage; it is full when the stage is left."""
        if self._bars is None:
            yield lambda done, all_: None
            return
        bars = self._bars
        task = bars.add_task(name, total=total, unit=unit)
        yield lambda done, all_: bars.update(task, completed=done, total=all_)
        known = bars.tasks[task].total
        bars.update(task, completed=known if known is not None else 1, total=known if known is not None else 1)


@contextmanager
def stages(*, quiet: bool = False) -> Iterator[Stages]:
    """Show bars for the stages inside; none if `quiet`."""
    if quiet:
        yield Stages(None)
        return
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """What was done, of what, and how many a second over the whole stage."""

        def render(self, task: Task) -> Text:
            unit = str(task.fields.get("unit", ""))
            if not unit or not task.total:
                return Text("")
            seconds = task.finished_time if task.finished else task.elapsed
            rate = f"  {task.completed / seconds:,.0f}/s" if seconds and seconds > 0.05 else ""
            left = task.time_remaining if not task.finished else None
            still = f"  {_spoken(left)} left" if left is not None else ""
            return Text(f"{task.completed:,.0f} of {task.total:,.0f} {unit}{rate}{still}", style="cyan")

    columns = (TextColumn("{task.description:<26}"), BarColumn(bar_width=28), TimeElapsedColumn(), Rate())
    with Progress(*columns, console=console(errors=True)) as bars:
        yield Stages(bars)


def _spoken(seconds: float) -> str:
    """A length of time in the largest two units that it fills.

    >>> _spoken(8), _spoken(95), _spoken(7_260)
    ('8 s', '1 min 35 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
