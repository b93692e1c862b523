"""RMSE, MAE and ranking at 10 of all test users over all items, by Spark."""

from pyspark.ml.evaluation import RankingEvaluator, RegressionEvaluator
from pyspark.ml.recommendation import ALSModel
from pyspark.sql import functions as F
from spark import session
from told import ARGUMENTS, tell

spark = session()
model = ALSModel.load(ARGUMENTS["model"])
test = spark.read.parquet(ARGUMENTS["test"]).cache()
predictions = model.setColdStartStrategy("drop").transform(test).cache()
rmse, mae = (RegressionEvaluator(metricName=name, labelCol="RATING").evaluate(predictions) for name in ("rmse", "mae"))
liked = test.where("RATING >= 4").groupBy("CUST_ID").agg(F.collect_set(F.col("MOVIE_ID").cast("double")).alias("label"))
lists = model.recommendForAllUsers(10).select("CUST_ID", F.expr("transform(recommendations, r -> double(r.MOVIE_ID))").alias("prediction"))
both = lists.join(liked, "CUST_ID").cache()
precision, recall, ndcg = (
    RankingEvaluator(metricName=name, k=10).evaluate(both) for name in ("precisionAtK", "recallAtK", "ndcgAtK")
)
tell(result=f"RMSE {rmse:.4f}, P@10 {precision:.5f}")
