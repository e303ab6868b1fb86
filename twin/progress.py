"""A progress bar on every long step: one line a step on standard error, plain lines where it is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[float, str], None]


@contextmanager
def show_progress(title: str) -> Iterator[Report]:
    """Yield ``report(share, message)`` that moves a bar; ``share`` in 0…1."""
    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn("  {task.description:<44}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[message]}"),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        task = bars.add_task(title, total=1.0, message="")

        def report(share: float, message: str) -> None:
            bars.update(task, completed=min(max(share, 0.0), 1.0), message=message)

        yield report
        bars.update(task, completed=1.0, message="")
        if not console.is_terminal:
            console.print(f"  {title}: done")


def narrow(report: Report, start: float, end: float) -> Report:
    """Return a report of a step that moves the whole from ``start`` to ``end``."""
    return lambda share, message: report(start + share * (end - start), message)
