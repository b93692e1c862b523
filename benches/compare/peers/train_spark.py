"""Trains with Spark and saves the model: the step of the original chain."""

from pyspark.ml.recommendation import ALS
from spark import session
from told import ARGUMENTS, tell

train = session().read.parquet(ARGUMENTS["train"]).select("CUST_ID", "MOVIE_ID", "RATING")
als = ALS(rank=64, regParam=0.1, maxIter=15, userCol="CUST_ID", itemCol="MOVIE_ID", ratingCol="RATING", coldStartStrategy="drop", seed=42)
als.fit(train).write().overwrite().save(ARGUMENTS["output"])
tell(result="")
