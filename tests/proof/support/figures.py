"""What the proofs measured, printed as one table at their end: `docs/proof.md` is filled in from it."""

from dataclasses import dataclass, field


@dataclass
class Figures:
    """Collects one line for each thing compared."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, found: str, against: str) -> None:
        """`found` is recflow's figure or the largest difference, `against` what it was held to."""
        self.lines.append((what, found, against))

    def table(self) -> list[str]:
        """The lines as a Markdown table with even columns."""
        rows = [("what", "recflow", "against"), *self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
        return [text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]]
