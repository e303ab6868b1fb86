"""Known weaknesses of what is installed: pip-audit and npm audit, each one line where its service cannot be reached."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from supply.dependencies import write_runtime_lock
from supply.npm import run_npm

_PATIENCE_S = 60.0


def audit(*, lenient: bool) -> int:
    """Print what was found and return 1 for a weakness, or where a service could not be asked unless ``lenient``."""
    worst = 0
    for name, look in (("Python", _look_at_python), ("viewer", _look_at_viewer)):
        try:
            found = look()
        except (_UnreachableError, subprocess.TimeoutExpired) as error:
            reason = "no answer in time" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            print(f"Weaknesses, {name}: not looked for, the advisory service cannot be reached ({reason})")
            worst = max(worst, 0 if lenient else 1)
            continue
        for line in found:
            sys.stderr.write(f"supply: {line}\n")
        print(f"Weaknesses, {name}: {len(found) or 'none'} known")
        worst = max(worst, 1 if found else 0)
    return worst


class _UnreachableError(Exception):
    """The service that knows the weaknesses did not answer."""


def _look_at_python() -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write("\n".join(write_runtime_lock()))
        lock.flush()
        said = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format=json",
             "--progress-spinner=off", "--timeout=10", "-r", lock.name],
            capture_output=True, text=True, timeout=_PATIENCE_S, cwd=Path(lock.name).parent,
        )  # fmt: skip
    try:
        packages = json.loads(said.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        raise _UnreachableError(_find_error(said.stderr)) from None
    unknown = [str(one["skip_reason"]) for one in packages if "skip_reason" in one]
    if len(unknown) == len(packages):
        raise _UnreachableError(unknown[0][:120] if unknown else "no packages")
    for reason in unknown:
        sys.stderr.write(f"supply: {reason}\n")
    return [
        f"{one['name']} {one['version']}: {weak['id']}, mended in {', '.join(weak['fix_versions']) or 'no version yet'}"
        for one in packages
        for weak in one.get("vulns", ())
    ]


def _look_at_viewer() -> list[str]:
    said = run_npm("audit", "--omit=dev", "--json", "--fetch-timeout=10000", "--fetch-retries=0", timeout_s=_PATIENCE_S)
    try:
        report = json.loads(said.stdout)
        weak = report["vulnerabilities"]
    except (json.JSONDecodeError, KeyError):
        raise _UnreachableError(_find_error(said.stderr or said.stdout)) from None
    return [f"{name}: {one['severity']}, {one['range']}" for name, one in weak.items()]


def _find_error(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()] or ["no words"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])[:120]
