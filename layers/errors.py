"""The one error tree: every error knows its code, its HTTP status and what to do about it."""


class TwinError(Exception):
    """Root of all errors a user can cause or must act on.

    ``message`` names the thing, the value found and what was expected; ``hint`` says what to do next.
    """

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} — {self.hint}" if self.hint else self.message


class InputError(TwinError):
    """What was given cannot be used: a parameter, a value, a file."""

    code, status = "bad-input", 400


class NotFoundError(TwinError):
    """What was named does not exist."""

    code, status = "not-found", 404


class TooManyError(TwinError):
    """Who asks has as much of it under way as one may."""

    code, status = "too-many", 429


class OverloadedError(TwinError):
    """There is as much of it under way as can be done."""

    code, status = "overloaded", 503


class ConflictError(TwinError):
    """What was asked contradicts the present state."""

    code, status = "conflict", 409


class PreconditionError(TwinError):
    """What was to be changed is no longer what the caller saw."""

    code, status = "changed-meanwhile", 412


class PreconditionRequiredError(TwinError):
    """A change must say which state it changes."""

    code, status = "precondition-required", 428


class UnauthorizedError(TwinError):
    """Who asks is not known."""

    code, status = "unauthorized", 401


class ForbiddenError(TwinError):
    """Who asks may not do this."""

    code, status = "forbidden", 403


class TooLargeError(InputError):
    """What was given exceeds a limit."""

    code, status = "too-large", 413


class SourceError(InputError):
    """A file or address cannot be read as what it claims to be."""

    code = "bad-source"


class AddressError(SourceError):
    """An address leads where this server does not go."""

    code = "bad-address"


class MappingError(InputError):
    """A mapping names columns, properties or rules that do not fit."""

    code = "bad-mapping"


class CrsError(InputError):
    """A coordinate reference system is missing, unknown or cannot be true."""

    code = "bad-crs"


class DeclarationError(TwinError):
    """A layer or process declaration contradicts itself."""

    code = "bad-declaration"


class DatabaseError(TwinError):
    """The database cannot be reached or is not the one expected."""

    code, status = "database", 503


class ObjectStoreError(TwinError):
    """The store of objects cannot be reached, or refuses."""

    code, status = "object-store", 503


class TooSlowError(TwinError):
    """An answer somebody waits for takes longer than it may."""

    code, status = "too-slow", 503


class BrokenFileError(TwinError):
    """A file of ours is not what was written: it is cut short or overwritten."""

    code, status = "broken-file", 503


class DiskFullError(TwinError):
    """There is no room left where something must be written."""

    code, status = "disk-full", 507


class SetupError(TwinError):
    """Something the system needs is not installed or not configured."""

    code, status = "setup", 503


class NumericsError(TwinError):
    """A computation left its valid range and stopped."""

    code = "numerics"


class MassBalanceError(NumericsError):
    """A flood run created or lost more water than allowed."""

    code = "mass-balance"
