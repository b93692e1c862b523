"""Explicit factorisation by one peer: seconds of the fit, RMSE on the test ratings."""

import os
import time

import numpy as np
from told import ARGUMENTS, tell

RANK, REG, SWEEPS = 64, 0.1, 15
CORES = os.cpu_count()


class Clock:
    """Wall-clock and CPU seconds since it was made."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def figures(self) -> dict[str, float]:
        """As the comparison reads them."""
        return {"seconds": time.monotonic() - self.wall, "cpu_seconds": time.process_time() - self.cpu}


Reached = tuple[dict[str, float], float]


def cmfrec() -> Reached:
    """ALS-WR: as Spark's objective has it, without biases or centring, or with both."""
    import ratings
    from cmfrec import CMF
    from scipy.sparse import coo_array

    train, test, users, items = ratings.read(ARGUMENTS["train"], ARGUMENTS["test"])
    biases = ARGUMENTS.get("biases", False)
    matrix = coo_array((train.rating, (train.user, train.item)), shape=(users, items))
    model = CMF(
        k=RANK,
        lambda_=REG,
        scale_lam=True,
        method="als",
        use_cg=ARGUMENTS["use_cg"],
        user_bias=biases,
        item_bias=biases,
        center=biases,
        niter=ARGUMENTS.get("sweeps", SWEEPS),
        use_float=True,
        nthreads=CORES,
        precompute_for_predictions=False,
        verbose=False,
    )
    clock = Clock()
    model.fit(matrix)
    figures = clock.figures()
    if not biases:
        return figures, ratings.rmse(model.A_, model.B_, test)
    # Biases as two more factors, so that predictions are dot products here too.
    ones = [np.ones((users, 1), np.float32), np.ones((items, 1), np.float32)]
    of_users = np.hstack([model.A_, model.user_bias_.reshape(-1, 1) + model.glob_mean_, ones[0]])
    of_items = np.hstack([model.B_, ones[1], model.item_bias_.reshape(-1, 1)])
    return figures, ratings.rmse(of_users, of_items, test)


def libmf() -> Reached:
    """Stochastic gradient descent with plain regularisation: another objective."""
    from libmf import mf
    import ratings

    train, test, _, _ = ratings.read(ARGUMENTS["train"], ARGUMENTS["test"])
    # The L1 terms are not 0 by default.
    regularisation = {"lambda_p1": 0.0, "lambda_q1": 0.0, "lambda_p2": 0.05, "lambda_q2": 0.05}
    engine = mf.MF(k=RANK, nr_iters=20, **regularisation, nr_threads=CORES, quiet=True)
    data = np.column_stack([train.user, train.item, train.rating]).astype(np.float32)
    clock = Clock()
    engine.fit(data)
    figures = clock.figures()
    predicted = engine.predict(np.column_stack([test.user, test.item]).astype(np.float32))
    return figures, float(np.sqrt(np.mean((np.asarray(predicted) - test.rating) ** 2)))


def spark() -> Reached:
    """Spark's ALS; ratings of the same pair are all taken, as it does."""
    from pyspark.ml.evaluation import RegressionEvaluator
    from pyspark.ml.recommendation import ALS
    from spark import session

    made = session()
    train, test = (made.read.parquet(ARGUMENTS[name]).select("CUST_ID", "MOVIE_ID", "RATING") for name in ("train", "test"))
    train = train.repartition(CORES).cache()
    train.count()
    als = ALS(
        rank=RANK, regParam=REG, maxIter=SWEEPS, userCol="CUST_ID", itemCol="MOVIE_ID", ratingCol="RATING", coldStartStrategy="drop", seed=42
    )
    clock = Clock()
    model = als.fit(train)
    figures = {"seconds": clock.figures()["seconds"]}  # the CPU seconds are the JVM's
    return figures, RegressionEvaluator(metricName="rmse", labelCol="RATING").evaluate(model.transform(test))


figures, rmse = {"cmfrec": cmfrec, "libmf": libmf, "spark": spark}[ARGUMENTS["peer"]]()
tell(**figures, result=f"RMSE {rmse:.4f}")
