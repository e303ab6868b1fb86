"""Write a feed as a GTFS zip: the same feed gives the same bytes."""

import csv
import io
import zipfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from twin.transit.feed import Feed, FeedTable
from twin.transit.tables import TABLES

# A fixed date in place of the time of writing.
_WRITTEN = (1980, 1, 1, 0, 0, 0)
_SPECIAL = '[,"\r\n]'


def write_feed(feed: Feed) -> bytes:
    """Return the zip of a feed: files in the order of the reference, columns and rows in their own."""
    made = io.BytesIO()
    order = {name: position for position, name in enumerate(TABLES)}
    names = sorted(feed.tables, key=lambda name: (order.get(name, len(order)), name))
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(
                zipfile.ZipInfo(f"{name}.txt", _WRITTEN), write_table(feed.tables[name]), zipfile.ZIP_DEFLATED
            )
        for name, content in sorted(feed.others.items()):
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def write_table(table: FeedTable) -> bytes:
    """Return a table as CSV with a header; values are quoted where they must be."""
    made = io.BytesIO()
    text = io.TextIOWrapper(made, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.names)
    if len(table.names) == 1 or any(_is_special(table.column(name)) for name in table.names):
        writer.writerows(zip(*(table.column(name).to_pylist() for name in table.names), strict=True))
    elif table.size:
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
        pyarrow.csv.write_csv(table.data, made, options)
    text.detach()
    return made.getvalue()


def _is_special(column: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, _SPECIAL)).as_py())
