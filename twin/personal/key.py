"""The key of personal data: a file apart from database and backups; what is sealed with it is of no use without it."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from layers.errors import ConflictError, SetupError
from twin.settings import Settings

_VERSION = b"\x01"
_ID, _NONCE, _MASTER = 4, 12, 32


@dataclass(frozen=True, slots=True)
class PersonalKey:
    """Seals single fields (AES-256-GCM, bound to their owner and field) and marks people by a keyed hash."""

    id: bytes
    _sealing: bytes = field(repr=False)
    _marking: bytes = field(repr=False)

    @classmethod
    def of(cls, master: bytes) -> "PersonalKey":
        """Return the key made of 32 secret bytes."""
        return cls(
            hashlib.sha256(b"city-twin personal id" + master).digest()[:_ID],
            hmac.digest(master, b"city-twin personal sealing", "sha256"),
            hmac.digest(master, b"city-twin personal marking", "sha256"),
        )

    def seal(self, owner: uuid.UUID, name: str, words: str | None) -> bytes | None:
        """Return ``words`` sealed for one field of one owner."""
        if not words:
            return None
        nonce = secrets.token_bytes(_NONCE)
        bound_to = owner.bytes + name.encode()
        return _VERSION + self.id + nonce + AESGCM(self._sealing).encrypt(nonce, words.encode(), bound_to)

    def open(self, owner: uuid.UUID, name: str, sealed: bytes | None) -> str | None:
        """Return what was sealed; SetupError where it was sealed with another key or changed since."""
        if sealed is None:
            return None
        begin = len(_VERSION) + _ID
        if sealed[:1] != _VERSION or sealed[1:begin] != self.id:
            raise SetupError("personal data was sealed with another key", hint="set TWIN_PERSONAL_KEY_FILE to that one")
        nonce, rest = sealed[begin : begin + _NONCE], sealed[begin + _NONCE :]
        try:
            return AESGCM(self._sealing).decrypt(nonce, rest, owner.bytes + name.encode()).decode()
        except InvalidTag:
            raise SetupError(f"{name} of owner {owner} was changed since it was sealed") from None

    def mark(self, *words: str) -> bytes:
        """Return the keyed hash that makes a person the same one."""
        return hmac.digest(self._marking, "\x1f".join(words).encode(), "sha256")


def find_key_file(settings: Settings) -> Path:
    """Return where the key lies or is to lie."""
    return settings.personal_key_file or settings.state_dir / "personal.key"


def read_key(settings: Settings) -> PersonalKey:
    """Return the key in force; SetupError where there is none, others may read it, or it is none."""
    return read_key_file(find_key_file(settings))


def read_key_file(path: Path) -> PersonalKey:
    """Return the key in a file; SetupError as ``read_key`` raises it."""
    if not path.is_file():
        raise SetupError(f"there is no key of personal data at {path}", hint="type: twin personal key")
    if path.stat().st_mode & 0o077:
        raise SetupError(f"others may read the key at {path}", hint=f"type: chmod 600 {path}")
    try:
        master = base64.b64decode(path.read_text().strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        master = b""
    if len(master) != _MASTER:
        raise SetupError(f"the file {path} holds no key", hint="32 bytes in base64, as twin personal key writes them")
    return PersonalKey.of(master)


def make_key(settings: Settings) -> Path:
    """Write a new key where the settings say, for its owner alone; ConflictError where there is one."""
    path = find_key_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError(f"there is a key at {path} already") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(_MASTER)).decode() + "\n")
    return path
