"""Filtered items, aggregates and search on a million rows: over HTTP, beside the same asked in SQL by hand."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench.city import Fetch, count_per_second, open_http

TREES, ADDRESSES = 1_000_000, 300_000
_GROW = f"""
insert into city.trees (id, source_id, species, height, geom)
select 'q' || n, 'bench', (array['Dầu rái', 'Sao đen', 'Bàng', 'Phượng vĩ'])[1 + n % 4], 2 + (n * 7919) % 250 / 10.0,
ST_SetSRID(ST_MakePoint(575000 + (n * 7907) % 12000, 1103000 + (n * 104729) % 12007), 5897)
from generate_series(1::bigint, {TREES}) n;
insert into city.addresses (id, source_id, house_number, street, ward, full_address, geom)
select 'q' || n, 'bench', n % 400, s, w, n % 400 || ' ' || s || ', ' || w,
ST_SetSRID(ST_MakePoint(575000 + (n * 7907) % 12000, 1103000 + (n * 104729) % 12007), 5897)
from (select n, 'Đường ' || (array['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Võ'])[1 + n / 400 % 5] || ' '
|| (array['Trãi', 'Văn Linh', 'Thị Minh Khai', 'Phú', 'Hưng Đạo', 'Tri Phương'])[1 + n / 2000 % 6] || ' '
|| n / 12000 as s, 'Phường ' || (array['Ninh Kiều', 'Cái Khế', 'Bình Thủy'])[1 + n / 4000 % 3] as w
from generate_series(1::bigint, {ADDRESSES}) n) made;
insert into city.places (id, source_id, name, category, geom)
select 'q' || n, 'bench', 'Trường ' || n, 'school',
ST_SetSRID(ST_MakePoint(575000 + (n * 7907) % 12000, 1103000 + (n * 104729) % 12007), 5897)
from generate_series(1, 100) n;
"""
_FILTER = (
    "select fid, id, species, height, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) from city.trees "
    "where height > 25 and species = 'Bàng' order by fid limit 101"
)
_SORTED = (
    "select fid, id, species, height, ST_AsGeoJSON(ST_Transform(geom, 4326), 7) from city.trees "
    "where species = 'Bàng' order by height desc nulls last, species collate \"vi-x-icu\", fid limit 101"
)
_NEAR = (
    "select count(distinct t.fid) from city.places p join city.trees t on ST_DWithin(t.geom, p.geom, 50) "
    "where p.category = 'school'"
)
_GROUPED = "select species, count(*), avg(height) from city.trees group by species"
_HISTOGRAM = (
    "select width_bucket(height, low, high, 10), count(*) from city.trees, "
    "(select min(height) as low, max(height) as high from city.trees) ends group by 1"
)
_WORDS = (
    "select id, words from meta.search_entry where kind like '%address' and folded like '% nguyen%' "
    "and folded like '% trai%' and folded like '% 12%' limit 20"
)


def rows_of_queries(database: str, port: int) -> list[dict[str, Any]]:
    """Return the rows of this bench; the city grows by a million trees first."""
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in _GROW.split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("vacuum analyze")
    trees = "/api/collections/trees"
    cases = [
        ("1 M trees, filter", f"{trees}/items", {"filter": "height > 25 and species = 'Bàng'"}, _FILTER),
        ("1 M trees, filter and sort", f"{trees}/items",
         {"filter": "species = 'Bàng'", "sortby": "-height,species"}, _SORTED),
        ("1 M trees within 50 m of a school, counted", f"{trees}/aggregate",
         {"filter": "near(places, 50, category = 'school')"}, _NEAR),
        ("1 M trees by species", f"{trees}/aggregate", {"group_by": "species", "measure": "count,avg(height)"},
         _GROUPED),
        ("1 M trees, histogram", f"{trees}/aggregate", {"group_by": "bins(height,10)"}, _HISTOGRAM),
        (f"{ADDRESSES:,} addresses, 'nguyen trai 12'", "/api/search", {"q": "nguyen trai 12"}, _WORDS),
        (f"{ADDRESSES:,} addresses, a street misspelt", "/api/search", {"q": "trouong 12"}, None),
    ]  # fmt: skip
    return [
        {
            "case": case,
            "metric": "answers",
            "unit": "1/s",
            "ours": _count(open_http(port), f"{path}?{urlencode(asked)}"),
            "peers": {"raw_sql": _count(_open(database), query)} if query else {},
            "limit": None,
        }
        for case, path, asked, query in cases
    ]


def _count(open_fetch: Callable[[], Fetch], asked: str) -> float:
    return count_per_second(open_fetch, [asked] * 4, clients=1, rounds=2)


def _open(database: str) -> Callable[[], Fetch]:
    def open_fetch() -> Fetch:
        connection = psycopg.connect(database, autocommit=True)

        def fetch(query: str) -> None:
            connection.execute(query).fetchall()

        return fetch

    return open_fetch
