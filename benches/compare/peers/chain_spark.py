"""The original chain: a Spark program for each step, started anew."""

import json
import subprocess
import sys
from pathlib import Path

from told import ARGUMENTS, tell

HERE = Path(__file__).parent


def step(name: str, **arguments: str) -> dict:
    """Runs one step in a process of its own."""
    done = subprocess.run([sys.executable, str(HERE / name), json.dumps(arguments)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


text, out = Path(ARGUMENTS["text"]), Path(ARGUMENTS["output"])
for name in ("train", "test", "future"):
    step("etl_spark.py", text=str(text / f"{name}.txt"), output=str(out / name))
step("train_spark.py", train=str(out / "train"), output=str(out / "model"))
told = step("evaluate_spark.py", model=str(out / "model"), test=str(out / "test"))
tell(**told)
