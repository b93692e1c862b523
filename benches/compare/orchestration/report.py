"""The tables in `docs/benchmarks.md`, between two marks: figures, and how many times as long each peer took."""

import statistics
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from .workloads import COSTED, WORKLOADS

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- orchestrators: begin -->", "<!-- orchestrators: end -->"
# Whom a peer is held against: with servers, the daemon; without, the command that needs none.
OWN = {True: "recflow daemon", False: "recflow run"}

Kept = dict[str, dict[str, Any]]


def markdown(kept: Kept) -> str:
    """Both tables."""
    names = list(kept)
    head = [row("", [f"{name} {kept[name]['version']}" for name in names]), "|---|" + "---:|" * len(names)]
    lines = [row(title, [cell(kept[name]["rounds"]) for name in names]) for title, cell in figures()]
    peers = [name for name in names if not name.startswith("recflow")]
    ratios = [row(title, [times(kept, name, pick) for name in peers]) for title, pick in compared()]
    second = [row("times as long", [f"{name} / {own(kept, name)}" for name in peers]), "|---|" + "---:|" * len(peers)]
    return "\n".join([*head, *lines, "", *second, *ratios])


def row(title: str, cells: list[str]) -> str:
    """A line of a table."""
    return f"| {title} | {' | '.join(cells)} |"


def figures() -> list[tuple[str, Callable[[list[dict]], str]]]:
    """The lines of the first table."""
    lines = [(f"{one.title}: s", lambda rounds, name=one.name: spread([*values(rounds, name, "seconds")], failure(rounds, name))) for one in WORKLOADS]
    for name in ("chain_10", "chain_100"):
        count = int(name.rpartition("_")[2])
        lines.append(
            (
                f"a task in the chain of {count}: ms",
                lambda rounds, name=name, count=count: middle([1e3 * s / count for s in values(rounds, name, "seconds")], 1),
            )
        )
    for one in COSTED:
        lines.append((f"{one.title}: CPU s", lambda rounds, name=one.name: middle(values(rounds, name, "cpu_seconds"))))
    return [
        *lines,
        ("peak memory in the fan-out: MiB", lambda rounds: middle(plain(rounds, "peak_mib"), 0)),
        ("servers at rest: MiB", lambda rounds: middle(plain(rounds, "idle_mib"), 0)),
        ("servers at rest: % of a core", lambda rounds: middle([100 * share for share in plain(rounds, "idle_cpu")], 2)),
        ("from nothing to the end of a first run: s", lambda rounds: spread(plain(rounds, "cold_start"), failure(rounds, "cold_start"))),
        ("`kill -9` of everything in the second of three tasks", after_kill),
        ("load average of the machine before", lambda rounds: middle(plain(rounds, "load"), 1)),
        ("rounds", lambda rounds: str(len(rounds))),
    ]


def values(rounds: list[dict], workload: str, figure: str) -> list[float]:
    """One figure of a workload, of all rounds that have it."""
    return [found["workloads"][workload][figure] for found in rounds if workload in found["workloads"]]


def plain(rounds: list[dict], figure: str) -> list[float]:
    """A figure of the whole round."""
    return [found[figure] for found in rounds if found.get(figure) is not None]


def failure(rounds: list[dict], step: str) -> str:
    """Why there is no figure."""
    return next((found["failures"][step] for found in rounds if step in found["failures"]), "").replace("|", "/")


def middle(found: list[float], digits: int = 2) -> str:
    """The median."""
    return f"{statistics.median(found):.{digits}f}" if found else ""


def spread(found: list[float], failed: str) -> str:
    """The median, and between what it lies."""
    if not found:
        return failed
    between = f" ({min(found):.2f}-{max(found):.2f})" if len(found) > 1 else ""
    return middle(found) + between


def after_kill(rounds: list[dict]) -> str:
    """What became of the run, in the last round that tried."""
    told = next((found["kill"] for found in reversed(rounds) if "kill" in found), None)
    if told is None:
        return failure(rounds, "kill")
    stands = f"{told['state']} {told['seconds']:.1f} s" if told["final"] else f"still “{told['state']}” {told['seconds']:.0f} s"
    return f"{stands} after {told['by']}; started {told['starts']} times in all"


def compared() -> list[tuple[str, Callable[[list[dict]], list[float]]]]:
    """The lines of the second table."""
    by_clock = [(one.title, lambda rounds, name=one.name: values(rounds, name, "seconds")) for one in WORKLOADS]
    by_cpu = [(f"{one.title}, CPU seconds", lambda rounds, name=one.name: values(rounds, name, "cpu_seconds")) for one in COSTED]
    return [*by_clock, *by_cpu, ("from nothing to the end of a first run", lambda rounds: plain(rounds, "cold_start"))]


def own(kept: Kept, peer: str) -> str:
    """Which of ours a peer is held against."""
    return OWN[kept[peer]["has_server"]]


def times(kept: Kept, peer: str, pick: Callable[[list[dict]], list[float]]) -> str:
    """How many times as much as ours."""
    ours, theirs = pick(kept.get(own(kept, peer), {}).get("rounds", [])), pick(kept[peer]["rounds"])
    return f"{statistics.median(theirs) / statistics.median(ours):.1f}" if ours and theirs else ""


def write(kept: Kept, machine: str, build: str) -> None:
    """Replaces what lies between the marks."""
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{machine}, shared; recflow: {build}; {date.today()}\n\n{markdown(kept)}\n{END}{after}")
