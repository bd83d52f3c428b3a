"""The pipeline that a user would write, beside which bench/kmeans.py runs seg-sql.

    python bench/kmeans_peer.py duckdb bench.duckdb 5 0
    python bench/kmeans_peer.py postgres postgresql:///bench 4 100

A script of its own that imports only what the pipeline needs, for its start counts.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SEED = 1
RAW = "raw_points"
ENDED = "peer_segments"


def main(engine: str, database: str, k: int, groups: int) -> None:
    """Do what a user would: the table into pandas, scikit-learn, and the labels back."""
    connection: Any
    if engine == "duckdb":
        import duckdb

        connection = duckdb.connect(database)
        frame = connection.execute(f"select * from seg_sql.{RAW}").df()
    else:
        import io

        import pandas as pd
        import psycopg

        connection = psycopg.connect(database, autocommit=True)
        buffer = io.BytesIO()
        statement = f"copy seg_sql.{RAW} to stdout (format csv, header)"
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for part in copy:
                buffer.write(part)
        buffer.seek(0)
        frame = pd.read_csv(buffer)
    import numpy as np
    import pandas as pd
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    parts, inertia, rounds = [], 0.0, 0
    for group in [group for _, group in frame.groupby("shop")] if groups else [frame]:
        names = [name for name in group.columns if name not in ("customer_id", "shop")]
        values = StandardScaler().fit_transform(np.log1p(group[names]))
        model = KMeans(k, n_init=1, random_state=SEED).fit(values)
        labels = {"customer_id": group["customer_id"], "cluster_id": model.labels_ + 1}
        parts.append(pd.DataFrame(labels))
        inertia, rounds = inertia + float(model.inertia_), rounds + model.n_iter_
    ended = pd.concat(parts) if groups else parts[0]
    if engine == "duckdb":
        connection.execute(f"create or replace table seg_sql.{ENDED} as select * from ended")
    else:
        connection.execute(f"drop table if exists seg_sql.{ENDED}")
        connection.execute(f"create table seg_sql.{ENDED} (customer_id bigint, cluster_id integer)")
        with (
            connection.cursor() as cursor,
            cursor.copy(f"copy seg_sql.{ENDED} from stdin (format csv)") as copy,
        ):
            copy.write(ended.to_csv(index=False, header=False))
    connection.close()
    print(json.dumps({"inertia": inertia, "note": f"{rounds} rounds over all rows"}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
