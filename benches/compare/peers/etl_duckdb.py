"""Netflix text to deduplicated Parquet by month, with DuckDB."""

import duckdb
from told import ARGUMENTS, tell

duck = duckdb.connect()
duck.execute(f"""
    CREATE TABLE lines AS
    SELECT column0 AS line, row_number() OVER () AS place
    FROM read_csv('{ARGUMENTS["text"]}', header = false, delim = '\x01', quote = '', columns = {{'column0': 'VARCHAR'}})
""")
duck.execute("""
    CREATE TABLE headers AS
    SELECT place, CAST(rtrim(line, ':') AS INTEGER) AS MOVIE_ID FROM lines WHERE line LIKE '%:'
""")
duck.execute(f"""
    COPY (
        SELECT MOVIE_ID, CUST_ID, max(RATING) AS RATING, DATE, year(DATE) AS year, month(DATE) AS month
        FROM (
            SELECT MOVIE_ID, CAST(split_part(line, ',', 1) AS INTEGER) AS CUST_ID,
                   CAST(split_part(line, ',', 2) AS INTEGER) AS RATING, CAST(split_part(line, ',', 3) AS DATE) AS DATE
            FROM lines ASOF JOIN headers ON lines.place >= headers.place
            WHERE line NOT LIKE '%:'
        )
        GROUP BY MOVIE_ID, CUST_ID, DATE
    ) TO '{ARGUMENTS["output"]}' (FORMAT parquet, PARTITION_BY (year, month), COMPRESSION snappy)
""")
((rows,),) = duck.execute(f"SELECT count(*) FROM read_parquet('{ARGUMENTS['output']}/*/*/*.parquet')").fetchall()
tell(result=f"{rows} rows")
