"""Runs the recflow binary as a user does, and hands back what it returned."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Failed(Exception):
    """recflow ended with another exit code than 0; says what it wrote."""


@dataclass(frozen=True)
class Recflow:
    """The binary, and the workspace that relative paths refer to."""

    binary: Path
    workspace: Path

    def call(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
        """Runs one command in the workspace; what it wrote to standard output."""
        # A person's own workspace must not be touched, nor decide anything.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RECFLOW_")}
        command = [str(self.binary), "--workspace", str(self.workspace), *arguments]
        done = subprocess.run(command, env=environment, cwd=self.workspace, capture_output=True, text=True, check=False)
        if done.returncode not in allowed:
            raise Failed(f"`recflow {' '.join(arguments)}` exits {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stage(self, name: str, **inputs: Any) -> Json:
        """Runs one stage by itself; its output."""
        pairs = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in inputs.items()]
        run = json.loads(self.call("stage", name, *pairs, "--json"))
        return run["tasks"][name]["output"]

    def run(self, pipeline: Json) -> Json:
        """Runs a pipeline to its end, well or not; its tasks as `--json` prints them."""
        file = self.workspace / f"{pipeline['name']}.yaml"
        file.write_text(json.dumps(pipeline))  # JSON is YAML
        return json.loads(self.call("run", str(file), "--json", allowed=(0, 1)))["tasks"]

    def predict(self, model: str, user: int, item: int) -> float:
        """What `recflow predict` says of one pair."""
        answer = self.call("predict", "--model", model, "--user", str(user), "--item", str(item), "--json")
        return json.loads(answer)["prediction"]
