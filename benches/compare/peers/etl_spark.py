"""Netflix text to deduplicated Parquet by month, with Spark."""

from spark import read_text, session, write_deduplicated
from told import ARGUMENTS, tell

spark = session()
write_deduplicated(read_text(spark, ARGUMENTS["text"]), ARGUMENTS["output"])
tell(result=f"{spark.read.parquet(ARGUMENTS['output']).count()} rows")
