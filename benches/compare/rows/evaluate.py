"""RMSE, MAE and ranking at 10 of all test users over all items. recflow measures unseen items and the baselines beside it."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "evaluate"


def contenders(world: World) -> list[Contender]:
    """Spark loads the model that recflow trained. Whole process."""
    model = world.ensure_model()
    train, test = (f"data/processed/parquet/{name}" for name in ("train", "test"))
    spark = peer("evaluate_spark.py", model=world.path(model), test=world.path(test))
    return [
        Contender("recflow, with baselines", world.stage("evaluate", model=model, ratings=test, train=train), result=figures),
        Contender("recflow, what Spark does", world.stage("evaluate", model=model, ratings=test, protocols=["all_items"]), result=figures),
        Contender("Spark", spark, once=True),
    ]


def figures(told: Told) -> str:
    """What was measured."""
    found = output(told)
    return f"RMSE {found['rmse']:.4f}, P@10 {found['precision_at_k']:.5f}"
