"""Drift of new ratings against those trained on, and of the model's predictions on both test sets."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "detect_drift"


def contenders(world: World) -> list[Contender]:
    """The arriving month that `generate` draws with lower ratings. Spark computes the original stack's figures: histogram KL, means, medians, RMSE."""
    model = world.ensure_model()
    ensure_stream(world)
    sets = {
        "original_train": "data/processed/parquet/train",
        "original_test": "data/processed/parquet/test",
        "current_train": "stream/train",
        "current_test": "stream/test",
    }
    spark = peer("drift_spark.py", model=world.path(model), **{name: world.path(path) for name, path in sets.items()})
    return [
        Contender("recflow, with a bootstrap of 1000", world.stage("detect_drift", model=model, **sets), result=score),
        Contender("Spark, without one", spark, once=True),
    ]


def ensure_stream(world: World) -> None:
    """Splits the arriving ratings into train and test, unless that is done."""
    if not world.path("stream/test").exists():
        world.run("process_stream", csv="data/combined/streaming/drift.csv", output="stream")


def score(told: Told) -> str:
    """The verdict."""
    return f"score {output(told)['drift_score']:.2f}"
