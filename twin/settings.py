"""The only reader of the environment: deployment settings ``TWIN_*``, read once and passed down as values."""

import hashlib
import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from layers.errors import SetupError

ROOT = Path(__file__).resolve().parent.parent
_SHARED_COUNTERS = "PROMETHEUS_MULTIPROC_DIR"


class Settings(BaseSettings):
    """Deployment settings; every one is explained in ``.env.example``."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", env_file=ROOT / ".env", extra="ignore")

    database_url: str | None = Field(
        default=None, description="An existing PostGIS; without it a private cluster is used."
    )
    data_dir: Path = Field(default=ROOT / "data", description="Where raw/ and processed/ files live.")
    run_dir: Path | None = Field(default=None, description="Where the private cluster and process files live.")
    catalog: Path | None = Field(
        default=None, description="The city's catalogue; without it data/catalog.yml, else the demo city's."
    )
    host: str = Field(default="127.0.0.1", description="Address the server listens on; loopback until configured.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the server listens on.")
    public_url: str | None = Field(
        default=None, description="Address others reach the server at, for links behind a proxy."
    )
    proxies: str = Field(
        default="127.0.0.1,::1",
        pattern=r"^([0-9A-Fa-f.:]+(/\d{1,3})?(,[0-9A-Fa-f.:]+(/\d{1,3})?)*)?$",
        description="Addresses and networks of proxies that are believed who asks, and whether by https.",
    )
    write_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Token for writing over HTTP; without it only this machine may write. Needed behind a proxy.",
    )
    session_hours: float = Field(
        default=12.0, gt=0, le=720, description="Longest time after which one must sign in again [h]."
    )
    session_idle_minutes: float = Field(
        default=60.0, gt=1, le=43_200, description="Time without a request after which a session ends [min]."
    )
    second_factor: bool | None = Field(
        default=None,
        description="Administrators, duty officers and flood operators need one-time codes; without it unless only "
        "this machine reaches the server.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Address of an OpenID Connect provider people sign in at; see docs/accounts.md.",
    )
    oidc_client: str = Field(default="city-twin", description="Name of this server at that provider.")
    oidc_secret: SecretStr | None = Field(default=None, description="Its secret there; without it a public client.")
    oidc_title: str = Field(default="OpenID", max_length=60, description="What the button for that provider says.")
    oidc_scopes: str = Field(default="openid profile email", description="What is asked of the provider.")
    oidc_claim: str = Field(
        default="groups", description="Claim whose values become roles, with dots into it: realm_access.roles."
    )
    oidc_roles: str = Field(
        default="", description="Roles by value of that claim: JSON, or the path of a YAML file with it."
    )
    oidc_wards: str = Field(default="", description="Claim with the codes of wards somebody is bound to.")
    web_dir: Path = Field(default=ROOT / "web" / "dist", description="The built viewer.")
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Form of the logs: json, text, or auto: text on a terminal and JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is logged: this and what is graver."
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65_000,
        description="First of the loopback ports where ingest, alarms, warnings and workers serve figures; 0: none.",
    )  # fmt: skip
    traces: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        validation_alias=AliasChoices("TWIN_TRACES", "OTEL_EXPORTER_OTLP_ENDPOINT", "traces"),
        description="OpenTelemetry collector (OTLP over HTTP) that is sent traces, as http://127.0.0.1:4318.",
    )
    statement_timeout: float = Field(
        30.0, gt=0, description="Longest time one database statement of the server may take [s]."
    )
    map_timeout: float = Field(10.0, gt=0, description="The same for tiles and what else a map waits for [s].")
    file_timeout: float = Field(
        120.0, gt=0, description="The same for files, pictures and processes that are answered at once [s]."
    )
    rate_limit: float = Field(
        200.0, ge=0, le=1_000_000,
        description="Units a second that one who asks from another machine may use, a tile is one; 0: no limit.",
    )  # fmt: skip
    rate_burst: float = Field(
        3000.0, ge=1, le=100_000_000, description="Units one may use at once, after a while without asking."
    )
    leave_seconds: float = Field(
        default=1.0, ge=0.0, le=300.0,
        description="How long a server that is told to stop still listens while it says that it is not ready [s].",
    )  # fmt: skip
    finish_seconds: int = Field(
        default=8, ge=1, le=3600, description="How long what it is answering then may take to be finished [s]."
    )
    waiting_runs: int = Field(default=50, ge=1, le=10_000, description="Runs that may wait in the queue.")
    waiting_runs_of_one: int = Field(
        default=10, ge=1, le=10_000, description="Runs that one who asks may have waiting."
    )
    geoid_undulation: float = Field(
        default=0.0, ge=-110.0, le=90.0,
        description="Height of the city's vertical datum above the WGS 84 ellipsoid, added to heights in scenes [m].",
    )  # fmt: skip
    tile_cache_mb: int = Field(default=128, ge=0, description="Memory for ready tiles [MB].")
    loop_minutes: int = Field(
        default=10, ge=0, le=1440,
        description="How often new readings become a flood ensemble of the main gauge [min]; 0: never.",
    )  # fmt: skip
    loop_cell_size: float = Field(default=30.0, ge=5.0, le=90.0, description="Cell size of that ensemble [m].")
    loop_members: int = Field(default=5, ge=3, le=100, description="Members of that ensemble.")
    loop_keep: int = Field(default=12, ge=1, description="How many of the loop's own runs are kept.")
    worker_threads: int = Field(default=1, ge=1, le=16, description="Jobs one worker runs at a time.")
    share_members: bool = Field(
        default=False,
        description="Workers of other machines compute members of ensembles, through the database.",
    )
    machine: str = Field(
        default_factory=socket.gethostname,
        description="Name of this machine among workers; else its host name.",
    )
    callback_hosts: str = Field(
        default="",
        description="Private hosts this server may call: callbacks of jobs, sources, feeds; separated by commas.",
    )
    embed_hosts: str = Field(
        default="",
        pattern=r"^(\*|(https?://)?(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?)?(,(https?://)?(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?)*$",
        description="Hosts whose pages may hold widgets in a frame, separated by commas; those of the server always.",
    )
    attachment_mb: int = Field(default=20, ge=1, le=1000, description="Largest file attached to an item [MB].")
    sensing_body_mb: int = Field(
        default=16, ge=1, le=1000, description="Largest body of a SensorThings request: data arrays, batches [MB]."
    )
    observation_csv_mb: int = Field(
        default=1000, ge=1, le=100_000, description="Largest CSV of readings sent over HTTP [MB]."
    )
    mqtt_port: int = Field(
        default=1883, ge=1, le=65000, description="First port tried for devices that send over MQTT, loopback only."
    )
    mqtt_devices_url: str | None = Field(
        default=None, description="Address devices reach the broker at, as told to SensorThings clients."
    )
    mqtt_subscribers_url: str | None = Field(
        default=None, description="Address subscribers reach the broker at, as told to SensorThings clients."
    )
    spill_mb: int = Field(
        default=256, ge=1, le=1_000_000, description="Disk for what devices send while the database is away [MB]."
    )
    clock_tolerance: float = Field(
        default=300.0, ge=0, description="How far a device's clock may run ahead before its readings are rejected [s]."
    )

    warning_sender: str | None = Field(
        default=None,
        pattern=r"^[^\s,<&]+$",
        description="Who sends CAP messages, unique in the world, as in floods@city.vn; real ones need it.",
    )
    warning_exercise: bool = Field(default=False, description="Proposed warnings are exercises, marked as such.")
    warning_automatic: bool = Field(
        default=False, description="Proposed warnings are issued without a person; exercises always are."
    )
    notify_file: Path | None = Field(
        default=None, description="YAML file of contact groups with their channels; it holds secrets: mode 600."
    )

    backup_dir: Path | None = Field(
        default=None, description="Folder of backups, better on another disk; without it below TWIN_RUN_DIR."
    )
    wal_archive: Path | None = Field(
        default=None, description="Folder the private cluster's log is archived to, for any moment; without it none."
    )
    retention_months: int | None = Field(
        default=None, ge=1, description="Whole months readings stay in the database; without it all of them."
    )

    object_store: str | None = Field(
        default=None, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9_.-]+)*$",
        description="Bucket for rasters, files of runs and archives, as in s3://bucket/city; else data_dir alone.",
    )  # fmt: skip
    s3_endpoint: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+/?$",
        description="Address of a store of objects that is not Amazon's; its keys are the AWS_* variables.",
    )  # fmt: skip
    s3_profile: str | None = Field(
        default=None, description="Profile of ~/.aws/credentials; without it the AWS_* variables, else the machine's."
    )
    read_database_urls: SecretStr | None = Field(
        default=None,
        description="Streaming replicas that tiles, maps and items are read from, separated by spaces.",
    )

    @property
    def replica_urls(self) -> tuple[str, ...]:
        """The URLs of the replicas."""
        given = self.read_database_urls
        return () if given is None else tuple(given.get_secret_value().split())

    audit_ship: str | None = Field(
        default=None,
        pattern=r"^(-|/[^\s]+|https?://[^\s]+)$",
        description="Where the audit is shipped as JSON lines: a file's absolute path, an https address, - for output.",
    )
    audit_ship_token: SecretStr | None = Field(
        default=None, description="Bearer token for the collector at that address."
    )
    personal_key_file: Path | None = Field(
        default=None,
        description="File with the key of personal data, apart from database and backups; else in TWIN_RUN_DIR.",
    )

    @property
    def raw_dir(self) -> Path:
        """Files as they came."""
        return self.data_dir / "raw"

    @property
    def processed_dir(self) -> Path:
        """Files we made."""
        return self.data_dir / "processed"

    @property
    def archives_dir(self) -> Path:
        """Baked tiles, as PMTiles."""
        return self.processed_dir / "archives"

    @property
    def readings_dir(self) -> Path:
        """Months of readings that left the database, as Parquet."""
        return self.processed_dir / "readings"

    @property
    def state_dir(self) -> Path:
        """Folder of the private cluster; below /var/lib when root's checkout lies where others cannot reach."""
        if self.run_dir is not None:
            return self.run_dir.resolve()
        folder = ROOT / ".run"
        if os.geteuid() == 0 and any(not parent.stat().st_mode & 0o001 for parent in folder.parents):
            return Path("/var/lib/city-twin") / hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
        return folder

    @property
    def backups_dir(self) -> Path:
        """Where backups lie."""
        return (self.backup_dir or self.state_dir / "backups").resolve()

    @property
    def private_callback_hosts(self) -> frozenset[str]:
        """Private hosts that callbacks, sources and feeds may lead to."""
        return frozenset(name.strip().lower() for name in self.callback_hosts.split(",") if name.strip())

    @property
    def embedders(self) -> tuple[str, ...]:
        """Hosts whose pages may hold widgets in a frame."""
        return tuple(name for name in self.embed_hosts.split(",") if name)

    @property
    def demo_catalog(self) -> Path:
        """The catalogue of the generated demo city."""
        return self.raw_dir / "demo" / "catalog.yml"

    @property
    def catalog_path(self) -> Path:
        """The catalogue in force: the given one, else the city's own ``data/catalog.yml``, else the demo city's."""
        own = self.data_dir / "catalog.yml"
        return self.catalog or (own if own.exists() else self.demo_catalog)


def share_counters(folder: Path) -> None:
    """Let the processes this one starts share their counters in ``folder``, as prometheus-client expects it."""
    os.environ[_SHARED_COUNTERS] = str(folder)


def read_shared_counters() -> Path | None:
    """Return the folder in which this process shares its counters with its like, None where it has none."""
    folder = os.environ.get(_SHARED_COUNTERS)
    return None if not folder else Path(folder)


def read_settings() -> Settings:
    """Return the settings of the environment and ``.env``; SetupError names a wrong one."""
    try:
        return Settings(_secrets_dir=_list_secret_folders())
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        name = name if name.startswith(("TWIN_", "OTEL_")) else f"TWIN_{name}"
        field = Settings.model_fields.get(name.removeprefix("TWIN_").lower())
        is_secret = field is not None and "SecretStr" in str(field.annotation)
        found = "…" if is_secret else repr(first.get("input"))
        raise SetupError(f"setting {name}={found} is not valid: {first['msg']}") from error


def _list_secret_folders() -> list[Path]:
    """Return where systemd and containers lay secrets as files, named like the settings."""
    folders = ("/run/secrets", os.environ.get("CREDENTIALS_DIRECTORY", ""))
    return [Path(folder) for folder in folders if folder and Path(folder).is_dir()]
