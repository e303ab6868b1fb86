"""Random secrets, shown once and kept as digests: tokens of sessions, keys ``twin_<id>_<secret>``."""

import base64
import hashlib
import os
import secrets
from typing import NamedTuple

PREFIX = "twin_"
_LONGEST = 100
# The secret is random: more rounds would protect nothing and cost the broker time at every connection.
_MQTT_ROUNDS = 101


class KeyParts(NamedTuple):
    """A key taken apart."""

    id: str
    secret: str


def make_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Return how a random secret is kept."""
    return hashlib.sha256(secret.encode()).digest()


def make_key() -> KeyParts:
    """Return a new key."""
    return KeyParts(secrets.token_hex(6), make_token())


def write_key(parts: KeyParts) -> str:
    """Return a key as it is shown, once."""
    return f"{PREFIX}{parts.id}_{parts.secret}"


def read_key(written: str) -> KeyParts | None:
    """Return the parts of what may be a key, None where it is none."""
    if not written.startswith(PREFIX) or len(written) > _LONGEST or not written.isascii():
        return None
    name, found, secret = written.removeprefix(PREFIX).partition("_")
    return KeyParts(name, secret) if found and name.isalnum() and secret else None


def hash_for_mqtt(password: str) -> str:
    """Return a password as a file of Mosquitto's holds it (PBKDF2, SHA-512)."""
    salt = os.urandom(12)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _MQTT_ROUNDS)
    return f"$7${_MQTT_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
