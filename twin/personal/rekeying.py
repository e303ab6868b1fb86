"""Another key: everything that is sealed is opened with the old one and sealed with the new one, in one transaction."""

from sqlalchemy import Connection

from twin.audit.entry import Entry
from twin.audit.recording import record
from twin.personal.key import PersonalKey
from twin.personal.owners import SEALED, NewOwner
from twin.store_personal import list_owners, replace_sealed


def rekey(connection: Connection, old: PersonalKey, new: PersonalKey) -> int:
    """Seal all that was sealed with ``old`` with ``new``, and return how many people that were.

    SetupError where something was sealed with neither; then nothing changes.
    """
    done = 0
    for owner in list_owners(connection):
        opened = {name: old.open(owner.id, name, owner.sealed[name]) for name in SEALED}
        same = NewOwner(owner.name, owner.kind, opened["identity"], opened["phone"], opened["address"])
        sealed = {name: new.seal(owner.id, name, words) for name, words in opened.items()}
        replace_sealed(connection, owner.id, same.mark(new), sealed)
        done += 1
    record(connection, Entry("personal-rekey", f"key:{new.id.hex()}", detail={"owners": done, "from": old.id.hex()}))
    return done
