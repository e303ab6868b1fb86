"""SQL of boards: members of a run that several machines compute, and what travels between them."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

PIECE_BYTES = 4_000_000
"""Size of a piece: an answer of the database is held whole in memory, at both ends."""


def insert_board(connection: Connection, run_id: str, home: str, compute: bytes) -> None:
    """Open the board of a run anew; what an earlier attempt left on it is gone."""
    delete_board(connection, run_id)
    connection.execute(
        text("insert into run.board (run_id, home, compute) values (:run_id, :home, :compute)"),
        {"run_id": run_id, "home": home, "compute": compute},
    )


def read_board(connection: Connection, run_id: str) -> tuple[str, bytes] | None:
    """Return who offers and what is to be called, or None when the board is closed."""
    row = connection.execute(
        text("select home, compute from run.board where run_id = :run_id"), {"run_id": run_id}
    ).first()
    return None if row is None else (str(row.home), bytes(row.compute))


def delete_board(connection: Connection, run_id: str) -> None:
    """Close the board of a run, with all that lies on it."""
    connection.execute(text("delete from run.board where run_id = :run_id"), {"run_id": run_id})


def insert_pieces(connection: Connection, run_id: str, name: str, content: memoryview) -> None:
    """Keep ``content`` under ``name``, in pieces."""
    for part, start in enumerate(range(0, max(content.nbytes, 1), PIECE_BYTES)):
        connection.execute(
            text("insert into run.board_piece (run_id, name, part, content) values (:run_id, :name, :part, :content)"),
            {
                "run_id": run_id,
                "name": name,
                "part": part,
                "content": bytes(content[start : start + PIECE_BYTES]),
            },
        )


def read_piece(connection: Connection, run_id: str, name: str, part: int) -> bytes | None:
    """Return one piece of what is kept under ``name``, or None behind the last one."""
    found = connection.execute(
        text("select content from run.board_piece where run_id = :run_id and name = :name and part = :part"),
        {"run_id": run_id, "name": name, "part": part},
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def delete_pieces(connection: Connection, run_id: str, name: str) -> None:
    """Throw away what is kept under ``name``."""
    connection.execute(
        text("delete from run.board_piece where run_id = :run_id and name = :name"), {"run_id": run_id, "name": name}
    )


def insert_member(connection: Connection, run_id: str, number: int) -> None:
    """Offer a member."""
    connection.execute(
        text("insert into run.member (run_id, number) values (:run_id, :number)"), {"run_id": run_id, "number": number}
    )


def claim_member(connection: Connection, run_id: str, owner: str, *, left_after_s: float) -> int | None:
    """Give ``owner`` the first member nobody is at, or whose owner said nothing for ``left_after_s`` [s]; else None."""
    found = connection.execute(
        text(
            "update run.member set owner = :owner, kept = clock_timestamp() where (run_id, number) = ("
            "select run_id, number from run.member where run_id = :run_id and not done "
            "and (kept is null or kept < clock_timestamp() - make_interval(secs => :left_after)) "
            "order by number limit 1 for update skip locked) returning number"
        ),
        {"run_id": run_id, "owner": owner, "left_after": left_after_s},
    ).scalar_one_or_none()
    return None if found is None else int(found)


def keep_members(connection: Connection, run_id: str, owner: str, numbers: Sequence[int]) -> list[int]:
    """Say that ``owner`` is still at its members; return those that are still its own."""
    return list(
        connection.execute(
            text(
                "update run.member set kept = clock_timestamp() where run_id = :run_id and owner = :owner "
                "and number = any(:numbers) and not done returning number"
            ),
            {"run_id": run_id, "owner": owner, "numbers": list(numbers)},
        ).scalars()
    )


def settle_member(connection: Connection, run_id: str, owner: str, number: int) -> bool:
    """Mark a member as done; return False when it is no longer ``owner``'s, so that its result counts once."""
    done = connection.execute(
        text(
            "update run.member set done = true where run_id = :run_id and number = :number "
            "and owner = :owner and not done"
        ),
        {"run_id": run_id, "owner": owner, "number": number},
    )
    return done.rowcount == 1


def list_done(connection: Connection, run_id: str, numbers: Sequence[int]) -> list[int]:
    """Return which of ``numbers`` are done, in order."""
    return list(
        connection.execute(
            text(
                "select number from run.member where run_id = :run_id and done and number = any(:numbers) "
                "order by number"
            ),
            {"run_id": run_id, "numbers": list(numbers)},
        ).scalars()
    )
