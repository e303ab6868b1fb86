"""The second factor: one-time codes (RFC 6238) that count once, and recovery codes for who lost the device."""

import hashlib
import hmac
import secrets
import time

import pyotp

ISSUER = "City twin"
RECOVERY_CODES = 10
_STEP_S, _DRIFT = 30, 1
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


def make_secret() -> str:
    """Return a new shared secret, base32."""
    return pyotp.random_base32()


def write_link(secret: str, name: str, city: str) -> str:
    """Return the ``otpauth://`` address that applications for codes read."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=city or ISSUER)


def find_step(secret: str, code: str, moment: float | None = None) -> int | None:
    """Return the step of time whose code this is, one before or after now allowed; None if it is none of them."""
    given = code.strip().replace(" ", "")
    if not (given.isascii() and given.isdigit() and len(given) == 6):
        return None
    totp, now = pyotp.TOTP(secret), int((time.time() if moment is None else moment) // _STEP_S)
    right = [
        step for step in range(now - _DRIFT, now + _DRIFT + 1) if hmac.compare_digest(totp.generate_otp(step), given)
    ]
    return right[-1] if right else None


def make_recovery() -> list[str]:
    """Return new recovery codes, each of 50 random bits."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2)) for _ in range(RECOVERY_CODES)
    ]


def hash_recovery(code: str) -> bytes:
    """Return how a recovery code is kept."""
    return hashlib.sha256(f"recovery:{code.strip().lower()}".encode()).digest()
