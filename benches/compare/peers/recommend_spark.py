"""The ten best items for all users by Spark's `recommendForAllUsers`."""

from pyspark.ml.recommendation import ALSModel
from spark import session
from told import ARGUMENTS, tell

spark = session()
lists = ALSModel.load(ARGUMENTS["model"]).recommendForAllUsers(10)
lists.write.mode("overwrite").format("noop").save()
tell(result="")
