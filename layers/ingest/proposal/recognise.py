"""Values recognised as codes or as yes and no, by the titles and synonyms of the code list."""

import re
from collections import Counter
from collections.abc import Mapping

from layers.ingest.nulls import is_null_word
from layers.ingest.proposal.column import Column, Words
from layers.ingest.proposal.judgement import Judgement
from layers.ingest.proposal.wording import drop_plurals, split_words
from layers.schema import Property

Names = Mapping[str, tuple[Words, ...]]
_MOST_CODES, _MOST_VALUES = 30, 200
_FLAGS = frozenset({"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"})
# A shorter alias must be the whole value: "st" within words says nothing.
_LEAST_INSIDE = 4


def recognise_code(value: str, names: Names) -> str | None:
    """Return the code whose titles or synonyms, ``names``, say what ``value`` says, or None."""
    words = drop_plurals(split_words(value))
    best, found = 0.0, None
    for code, aliases in names.items() if words else ():
        for alias in aliases:
            score = _match_phrase(words, drop_plurals(alias))
            if score > best:
                best, found = score, code
    return found


def _match_phrase(words: Words, alias: Words) -> float:
    if words == alias or "".join(words) == "".join(alias):
        return 1.0
    if sum(map(len, alias)) < _LEAST_INSIDE:
        return 0.0
    spaced, inner = f" {' '.join(words)} ", f" {' '.join(alias)} "
    return 0.5 + 0.4 * len(inner) / len(spaced) if inner in spaced else 0.0


def judge_codes(column: Column, prop: Property, names: Names) -> Judgement:
    """Return how many values name codes of ``prop``, the table that translates them, and those nobody knows."""
    if len(column.counts) > _MOST_CODES and (patterned := _judge_pattern(column, names)) is not None:
        return patterned
    codes: dict[str, str | None] = {}
    unknown: list[tuple[str, int]] = []
    known = nulls = 0
    seen: set[str] = set()
    own = {code.value for code in prop.codes}
    for value, often in sorted(column.counts.items(), key=lambda item: -item[1])[:_MOST_VALUES]:
        target = value if value in own else recognise_code(value, names)
        if target is not None:
            known += often
            seen.add(target)
            if target != value:
                codes[value] = target
        elif is_null_word(value) or value == "0":
            codes[value] = None
            nulls += often
        else:
            unknown.append((value, often))
    rest = column.filled - nulls
    if not known:
        return Judgement(-0.8 if rest else -0.2, notes=["no value is one of its codes"], unknown=unknown)
    share = known / rest
    made = Judgement(0.9 * share - 0.4 if len(seen) > 1 or share == 1.0 else 0.5 * share - 0.3, unknown=unknown)
    made.notes.append(f"{share:.0%} of its values name codes ({', '.join(sorted(seen)[:4])})")
    if codes:
        made.parts["codes"] = (codes, max(share, 0.6), "")
    return made


def _judge_pattern(column: Column, names: Names) -> Judgement | None:
    """Return a pattern where values begin or end with the word for a code, as ``Phường Ninh Kiều`` does."""
    for pick, pattern in ((0, "^({})"), (-1, "({})$")):
        heads = Counter(value.split()[pick] for value in column.counts if value.split())
        known = {
            head: code
            for head, often in heads.items()
            if often > 1 and (code := recognise_code(head, names)) is not None
        }
        if len(heads) <= _MOST_CODES and known and sum(heads[head] for head in known) >= 0.95 * len(column.counts):
            where = "begin" if pick == 0 else "end"
            made = Judgement(0.7, notes=[f"its values {where} with words for codes ({', '.join(known)})"])
            made.parts["pattern"] = (pattern.format("|".join(map(re.escape, known))), 0.8, "")
            made.parts["codes"] = (known, 0.9, "")
            return made
    return None


def judge_flags(column: Column, names: Names) -> Judgement:
    """Return how many values say yes or no, and the table that translates those not said in plain words."""
    meant: dict[str, str] = {}
    unknown: list[tuple[str, int]] = []
    for value, often in column.counts.items():
        words = split_words(value)
        flag = next((flag for flag, aliases in names.items() if words in aliases), None)
        if flag is None:
            unknown.append((value, often))
        elif value.lower() not in _FLAGS:
            meant[value] = flag
    share = 1.0 - sum(often for _, often in unknown) / column.filled
    made = Judgement(0.5 * share if share > 0.9 else -0.7, unknown=unknown)
    made.notes.append(f"{share:.0%} of its values say yes or no")
    if meant:
        made.parts["codes"] = (meant, max(share, 0.6), "")
    return made
