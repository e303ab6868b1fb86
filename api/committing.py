"""Writing as the routes do it: in a thread, in one transaction, which is taken back where something was only tried."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Query
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.resources import Resources
from layers.editing.words import Outcome
from twin.audit.act import tell

CheckOnly = Annotated[bool, Query(description="Only say what would come of it; nothing is written")]
Done = TypeVar("Done")


async def carry_out(resources: Resources, write: Callable[[Connection], Done], *, check: bool = False) -> Done:
    """Return what ``write`` did once it is committed; with ``check`` it is rolled back."""

    def commit() -> Done:
        with resources.engine.connect() as connection, connection.begin() as transaction:
            done = write(connection)
            if check:
                transaction.rollback()
            elif isinstance(done, Outcome):
                tell(edit=done.edit_id)
            return done

    return await run_in_threadpool(commit)
