"""The Markdown table in `docs/benchmarks.md`, between two marks."""

from datetime import date
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- compare: begin -->", "<!-- compare: end -->"
HEAD = (
    "| work | size | program | s (lowest-highest) | n | times recflow | CPU s | times recflow | peak MiB | result |\n"
    "|---|---|---|---:|---:|---:|---:|---:|---:|---|"
)


def markdown(results: list[dict[str, Any]]) -> str:
    """One line a contender; recflow first, the others with how many times as long they took."""
    return "\n".join([HEAD, *(line for result in results for line in lines(result))])


def lines(result: dict[str, Any]) -> list[str]:
    """The lines of one row and size."""
    rows = result["rows"]
    own = next((row for row in rows if is_own(row) and row["seconds"]), None)
    written = []
    for row in rows:
        begin = f"| {result['title']} | {result['size'].upper()} | {row['name']} |"
        if row["seconds"] is None:
            written.append(f"{begin} {row['failure'].replace('|', '/')} | | | | | | |")
            continue
        spread = f" ({row['lowest']:.2f}-{row['highest']:.2f})" if row["runs"] > 1 else ""
        times = [f"{row[name] / own[name]:.1f}" if own and not is_own(row) else "" for name in ("seconds", "cpu_seconds")]
        figures = f"{row['seconds']:.2f}{spread} | {row['runs']} | {times[0]} | {row['cpu_seconds']:.2f} | {times[1]}"
        written.append(f"{begin} {figures} | {row['peak_mib']:.0f} | {row['result']} |")
    return written


def is_own(row: dict[str, Any]) -> bool:
    """Whether it is recflow that was measured."""
    return row["name"].startswith("recflow")


def write(results: list[dict[str, Any]], machine: str) -> None:
    """Replaces what lies between the marks."""
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{machine}; {date.today()}\n\n{markdown(results)}\n{END}{after}")
