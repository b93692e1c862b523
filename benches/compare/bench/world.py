"""The generated ratings of one size, and the recflow that is measured."""

import json
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .measure import peer

# Ratings in all, and what `generate` is told beside that. The largest has the users and movies of the Netflix Prize.
SIZES: dict[str, dict[str, int]] = {
    "1m": {"ratings": 1_000_000},
    "10m": {"ratings": 10_000_000},
    "100m": {"ratings": 100_000_000, "users": 480_189, "items": 17_770},
}


@dataclass(frozen=True)
class World:
    """A workspace with `data/combined/*.txt`, and the Parquet sets and models that rows make in it once."""

    binary: Path
    folder: Path
    size: str

    def path(self, *parts: str) -> Path:
        """A path in the workspace."""
        return self.folder.joinpath(*parts)

    def stage(self, name: str, **inputs: Any) -> list[str]:
        """The command that runs one stage by itself."""
        pairs = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in inputs.items()]
        return [str(self.binary), "--workspace", str(self.folder), "stage", name, *pairs, "--json"]

    def run(self, name: str, **inputs: Any) -> dict[str, Any]:
        """Runs one stage, unmeasured; its output."""
        done = subprocess.run(self.stage(name, **inputs), cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"`recflow stage {name}` exits {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return output(json.loads(done.stdout))

    def run_peer(self, script: str, **arguments: Any) -> None:
        """Runs a script of `peers/`, unmeasured."""
        subprocess.run(peer(script, **arguments), cwd=self.folder, check=True)

    def ensure_text(self) -> None:
        """Generates the ratings, unless they are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.path("data/combined/future.txt").is_file():
            self.run("generate", output="data/combined", **SIZES[self.size])

    def ensure_parquet(self) -> None:
        """Runs the ETL, unless it has run."""
        self.ensure_text()
        if not self.path("data/processed/parquet/test").exists():
            self.run("etl", **ETL)

    def ensure_model(self) -> str:
        """Trains, unless there is a model; its folder."""
        self.ensure_parquet()
        there = sorted(self.path("models/artifacts").glob("version_*"))
        if there:
            return str(there[-1].relative_to(self.folder))
        return self.run("train_als", ratings="data/processed/parquet/train", models="models/artifacts", rank=64)["path"]


ETL = {
    "train_file": "data/combined/train.txt",
    "train_output": "data/processed/parquet/train",
    "test_file": "data/combined/test.txt",
    "test_output": "data/processed/parquet/test",
}


def output(told: dict[str, Any]) -> dict[str, Any]:
    """The output of the only task of a run."""
    (task,) = told["tasks"].values()
    return task["output"]


def processors() -> str:
    """The processor and how many of it."""
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{len(names)} cores ({names[0] if names else platform.machine()})"
