"""The page of all ``twin`` commands, derived from what they register."""

from typing import Any

from twin.commands.table import COMMANDS, load_command


def describe_commands() -> str:
    """Return the page of all commands with their arguments and options."""
    lines = ["# Commands", "", "Derived from `twin/commands/`; run `make docs` after a change.", ""]
    for name in COMMANDS:
        command = load_command(name)
        family = getattr(command, "commands", None)
        if family is None:
            lines += describe_command(f"twin {name}", command)
            continue
        if command.invoke_without_command and command.params:
            lines += describe_command(f"twin {name}", command)
        for inner, each in family.items():
            lines += describe_command(f"twin {name} {inner}", each)
    return "\n".join(lines).rstrip() + "\n"


def describe_command(words: str, command: Any) -> list[str]:
    """Return the lines of one command."""
    arguments = [entry for entry in command.params if entry.param_type_name == "argument"]
    usage = [words, *(_write_argument(entry) for entry in arguments)]
    lines = [f"## `{' '.join(usage)}`", "", " ".join((command.help or "").split()), ""]
    if command.params:
        lines += ["| argument, option | what | default |", "|---|---|---|"]
        lines += [_describe_parameter(entry) for entry in command.params]
        lines.append("")
    return lines


def _write_argument(entry: Any) -> str:
    name = entry.metavar or entry.name.upper()
    return name if entry.required else f"[{name}]"


def _describe_parameter(entry: Any) -> str:
    shown = _write_argument(entry) if entry.param_type_name == "argument" else ", ".join(entry.opts)
    default = "" if entry.default in (None, "", False) or callable(entry.default) else f"`{entry.default}`"
    what = (entry.help or "") + (" Required." if entry.required else "")
    return f"| `{shown}` | {what.strip()} | {default} |"
