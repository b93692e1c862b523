"""Contenders of a row, run in turn: what the machine does at a time, it does to all of them."""

import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .measure import Failed, Measured, measure

Told = dict[str, Any]


@dataclass
class Contender:
    """One program that does the work of a row."""

    name: str
    command: list[str]
    # What takes seconds out of what it told; by default the whole process counts. CPU seconds are those that it told as `cpu_seconds`
    # then, or all of the process.
    seconds: Callable[[Told], float] | None = None
    # What it reached, for people: rows written, RMSE.
    result: Callable[[Told], str] = lambda told: str(told.get("result", ""))
    # Slow ones run once.
    once: bool = False
    # What is removed before each run: files, folders, and the links that our datasets are.
    fresh: list[Path] = field(default_factory=list)
    # What is done before each run, beside the clock.
    prepare: Callable[[], None] = lambda: None


@dataclass
class Row:
    """A line of the table."""

    name: str
    seconds: float | None = None
    lowest: float | None = None
    highest: float | None = None
    cpu_seconds: float | None = None
    peak_mib: float | None = None
    runs: int = 0
    result: str = ""
    failure: str = ""


def contest(contenders: list[Contender], cwd: Path, rounds: int, niceness: int, timeout: float) -> list[Row]:
    """Runs each contender so many times, in turn. The median counts."""
    found: dict[str, list[Measured]] = {contender.name: [] for contender in contenders}
    failures: dict[str, str] = {}
    for turn in range(rounds):
        for contender in contenders:
            if contender.name in failures or (contender.once and turn > 0):
                continue
            for path in contender.fresh:
                remove(path)
            try:
                contender.prepare()
                measured = measure(contender.command, cwd, niceness, timeout)
            except Failed as error:
                failures[contender.name] = str(error)
                print(f"    {contender.name}: {error}", file=sys.stderr)
                continue
            found[contender.name].append(measured)
            print(f"    {contender.name}: {measured.seconds:.2f} s, CPU {measured.cpu_seconds:.2f} s, {measured.peak_mib:.0f} MiB", file=sys.stderr, flush=True)
    return [summary(contender, found[contender.name], failures.get(contender.name, "")) for contender in contenders]


def remove(path: Path) -> None:
    """Whatever is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def summary(contender: Contender, runs: list[Measured], failure: str) -> Row:
    """The median of the runs."""
    if not runs:
        return Row(contender.name, failure=failure or "not run")
    seconds = [contender.seconds(run.told) if contender.seconds else run.seconds for run in runs]
    return Row(
        contender.name,
        seconds=statistics.median(seconds),
        lowest=min(seconds),
        highest=max(seconds),
        cpu_seconds=statistics.median(contender.seconds and run.told.get("cpu_seconds") or run.cpu_seconds for run in runs),
        peak_mib=statistics.median(run.peak_mib for run in runs),
        runs=len(runs),
        result=contender.result(runs[-1].told),
    )
