"""The ten best items that they have not rated, for all users: whole process, and scoring alone for the peer that can tell."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output

TITLE = "recommend, all users, 10 unseen items"


def contenders(world: World) -> list[Contender]:
    """The factors of the model that recflow trained, in all of them."""
    model = world.ensure_model()
    train = "data/processed/parquet/train"
    out = world.path("compared/lists")
    own = world.stage("recommend", model=model, output="compared/lists", k=10, exclude_seen=train)
    implicit = peer("recommend_implicit.py", model=world.path(model), train=world.path(train), output=world.path("compared/lists.parquet"))
    spark = peer("recommend_spark.py", model=world.path(model))
    return [
        Contender("recflow", own, result=lists, fresh=[out, world.path("compared/.lists.snapshots")]),
        Contender("implicit, whole process", implicit),
        Contender("implicit, `recommend` alone", implicit, seconds=lambda told: told["seconds"]),
        Contender("Spark, seen items too", spark, once=True),
    ]


def lists(told: Told) -> str:
    """How many lists."""
    return f"{output(told).get('users', '')} lists"
