"""Which column names every row of a file."""

from collections.abc import Sequence

from layers.ingest.mapping import PLACE
from layers.ingest.proposal.column import Column
from layers.ingest.proposal.draft import SURE, Guess
from layers.ingest.proposal.place import Place
from layers.ingest.proposal.wording import compare, split_words

_IDS = {
    split_words(name): confidence
    for names, confidence in (
        (("facility id", "asset id", "ma tai san"), 0.97),
        (("ma so", "ma doi tuong", "ma hieu"), 0.93),
        (("id", "ma", "so hieu"), 0.9),
        (("code", "ky hieu", "global id", "uuid"), 0.86),
        (("object id", "gid", "number"), 0.74),
        (("fid", "ogc fid", "oid"), 0.7),
        (("stt",), 0.6),
    )
    for name in names
}


def choose_id(columns: Sequence[Column], place: Place) -> Guess:
    """Return the column that names every row, by its name and by having a value of its own in each."""
    best = Guess(PLACE, 0.6, "no column has a value of its own in every row: the geometry's digest stands for it")
    for column in columns:
        if column.name in place.columns or not column.counts or column.filled < 0.97 * column.rows:
            continue
        share = len(column.counts) / column.filled
        if share < 0.97:
            continue
        named, alias = max(
            (confidence * compare(words, alias).score, alias)
            for alias, confidence in _IDS.items()
            for words in (column.words, column.bare_words)
        )
        looks = 0.8 if column.words[-1:] == ("id",) else 0.62 if _looks_like_ids(column) else 0.3
        # Rows without a value, or with another row's, would be lost: each hundredth costs five.
        confidence = max(named, looks) * (len(column.counts) / column.rows) ** 5
        if confidence > best.confidence or (best.value == PLACE and confidence >= SURE):
            told = "in every row a value of its own" if column.is_unique else f"{share:.1%} of its values are its own"
            said = f'name is like "{" ".join(alias)}"; ' if named >= looks else ""
            best = Guess(column.name, confidence, said + told)
    return best


def _looks_like_ids(column: Column) -> bool:
    """Return whether the values are short words of letters and digits, such as IN-2042."""
    values = list(column.counts)[:200]
    fits = [value for value in values if len(value) <= 40 and " " not in value and any(map(str.isdigit, value))]
    letters = [value for value in fits if any(map(str.isalpha, value))]
    return len(letters) >= 0.9 * len(values)
