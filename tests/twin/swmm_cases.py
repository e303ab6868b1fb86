"""The EPA's test models and the seven networks: through the database and back, both run, beside the reports.

``python -m tests.twin.swmm_cases "$TWIN_TEST_DATA" [CASE …]`` runs all of them and prints the table of docs/swmm.md; it
takes minutes and writes into the city in force.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from layers.ingest.swmm.document import Inp, read_inp, write_document
from layers.ingest.swmm.files import confine_files, read_beside
from layers.ingest.swmm.sections import LINKS, NODES
from layers.store.models import read_model, read_model_files
from twin.city import City
from twin.connect import connect_to_city
from twin.models import name_model, read_text
from twin.settings import read_settings
from twin.swmm.exporting import compose_model
from twin.swmm.importing import import_model
from twin.swmm.running import prepare_model

ORIGIN = (105.78, 10.03)
EPA = (
    *(f"examples/Example{n}" for n in range(1, 7)),
    *(f"extran/extran{n}" for n in (1, 2, 3, 4, 5, 6, 7, "8a", "8b", 9, 10)),
    *(f"routing/test{n}" for n in range(1, 6)),
    *(f"user/user{n}" for n in range(1, 6)),
)
NETWORKS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta")
TABLES = {
    "Subcatchment Runoff Summary": ("runoff", 1, -2),
    "Node Depth Summary": ("depth", 2, 3),
    "Node Inflow Summary": ("inflow", 2, 3),
    "Link Flow Summary": ("flow", 2, 2),
}
"""Tables of a report: what they tell, how many words name the object, and the position of the peak."""

_RUN = "import sys; from swmm.toolkit import solver; solver.swmm_run('m.inp', 'm.rpt', 'm.out')"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: the binary results, the report's text, and what SWMM refused, '' where it ran."""

    results: bytes
    report: str
    error: str


def find_case(root: Path, case: str) -> Path:
    """Return the file of a case below the folder of shared data."""
    return root / (f"swmm-epa/tests/{case}.inp" if "/" in case else f"swmm-networks/{case}.inp")


def run_text(text: str, files: Mapping[str, bytes]) -> Outcome:
    """Return what SWMM makes of a document with its files, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="swmm-case-") as folder:
        place = Path(folder)
        for name, content in files.items():
            (place / name).write_bytes(content)
        (place / "m.inp").write_text(text, encoding="utf-8")
        subprocess.run([sys.executable, "-c", _RUN], cwd=place, capture_output=True, timeout=900, check=False)
        report = (place / "m.rpt").read_text(errors="replace")
        errors = [line.strip() for line in report.splitlines() if line.strip().startswith("ERROR")]
        results = (place / "m.out").read_bytes() if (place / "m.out").exists() else b""
        return Outcome(results, report, errors[0] if errors else "")


def run_document(document: Inp, files: Mapping[str, bytes], *, mended: bool = False) -> Outcome:
    """Return what SWMM makes of a document on one thread, with results of every object.

    ``mended``: with the soils that 5.2 refuses capped.
    """
    confined = confine_files(document)
    if mended:
        confined, _ = prepare_model(confined, own_steps=True)
    confined.set_option("THREADS", 1)
    confined.keep("REPORT", [])
    for what in ("SUBCATCHMENTS", "NODES", "LINKS"):
        confined.add("REPORT", (what, "ALL"))
    return run_text(write_document(confined), files)


def read_values(results: bytes) -> NDArray[np.float32]:
    """Return all values of all steps (steps, values) of SWMM's binary results (output.c), dates left out."""
    tail = np.frombuffer(results[-24:], dtype="<i4")
    start, steps = int(tail[2]), int(tail[3])
    body = np.frombuffer(results[start:-24], dtype="<f4")
    return body.reshape(steps, -1)[:, 2:]


def measure_difference(first: bytes, second: bytes) -> float:
    """Return the greatest difference of any value at any step, over the greatest of its series; 0 for equal bytes."""
    if first and first == second:
        return 0.0
    if not first or not second:
        return np.inf
    one, other = read_values(first), read_values(second)
    if one.shape != other.shape:
        return np.inf
    greatest = np.maximum(np.abs(one).max(axis=0), 1.0e-6)
    return float((np.abs(one.astype(float) - other) / greatest).max())


def read_peaks(report: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Return by table and object the peak in a report's summary and the step of its last digit."""
    peaks: dict[tuple[str, str], tuple[float, float]] = {}
    lines = iter(report.splitlines())
    for line in lines:
        if line.strip() in TABLES:
            what, _, position = TABLES[line.strip()]
            for words in _read_table(lines):
                word = words[position]
                digits = len(word.partition(".")[2])
                peaks[what, words[0]] = (float(word), 10.0**-digits)
    return peaks


def _read_table(lines: Iterator[str]) -> Iterator[list[str]]:
    """Yield the rows of a report's table: those between its second line of dashes and the next empty one."""
    rules = 0
    for line in lines:
        if line.strip().startswith("----"):
            rules += 1
        elif rules >= 2:
            if not line.strip():
                return
            yield line.split()


def compare_peaks(report: str, reference: str) -> tuple[int, int, float]:
    """Return how many peaks are within 1 % of the reference's, of how many, and the worst deviation [1].

    Two peaks that differ by no more than the last printed digit are equal.
    """
    own, other = read_peaks(report), read_peaks(reference)
    good, worst = 0, 0.0
    for key, (value, digit) in other.items():
        found = own.get(key, (np.inf, digit))[0]
        apart = abs(found - value)
        deviation = 0.0 if apart <= 1.001 * digit else apart / max(abs(value), digit)
        good += deviation <= 0.01
        worst = max(worst, deviation)
    return good, len(other), worst


def read_reference(root: Path, case: str) -> str | None:
    """Return the EPA's report of SWMM 5.1.12 on a case, None where there is none."""
    stem = case.rpartition("/")[2]
    found = list((root / "swmm-epa/benchmark/swmm-5112").glob(f"*/{stem}.rpt"))
    return found[0].read_text(errors="replace") if found else None


def pass_through(connection: Connection, path: Path, processed: Path) -> tuple[Inp, Inp, dict[str, bytes]]:
    """Return a file's model as it comes back from the city, the same with every value written anew, and its files."""
    name = name_model(path)
    import_model(connection, path, model=name, origin=ORIGIN, replace=True, verify=False)
    record, view = read_model(connection, name, "swmm"), City(connection, processed, datetime.now(UTC))
    returned, rewritten = (compose_model(view, record, rewrite=rewrite)[0] for rewrite in (False, True))
    return returned, rewritten, read_model_files(connection, name)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    case: str
    objects: int
    note: str
    same: float
    rewritten: float
    reference: tuple[int, int, float] | None
    returned: tuple[int, int, float] | None


def judge_case(engine: Engine, root: Path, case: str, processed: Path) -> Row:
    """Return what a case's three runs have in common: of the file, of what comes back, of what is written anew."""
    path = find_case(root, case)
    original = read_inp(read_text(path))
    files, _ = read_beside(original, path.parent)
    with engine.begin() as connection:
        returned, rewritten, kept = pass_through(connection, path, processed)
    first = run_document(original, files)
    note, mended = first.error, bool(first.error)
    if mended:
        first = run_document(original, files, mended=True)
    second, third = (run_document(document, kept, mended=mended) for document in (returned, rewritten))
    objects = sum(len(original.rows(name)) for name in (*NODES, *LINKS, "SUBCATCHMENTS"))
    reference = read_reference(root, case)
    return Row(
        case.rpartition("/")[2],
        objects,
        note,
        measure_difference(first.results, second.results),
        measure_difference(first.results, third.results),
        None if reference is None else compare_peaks(first.report, reference),
        None if reference is None else compare_peaks(second.report, reference),
    )


def main(root: Path, cases: tuple[str, ...]) -> None:
    """Print the table of the cases."""
    settings = read_settings()
    engine = connect_to_city(settings)
    print("| case | objects | back | rewritten | peaks within 1 % of 5.1.12: file, back | worst | note |")
    print("|---|---|---|---|---|---|---|")
    with ThreadPoolExecutor(2) as pool:
        for row in pool.map(lambda case: judge_case(engine, root, case, settings.processed_dir), cases):
            cells = [row.case, f"{row.objects}", _say(row.same), _say(row.rewritten)]
            if row.reference is None or row.returned is None:
                cells += ["", ""]
            else:
                cells.append(f"{row.reference[0]}/{row.reference[1]}, {row.returned[0]}/{row.returned[1]}")
                cells.append(f"{row.reference[2]:.1%}")
            print("| " + " | ".join([*cells, row.note]) + " |", flush=True)


def _say(difference: float) -> str:
    return "to the bit" if difference == 0.0 else f"{difference:.1e}"


if __name__ == "__main__":
    chosen = tuple(sys.argv[2:]) or (*EPA, *NETWORKS)
    main(Path(sys.argv[1]), chosen)
