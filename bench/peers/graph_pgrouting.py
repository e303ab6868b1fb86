"""The traces bench in pgRouting, in a database of its own where the extension is installed.

It has no valve segments and no isolation, and its bridges of this network do not end within ten minutes.
"""

import json
import sys
from typing import Any, LiteralString

import numpy as np
import psycopg

from bench.peers.graph_case import report_tasks

FAR = 1e12
_EDGES = "select id, source, target, cost, {back} from edges"


def main() -> None:
    """Answer and time the rows that pgRouting has a function for."""
    given = json.loads(sys.stdin.read())
    with np.load(given["file"]) as file:
        case = dict(file)
    server, name = given["url"].rsplit("/", 1)[0], "bench_pgrouting"
    with psycopg.connect(given["url"], autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name}")
    try:
        with psycopg.connect(f"{server}/{name}", autocommit=True) as connection:
            connection.execute("create extension pgrouting cascade")
            report(connection, case)
    finally:
        with psycopg.connect(given["url"], autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)")


def report(connection: psycopg.Connection[Any], case: dict[str, Any]) -> None:
    """Time each task; the table is what it builds."""
    outfall, top = int(case["outfall"]), int(case["top"])
    rows = list(zip(*(case[key].tolist() for key in ("starts", "ends", "weights")), strict=True))
    undirected, along = (_EDGES.format(back=f"{back} as reverse_cost") for back in ("cost", "-1"))

    def ask(statement: LiteralString, *values: object) -> Any:
        row = connection.execute(statement, values).fetchone()
        return row[0] if row else None

    def build() -> int:
        connection.execute("drop table if exists edges")
        connection.execute("create table edges (id int primary key, source int, target int, cost float8)")
        with connection.cursor() as cursor, cursor.copy("copy edges from stdin") as copy:
            for number, row in enumerate(rows):
                copy.write_row((number, *row))
        connection.execute("analyze edges")
        return len(rows)

    turned = "select id, target as source, source as target, cost, -1 as reverse_cost from edges"
    reached = "select count(*) - 1 from pgr_drivingDistance(%s, %s, %s, directed => true)"
    report_tasks(
        {
            "build": build,
            "connected": lambda: ask("select count(distinct component) from pgr_connectedComponents(%s)", undirected),
            "upstream of everything": lambda: ask(reached, turned, outfall, FAR),
            "downstream": lambda: ask(reached, along, top, FAR),
            "shortest path": lambda: ask(
                "select sum(cost) from pgr_dijkstra(%s, %s, %s, directed => false)", undirected, outfall, top
            ),
        },
        {"shortest path": lambda cost: round(cost, 6)},
    )


if __name__ == "__main__":
    main()
