"""What is unsafe in the present configuration: looked at, never changed; nothing is started for it."""

import ipaddress
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import TwinError
from layers.store.cluster import find_running
from layers.store.engine import check_connection, open_engine
from twin.backup.standing import read_standing
from twin.finding import Finding
from twin.sensors.broker import name_broker
from twin.settings import ROOT, Settings
from twin.store_accounts import list_accounts

BACKUP_EVERY, DRILL_EVERY = timedelta(days=2), timedelta(days=100)
SHORTEST_PASSWORD = 16
# What installations come with, and what people type first.
GUESSED = frozenset(("admin", "changeme", "city", "gis", "password", "postgis", "postgres", "secret", "twin", "123456"))
_GUIDE = "docs/hardening.md"


def examine_hardening(settings: Settings) -> list[Finding]:
    """Return one finding a thing: ``unsafe`` ones are to be mended before others reach the city."""
    return [look(settings) for look in CHECKS]


def is_exposed(settings: Settings) -> bool:
    """Return whether others than this machine are meant to reach the server."""
    return settings.public_url is not None or not _is_loopback(settings.host)


def _look_at_account(_: Settings) -> Finding:
    if os.geteuid() == 0:
        return Finding("process", "unsafe", "runs as root", "deploy/systemd: an account of its own")
    return Finding("process", "ok", f"runs as uid {os.geteuid()}, not as root")


def _look_at_way(settings: Settings) -> Finding:
    address, public = settings.host, settings.public_url or ""
    if not _is_loopback(address):
        return Finding("address", "unsafe", f"listens on {address} in the clear", "TWIN_HOST=127.0.0.1 behind a proxy")
    if public.startswith("http://"):
        return Finding("address", "unsafe", f"{public} is not https", "TWIN_PUBLIC_URL=https://…, deploy/proxy")
    return Finding("address", "ok", public or "only this machine is served")


def _look_at_proxies(settings: Settings) -> Finding:
    for name in filter(None, settings.proxies.split(",")):
        if ipaddress.ip_network(name, strict=False).prefixlen < (16 if "." in name else 48):
            return Finding("proxies", "unsafe", f"{name} may say who asks", "TWIN_PROXIES: the proxies alone")
    return Finding("proxies", "ok", f"believed who asks: {settings.proxies or 'nobody'}")


def _look_at_accounts(settings: Settings) -> Finding:
    if settings.oidc_issuer is not None:
        return Finding("accounts", "ok", f"people sign in at {settings.oidc_issuer}")
    try:
        active = _count_accounts(settings)
    except (TwinError, SQLAlchemyError) as error:
        reason = error.message if isinstance(error, TwinError) else "its tables are not there"
        return Finding("accounts", "optional", f"not looked at: {reason}", "twin db migrate")
    if active:
        return Finding("accounts", "ok", f"{active} that may sign in")
    if settings.write_token is not None:
        return Finding("accounts", "optional", "none; one token is everybody's", "twin accounts add NAME")
    if is_exposed(settings):
        return Finding("accounts", "unsafe", "none: nobody can be told from anybody", "twin accounts add NAME")
    return Finding("accounts", "optional", "none; this machine is the administrator", "twin accounts add NAME")


def _look_at_second_factor(settings: Settings) -> Finding:
    if settings.second_factor is False and is_exposed(settings):
        return Finding("second factor", "unsafe", "strong roles sign in by password alone", "TWIN_SECOND_FACTOR=true")
    return Finding("second factor", "ok", "asked of strong roles" if is_exposed(settings) else "this machine alone")


def _look_at_secrets(settings: Settings) -> Finding:
    open_ones = [str(path) for path in _list_secrets(settings) if path.stat().st_mode & 0o007]
    if open_ones:
        return Finding("secrets", "unsafe", f"anybody may read {', '.join(open_ones)}", f"chmod o= {open_ones[0]}")
    return Finding("secrets", "ok", "files with secrets are closed to others")


def _look_at_database(settings: Settings) -> Finding:
    if settings.database_url is None:
        return Finding("database", "ok", "a private cluster with a password of its own")
    url = make_url(settings.database_url)
    word = str(url.password or "")
    is_near = url.host is None or url.host.startswith("/") or _is_loopback(url.host)
    if (word or not is_near) and (word.lower() in GUESSED | {url.username} or len(word) < SHORTEST_PASSWORD):
        return Finding("database", "unsafe", f"the password of {url.username} is guessed soon", "\\password in psql")
    if not is_near and url.query.get("sslmode") not in ("require", "verify-ca", "verify-full"):
        return Finding(
            "database", "unsafe", f"{url.host} is reached in the clear", "TWIN_DATABASE_URL=…?sslmode=verify-full"
        )
    return Finding("database", "ok", f"{url.host or 'socket'}, as {url.username}")


def _look_at_backups(settings: Settings) -> Finding:
    standing = read_standing(settings.backups_dir)
    if standing.backup_at is None:
        return Finding(
            "backups", "unsafe", f"none in {settings.backups_dir}", "twin backup; deploy/systemd: twin-backup.timer"
        )
    age = datetime.now(UTC) - standing.backup_at
    if age > BACKUP_EVERY:
        return Finding("backups", "unsafe", f"the last is {age.days} days old", "systemctl status twin-backup.timer")
    drilled = standing.drill_at
    if drilled is None or datetime.now(UTC) - drilled > DRILL_EVERY:
        return Finding("backups", "optional", "nobody tried lately whether they can be restored", "twin backup drill")
    return Finding("backups", "ok", f"the last of {standing.backup_at:%Y-%m-%d %H:%M} UTC, tried {drilled:%Y-%m-%d}")


def _look_at_broker(settings: Settings) -> Finding:
    for path in sorted((name_broker(settings.state_dir) / "conf.d").glob("*.conf")):
        for words in re.split(r"(?m)^(?=listener\s)", path.read_text(errors="replace")):
            listener = re.match(r"listener\s+(\d+)\s*(\S*)", words)
            if listener is None or listener[1] == "0" or _is_loopback(listener[2] or "0.0.0.0"):
                continue
            if re.search(r"(?m)^allow_anonymous\s+true", words) or "password_file" not in words:
                return Finding(
                    "MQTT", "unsafe", f"{path}: anybody may send on {listener[1]}", "password_file; docs/sensors.md"
                )
            if "certfile" not in words:
                return Finding(
                    "MQTT", "unsafe", f"{path}: passwords travel in the clear on {listener[1]}", "certfile, keyfile"
                )
    return Finding("MQTT", "ok", "open listeners, if any, have TLS and passwords")


def _look_at_clock(_: Settings) -> Finding:
    program = shutil.which("timedatectl")
    remedy = "apt-get install systemd-timesyncd"
    if program is None:
        return Finding("clock", "optional", "whether it is set by the network is not known: no timedatectl", remedy)
    asked = subprocess.run([program, "show", "-p", "NTPSynchronized", "--value"], capture_output=True, text=True)
    if asked.returncode != 0:
        return Finding("clock", "optional", "whether it is set by the network is not known", "timedatectl")
    if asked.stdout.strip() != "yes":
        return Finding("clock", "unsafe", "not set by the network: times of readings and one-time codes drift", remedy)
    return Finding("clock", "ok", "set by the network")


def _look_at_audit(settings: Settings) -> Finding:
    if settings.audit_ship is None:
        return Finding("audit", "optional", "who did what is kept on this machine alone", f"TWIN_AUDIT_SHIP; {_GUIDE}")
    return Finding("audit", "ok", f"shipped to {settings.audit_ship}")


def _list_secrets(settings: Settings) -> Iterator[Path]:
    state = settings.state_dir
    given = (
        ROOT / ".env",
        Path("/etc/city-twin/twin.env"),
        settings.notify_file,
        settings.personal_key_file,
        state / "broker" / "secret",
        state / "broker" / "twin.password",
        state / "postgres" / "password",
    )
    for path in given:
        try:
            if path is not None and path.is_file():
                yield path
        except PermissionError:
            continue


def _count_accounts(settings: Settings) -> int:
    url = settings.database_url or find_running(settings.state_dir / "postgres")
    if url is None:
        raise TwinError("the private cluster is not running")
    engine = open_engine(url, statement_timeout_s=5.0, pool_size=1)
    try:
        check_connection(engine)
        with engine.connect() as connection:
            return sum(one.enabled for one in list_accounts(connection))
    finally:
        engine.dispose()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _look_at_account,
    _look_at_way,
    _look_at_proxies,
    _look_at_accounts,
    _look_at_second_factor,
    _look_at_secrets,
    _look_at_database,
    _look_at_backups,
    _look_at_broker,
    _look_at_clock,
    _look_at_audit,
)
