"""The whole job from a cold start: ETL of train and test, the future as CSV, training, testing."""

import json

from bench.contest import Contender
from bench.measure import peer
from bench.world import ETL, World

TITLE = "ETL, futures, training, testing"


def contenders(world: World) -> list[Contender]:
    """One `recflow run` of everything; Spark, started for each step, as the original stack was."""
    world.ensure_text()
    out = world.path("compared/chain")
    sets = {key: value.replace("data/processed", "compared/chain") for key, value in ETL.items()}
    pipeline = {
        "tasks": {
            "etl": {"stage": "etl", "with": sets},
            "futures": {"stage": "create_futures", "with": {"input": "data/combined/future.txt", "output": "compared/chain/future.csv"}},
            "train": {"stage": "train_als", "needs": ["etl"], "with": {"ratings": sets["train_output"], "models": "compared/chain/models"}},
            "test": {
                "stage": "evaluate",
                "needs": ["train"],
                "with": {"model": "{{ tasks.train.output.path }}", "ratings": sets["test_output"], "train": sets["train_output"]},
            },
        }
    }
    file = world.path("chain.yaml")
    file.write_text(json.dumps(pipeline))  # JSON is YAML
    own = [str(world.binary), "--workspace", str(world.folder), "--home", str(out / "home"), "run", str(file), "--json"]
    spark = peer("chain_spark.py", text=world.path("data/combined"), output=world.path("compared/chain-spark"))

    def prepare() -> None:
        out.mkdir(parents=True)

    return [
        Contender("recflow", own, result=rmse, fresh=[out], prepare=prepare),
        Contender("Spark, a session each", spark, once=True, fresh=[world.path("compared/chain-spark")]),
    ]


def rmse(told: dict) -> str:
    """What the test says."""
    return f"RMSE {told['tasks']['test']['output']['rmse']:.4f}"
