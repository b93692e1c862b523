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


def write(results: list[dict[str, Any]], machine: str, titles: list[str], sizes: list[str]) -> None:
    """Puts the rows into the table of the document; those that it has of other works and sizes stay. `titles` and `sizes` are all there are, in order."""
    measured = {(result["title"], result["size"].upper()) for result in results}
    there = [line for line in DOCUMENT.read_text().split(BEGIN)[1].split(END)[0].splitlines() if line.startswith("| ")][1:]
    kept = [line for line in there if key(line) not in measured]
    places = [*titles, ""], [size.upper() for size in sizes]

    def place(line: str) -> tuple[int, int]:
        title, size = key(line)
        return places[0].index(title if title in titles else ""), places[1].index(size)

    ordered = sorted([*kept, *(line for result in results for line in lines(result))], key=place)
    replace(BEGIN, END, "\n".join([f"{machine}; {date.today()}", "", HEAD, *ordered]))


def key(line: str) -> tuple[str, str]:
    """Work and size of a line."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return cells[0], cells[1]


def replace(begin: str, end: str, inner: str) -> None:
    """Replaces what lies between two marks of the document."""
    before, rest = DOCUMENT.read_text().split(begin)
    _, after = rest.split(end)
    DOCUMENT.write_text(f"{before}{begin}\n{inner}\n{end}{after}")
