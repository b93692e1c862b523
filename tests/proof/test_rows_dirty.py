"""Rows of dirty files.

Claim: of 1,000 generated files (`support/dirty.py`) `etl` keeps, rejects and folds exactly what the contract says
(`support/contract.py`), line by line. The files come in 200 histories of five that change one dataset one after the other, with
`upsert`, `append` and `overwrite`, so that old rows meet new ones; a file that must be refused leaves the dataset as it was.
Compared after each file: counts, rejected lines with their numbers and kinds, rows, type. After each history: the rows, read by DuckDB.
Tolerance: none.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from support import contract, dirty, engines
from support.figures import Figures
from support.recflow import Json, Recflow

HISTORIES, FILES = 200, 5
IN_ONE_RUN = 20
"""Histories that one run of recflow goes through."""

WHOLE = ["1", "2", "3", "4", "5", "4.0", "5.00"]
HALVES = [*WHOLE, "0.5", "3.5", "4.50"]
RANGES = {"0.5-5": (0.5, 5.0), "1-5": (1.0, 5.0), "0-10": (0.0, 10.0)}


@dataclass
class Dataset:
    """What a dataset must be at some point of its history."""

    rows: pa.Table = field(default_factory=lambda: contract.arrow([], is_float=False))

    @property
    def is_float(self) -> bool:
        """Whether it holds half stars."""
        return self.rows.schema.field("RATING").type == pa.float32()


@dataclass(frozen=True)
class Step:
    """One file and how it is taken in."""

    name: str
    text: bytes
    mode: str


@dataclass(frozen=True)
class History:
    """A dataset and the files that change it."""

    name: str
    rating_type: str
    rating_range: str
    steps: list[Step]

    @staticmethod
    def of(number: int) -> "History":
        """The same one for the same number."""
        chance = random.Random(number)
        name = f"h{number:03}"
        stars = chance.choice([WHOLE, WHOLE, HALVES])
        modes = chance.choices(["upsert", "append", "overwrite"], [8, 1, 1], k=FILES)
        texts = [dirty.dirty_file(number * FILES + step, stars) for step in range(FILES)]
        steps = [Step(f"{name}_{step}", text, mode) for step, (text, mode) in enumerate(zip(texts, modes, strict=True))]
        return History(name, chance.choice(["auto", "auto", "int", "float"]), chance.choice(list(RANGES)), steps)

    def tasks(self) -> Iterator[tuple[str, Json]]:
        """One task a file, each after the one before, whatever became of that."""
        before: list[str] = []
        for step in self.steps:
            inputs = {"train_file": f"{step.name}.txt", "train_output": self.name, "mode": step.mode}
            options = {"rating_type": self.rating_type, "rating_range": self.rating_range}
            task = {"stage": "etl", "needs": before, "trigger_rule": "all_done", "allow_failure": True}
            yield step.name, task | {"with": inputs | options}
            before = [step.name]


def must_become(base: Dataset, history: History, step: Step, duck: duckdb.DuckDBPyConnection) -> tuple[Dataset, Json] | str:
    """The dataset after a step and what `etl` must say of it; a text: what it must refuse with."""
    parsed = contract.parse(step.text, *RANGES[history.rating_range])
    if not parsed.rows and parsed.rejects:
        return "has no good row"
    kept = Dataset() if step.mode == "overwrite" else base
    # Without rows there is no type to keep.
    is_float = {"auto": kept.is_float if len(kept.rows) else parsed.has_halves, "int": False, "float": True}[history.rating_type]
    if parsed.has_halves and not is_float:
        return "half stars"
    old = kept.rows.set_column(2, "RATING", kept.rows["RATING"].cast(pa.float32() if is_float else pa.int32()))
    new = contract.arrow(parsed.rows, is_float)
    rows = pa.concat_tables([old, new]) if step.mode == "append" else contract.upsert(old, new, duck)
    said = {
        "rows": len(rows),
        "read": len(parsed.rows),
        "rejected": len(parsed.rejects),
        "rejected_by_kind": dict(parsed.by_kind),
        "duplicates": len(old) + len(new) - len(rows),
        "rating_type": "float" if is_float else "int",
    }
    return Dataset(rows), said


def check_step(recflow: Recflow, history: History, step: Step, expected: tuple[Dataset, Json] | str, task: Json) -> None:
    """What `etl` said of one file is what it had to say."""
    if isinstance(expected, str):
        assert task["state"] == "failed" and expected in task["error"], f"{step}: {task}"
        return
    assert task["state"] == "succeeded", f"{step}: {task}"
    found = {key: task["output"]["train"][key] for key in expected[1]}
    assert found == expected[1], f"{history.name}, {step}"
    file = task["output"]["train"]["rejects_file"]
    written = rejected_lines(recflow.workspace / file) if file else []
    assert written == contract.parse(step.text, *RANGES[history.rating_range]).rejects, f"{history.name}, {step}"


def rejected_lines(file: Path) -> list[tuple[int, str]]:
    """Number and kind of each line of a rejects file."""
    fields = [line.split("\t") for line in file.read_text().splitlines()[1:]]
    return [(int(number), kind) for _, number, kind, *_ in fields]


def check_history(recflow: Recflow, history: History, tasks: Json, duck: duckdb.DuckDBPyConnection) -> Counter[str]:
    """Follows one history; what happened in it, counted."""
    dataset, happened = Dataset(), Counter[str]()
    for step in history.steps:
        expected = must_become(dataset, history, step, duck)
        check_step(recflow, history, step, expected, tasks[step.name])
        if isinstance(expected, str):
            happened[f"refused: {expected}"] += 1
        else:
            happened.update(expected[1]["rejected_by_kind"])
            happened["rows folded"] += expected[1]["duplicates"]
            dataset = expected[0]
    if len(dataset.rows):
        folder = recflow.workspace / history.name
        found, must = engines.with_duckdb(folder, duck), contract.with_months(dataset.rows, duck)
        assert engines.differing(found, must, duck) == 0, history.name
        assert engines.file_schema(folder) == dataset.rows.schema, history.name
        assert engines.months(folder) == {f"year={year}/month={month}" for year, month in months_of(must)}, history.name
    return happened


def months_of(rows: pa.Table) -> set[tuple[Any, Any]]:
    """The months that rows fall into."""
    return set(zip(rows["year"].to_pylist(), rows["month"].to_pylist(), strict=True))


def test_a_thousand_dirty_files_leave_what_the_contract_says(recflow: Recflow, duck: duckdb.DuckDBPyConnection, figures: Figures) -> None:
    """Every kind of damage, many times, and what is kept of it."""
    happened = Counter[str]()
    for first in range(0, HISTORIES, IN_ONE_RUN):
        histories = [History.of(number) for number in range(first, first + IN_ONE_RUN)]
        for step in (step for history in histories for step in history.steps):
            (recflow.workspace / f"{step.name}.txt").write_bytes(step.text)
        pipeline = {"name": f"dirty-{first}", "tasks": dict(task for history in histories for task in history.tasks())}
        tasks = recflow.run(pipeline)
        for history in histories:
            happened += check_history(recflow, history, tasks, duck)
    kinds = ["bad_id", "bad_rating", "rating_out_of_range", "impossible_date", "field_count", "no_movie", "bad_header",
             "under_bad_header", "rows folded", "refused: has no good row", "refused: half stars"]  # fmt: skip
    rare = {kind: happened[kind] for kind in kinds if happened[kind] < 20}
    assert not rare, f"the generator hardly makes {rare}"
    figures.add(
        "1,000 dirty files",
        f"{sum(happened[kind] for kind in kinds[:8]):,} lines rejected",
        "the contract: 0 lines differ",
    )
