"""Implicit ALS (Hu, Koren, Volinsky 2008), rank 64, 15 sweeps or as many as the same loss takes, α 1: seconds of the fit alone, and the loss reached."""

from bench.contest import Contender, Told
from bench.measure import peer
from bench.world import World, output
from rows.train import fit_seconds, reported

TITLE = "implicit training, rank 64, 15 sweeps"


def contenders(world: World) -> list[Contender]:
    """The same matrix of confidences, `1 + rating`, for all; plain regularisation 0.1, which is what implicit minimises."""
    world.ensure_parquet()
    train, large = world.path("data/processed/parquet/train"), world.size != "1m"

    def own(name: str, **inputs: object) -> Contender:
        objective = {"implicit": True, "reg_scaling": "plain"}
        command = world.stage("train_als", ratings="data/processed/parquet/train", models="compared/models", **objective, **inputs)
        return Contender(f"recflow, {name}", command, seconds=fit_seconds, result=loss, fresh=[world.path("compared/models")])

    return [
        own("`auto` with momentum, 10 sweeps", solver="auto", momentum=True, max_iter=10),
        own("`auto`", solver="auto"),
        own("exact"),
        Contender("implicit, conjugate gradients", peer("implicit_als.py", train=train, use_cg=True), seconds=reported, once=large),
        Contender("implicit, Cholesky", peer("implicit_als.py", train=train, use_cg=False), seconds=reported, once=True),
    ]


def loss(told: Told) -> str:
    """The objective at the end."""
    return f"loss {output(told)['loss']:.4g}"
