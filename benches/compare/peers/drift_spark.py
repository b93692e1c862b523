"""The drift figures of the original stack, by Spark: means, medians, KL divergence of histograms, RMSE and MAE on both test sets."""

import numpy as np
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import functions as F
from spark import session
from told import ARGUMENTS, tell

spark = session()
model = ALSModel.load(ARGUMENTS["model"]).setColdStartStrategy("drop")
sets = {name: spark.read.parquet(ARGUMENTS[name]) for name in ("original_train", "original_test", "current_train", "current_test")}


def figures(rows, column):
    """Mean, median and histogram of a column."""
    mean, median = rows.agg(F.mean(column), F.percentile_approx(column, 0.5)).first()
    counts = dict(rows.groupBy(F.round(column).alias("class")).count().collect())
    return mean, median, np.array([counts.get(stars, 0) for stars in (1, 2, 3, 4, 5)]) + 1e-10


def distance(original, current):
    """Kullback-Leibler divergence of two histograms."""
    p, q = original / original.sum(), current / current.sum()
    return float((p * np.log(p / q)).sum())


data = [figures(sets[name], "RATING") for name in ("original_train", "current_train")]
predicted = [model.transform(sets[name]).cache() for name in ("original_test", "current_test")]
told = [figures(rows, "prediction") for rows in predicted]
for rows in predicted:
    for metric in ("rmse", "mae"):
        RegressionEvaluator(metricName=metric, labelCol="RATING").evaluate(rows)
tell(result=f"KL {distance(data[0][2], data[1][2]):.3f} (data), {distance(told[0][2], told[1][2]):.3f} (model)")
