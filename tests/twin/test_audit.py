"""The audit in a real PostGIS: entries go with what they record, the chain finds every change, a copy more."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from layers.errors import ConflictError, SourceError
from twin.audit.act import Act, acting
from twin.audit.commanding import name_command
from twin.audit.entry import Entry, Who, bound, seal
from twin.audit.recording import record, record_alone, record_at_commit
from twin.audit.retiring import retire_month
from twin.audit.sealing import seal_waiting
from twin.audit.shipping import NotShippedError, ship
from twin.audit.verifying import Verdict, compare, verify
from twin.cli import main
from twin.settings import Settings
from twin.store_audit import EntryQuery, list_entries

ANN = Who("account:ann", "Ann", "session", "127.0.0.1", "r-1")


@pytest.fixture
def clean(engine: Engine) -> Iterator[Engine]:
    """The module's database with an empty audit."""
    yield engine
    with as_owner(engine) as connection:
        connection.execute(text("truncate audit.entry, audit.seal, audit.waiting, audit.shipped, audit.retired"))


class as_owner:
    """What somebody can do who owns the database: the triggers are switched off."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Connection:
        self._begun = self._engine.begin()
        connection = self._begun.__enter__()
        self._connection = connection
        self._switch("disable")
        return connection

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._switch("enable always")
        self._begun.__exit__(*error)  # type: ignore[arg-type]

    def _switch(self, how: str) -> None:
        tables = self._connection.execute(
            text("select distinct tgrelid::regclass::text from pg_trigger where tgname like 'kept%'")
        ).scalars()
        for table in tables.all():
            names = self._connection.execute(
                text("select tgname from pg_trigger where tgrelid = cast(:t as regclass) and tgname like 'kept%'"),
                {"t": table},
            ).scalars()
            for name in names.all():
                self._connection.execute(text(f"alter table {table} {how} trigger {name}"))


def write(engine: Engine, count: int, action: str = "edit") -> None:
    with engine.begin() as connection:
        for number in range(count):
            record(connection, Entry(action, f"edit:{number}", detail={"n": number, "share": 0.5, "of": [1]}, who=ANN))


def check(engine: Engine) -> Verdict:
    with engine.connect() as connection:
        return verify(connection)


def test_an_entry_is_kept_as_it_was_written(clean: Engine) -> None:
    write(clean, 1)
    with clean.connect() as connection:
        (found,) = list_entries(connection, EntryQuery(subject="account:ann"), limit=10)
    assert (found.action, found.object, found.outcome, found.via) == ("edit", "edit:0", "done", "session")
    assert found.detail == {"n": 0, "share": 0.5, "of": [1]}


def test_what_is_too_long_is_cut_and_what_is_no_json_becomes_text() -> None:
    detail = {"big": 2**60, "moment": datetime(2026, 1, 1, tzinfo=UTC), "nan": float("nan"), "nul": "a\x00b"}
    entry, who = bound(Entry("x" * 200, "o" * 900, detail=detail), Who("s" * 500, client="c" * 99))
    assert (len(entry.action), len(entry.object), len(who.subject)) == (60, 400, 200)
    assert entry.detail["nul"] == "ab" and entry.detail["big"] == str(2**60)
    json.dumps(entry.detail, allow_nan=False)
    long, _ = bound(Entry("edit", detail={f"k{n}": "v" * 200 for n in range(60)}), ANN)
    assert long.detail["cut"] is True


def test_nothing_of_it_can_be_changed(clean: Engine) -> None:
    write(clean, 3)
    seal_waiting(clean)
    for statement in (
        "update audit.entry set name = 'nobody'",
        "delete from audit.entry",
        "truncate audit.entry",
        "set local session_replication_role = replica; delete from audit.entry",
        "update audit.seal set hash = decode(repeat('00', 32), 'hex')",
        "delete from audit.seal",
        "truncate audit.seal",
    ):
        with pytest.raises(DBAPIError, match="only added to"), clean.begin() as connection:
            connection.exec_driver_sql(statement)
    for role in ("twin_public", "twin_restricted_editor", "twin_personal"):
        with clean.connect() as connection:
            connection.execute(text(f"set local role {role}"))
            assert not connection.execute(
                text("select has_table_privilege('audit.entry', 'select, insert, update, delete')")
            ).scalar_one()
            connection.execute(text("select audit.write('a', '', 'x', null, null, 'edit', '', 'done', '{}')"))
            connection.rollback()


def test_a_whole_chain_holds_and_is_computed_without_the_database(clean: Engine) -> None:
    write(clean, 5)
    assert seal_waiting(clean) == 5
    write(clean, 3)
    assert seal_waiting(clean) == 3
    found = check(clean)
    assert (found.holds, found.checked, found.head, found.unsealed) == (True, 8, 8, 0)
    last = bytes(32)
    with clean.connect() as connection:
        for entry in list_entries(connection, EntryQuery(), limit=10)[::-1]:
            last = seal(last, entry.as_dict())
    assert last.hex() == found.head_hash


def test_a_changed_entry_is_named(clean: Engine) -> None:
    write(clean, 6)
    seal_waiting(clean)
    with as_owner(clean) as connection:
        connection.execute(text("update audit.entry set subject = 'account:bob' where object = 'edit:3'"))
    found = check(clean)
    assert [(one.position, one.reason) for one in found.broken] == [(4, "the entry is not what was sealed")]


def test_a_missing_entry_and_a_missing_seal_are_named(clean: Engine) -> None:
    write(clean, 6)
    seal_waiting(clean)
    with as_owner(clean) as connection:
        connection.execute(text("delete from audit.entry where object = 'edit:2'"))
        connection.execute(text("delete from audit.seal where position = 5"))
    found = check(clean)
    assert (found.broken[0].position, found.broken[0].reason) == (3, "the entry is gone")
    assert found.broken[1].reason == "positions 5 to 5 are missing from the chain"
    assert any("do not wait" in one.reason for one in found.broken)


def test_an_entry_taken_from_what_waits_is_found(clean: Engine) -> None:
    write(clean, 2)
    with clean.begin() as connection:
        connection.execute(text("delete from audit.waiting"))
    assert seal_waiting(clean) == 0
    assert not check(clean).holds


def test_the_end_cut_off_is_found_by_the_copy_alone(clean: Engine, tmp_path: Path) -> None:
    copy = tmp_path / "audit.jsonl"
    settings = Settings(audit_ship=str(copy))
    write(clean, 6)
    seal_waiting(clean)
    assert ship(clean, settings) == 6
    assert ship(clean, settings) == 0
    with as_owner(clean) as connection:
        connection.execute(text("delete from audit.entry where object in ('edit:4', 'edit:5')"))
        connection.execute(text("delete from audit.seal where position > 4"))
    found = check(clean)
    assert found.holds
    with clean.connect() as connection:
        compare(connection, copy, found)
    assert found.compared == 6
    assert [one.position for one in found.broken] == [5, 6]


def test_a_chain_written_anew_is_found_by_the_copy(clean: Engine, tmp_path: Path) -> None:
    copy = tmp_path / "audit.jsonl"
    write(clean, 3)
    seal_waiting(clean)
    ship(clean, Settings(audit_ship=str(copy)))
    with as_owner(clean) as connection:
        connection.execute(text("update audit.entry set outcome = 'failed' where object = 'edit:1'"))
        last = bytes(32)
        for position, entry in enumerate(list_entries(connection, EntryQuery(), limit=9)[::-1], start=1):
            last = seal(last, entry.as_dict())
            connection.execute(text("update audit.seal set hash = :h where position = :p"), {"h": last, "p": position})
    found = check(clean)
    assert found.holds
    with clean.connect() as connection:
        compare(connection, copy, found)
    assert [one.position for one in found.broken] == [2, 3]


def test_a_copy_that_was_changed_is_found_and_one_that_is_none_refused(clean: Engine, tmp_path: Path) -> None:
    copy = tmp_path / "audit.jsonl"
    write(clean, 3)
    seal_waiting(clean)
    ship(clean, Settings(audit_ship=str(copy)))
    # Shipped at least once: what came twice is no fault.
    copy.write_text(copy.read_text() + copy.read_text().splitlines(keepends=True)[-1])
    found = check(clean)
    with clean.connect() as connection:
        compare(connection, copy, found)
        assert found.holds and found.compared == 3
        copy.write_text(copy.read_text().replace("edit:1", "edit:9"))
        compare(connection, copy, found)
        assert found.broken_count == 1
        copy.write_text("[]\n")
        with pytest.raises(SourceError, match="line 1"):
            compare(connection, copy, found)


def test_a_transaction_that_commits_late_is_sealed_in_its_turn(clean: Engine) -> None:
    with clean.connect() as late, late.begin():
        record(late, Entry("edit", "late", who=ANN))
        write(clean, 2)
        # What was committed later could not stand before what is still being written.
        assert seal_waiting(clean) == 0
    assert seal_waiting(clean) == 3
    assert check(clean).holds
    with clean.connect() as connection:
        order = connection.execute(
            text("select e.object from audit.seal s join audit.entry e on e.number = s.entry order by s.position")
        ).scalars()
        assert list(order) == ["late", "edit:0", "edit:1"]


def test_twenty_writers_and_two_sealers_make_one_chain(clean: Engine) -> None:
    go = threading.Barrier(20)
    over = threading.Event()

    def write_some() -> None:
        go.wait()
        for _ in range(10):
            write(clean, 1)

    def seal_some() -> None:
        while not over.is_set():
            seal_waiting(clean)

    writers = [threading.Thread(target=write_some) for _ in range(20)]
    sealers = [threading.Thread(target=seal_some) for _ in range(2)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in sealers:
        thread.join()
    seal_waiting(clean)
    found = check(clean)
    assert (found.holds, found.checked, found.head, found.unsealed) == (True, 200, 200, 0)


def test_what_is_rolled_back_leaves_no_entry_and_a_gap_is_told(clean: Engine) -> None:
    write(clean, 1)
    with clean.connect() as connection:
        record(connection, Entry("edit", "never", who=ANN))
        connection.rollback()
    write(clean, 1)
    seal_waiting(clean)
    found = check(clean)
    assert found.holds and found.missing_numbers == 1


def test_the_first_transaction_that_writes_carries_the_entry_of_the_act(clean: Engine) -> None:
    record_at_commit(clean)
    with acting(Act("edit", "/there", lambda: ANN)) as _:
        with clean.begin() as connection:
            connection.execute(text("select 1"))
        with clean.begin() as connection:
            connection.execute(text("insert into audit.shipped (target) values ('x')"))
        with clean.begin() as connection:
            connection.execute(text("insert into audit.shipped (target) values ('y')"))
        with clean.connect() as connection:
            connection.execute(text("insert into audit.shipped (target) values ('z')"))
            connection.rollback()
    with clean.connect() as connection:
        found = list_entries(connection, EntryQuery(), limit=10)
        same = connection.execute(
            text("select w.xid::text = s.xmin::text from audit.waiting w, audit.shipped s where s.target = 'x'")
        ).scalar_one()
    assert [(one.object, one.subject) for one in found] == [("/there", "account:ann")]
    assert same


def test_a_collector_is_sent_what_it_did_not_take_again(clean: Engine) -> None:
    taken: list[str] = []
    answers = [500, 200]

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status = answers.pop(0)
            if status == 200:
                taken.append(self.headers["authorization"])
                taken.extend(body.splitlines())
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = Settings(
        audit_ship=f"http://127.0.0.1:{server.server_port}/audit",
        audit_ship_token="secret-of-the-collector",
        callback_hosts="127.0.0.1",
    )
    try:
        write(clean, 2)
        seal_waiting(clean)
        with pytest.raises(NotShippedError, match="500"):
            ship(clean, settings)
        assert ship(clean, settings) == 2
    finally:
        server.shutdown()
        server.server_close()
    assert taken[0] == "Bearer secret-of-the-collector"
    assert [json.loads(line)["position"] for line in taken[1:]] == [1, 2]


def test_a_closed_month_goes_into_a_file_and_the_chain_goes_on(clean: Engine, tmp_path: Path) -> None:
    with clean.begin() as connection:
        connection.execute(text("select audit.prepare('2020-05-01')"))
        for day in (3, 4):
            connection.execute(
                text(
                    "with added as (insert into audit.entry (at, subject, via, action, outcome) "
                    "values (make_timestamptz(2020, 5, :day, 0, 0, 0), 'a', 'x', 'edit', 'done') returning number, at) "
                    "insert into audit.waiting (number, at) select number, at from added"
                ),
                {"day": day},
            )
    write(clean, 1)
    may, file = date(2020, 5, 1), tmp_path / "2020-05.jsonl"
    with pytest.raises(ConflictError, match="no seal"):
        retire_month(clean, may, file, now=datetime.now(UTC))
    seal_waiting(clean)
    with pytest.raises(ConflictError, match="not over"):
        retire_month(clean, datetime.now(UTC).date().replace(day=1), file, now=datetime.now(UTC))
    written = retire_month(clean, may, file, now=datetime.now(UTC))
    assert written.entries == 2 and len(file.read_text().splitlines()) == 2
    write(clean, 1)
    seal_waiting(clean)
    found = check(clean)
    assert (found.holds, found.checked, found.retired) == (True, 2, 2)
    with clean.connect() as connection:
        compare(connection, file, found)
    assert found.holds and found.compared == 2
    with as_owner(clean) as connection:
        connection.execute(text("delete from audit.retired"))
    assert not check(clean).holds


def test_a_part_of_the_time_is_checked_alone(clean: Engine) -> None:
    write(clean, 4)
    seal_waiting(clean)
    with clean.connect() as connection:
        middle = list_entries(connection, EntryQuery(object="edit:2"), limit=1)[0].at
        assert verify(connection, start=middle).checked == 2
        assert verify(connection, end=middle).checked == 3
        assert verify(connection, start=datetime(2100, 1, 1, tzinfo=UTC)).checked == 0


def test_a_command_is_named_without_what_may_be_personal() -> None:
    load = name_command(["load", "/data/pipes.gpkg", "--layer", "pipes"])
    assert load is not None and load.object == "load /data/pipes.gpkg --layer pipes"
    erase = name_command(["personal", "erase", "092099000123", "--reason", "asked by Nguyễn Văn A"])
    assert erase is not None and erase.object == "personal erase"
    assert name_command(["serve", "--port", "1"]) is None
    assert name_command(["alarms", "watch"]) is None
    assert name_command(["alarms", "shelve", "x"]) is not None
    assert load.who().subject.startswith("cli:")


def test_an_entry_alone_needs_no_transaction(clean: Engine) -> None:
    record_alone(clean, Entry("edit", "/there", "refused", who=ANN))
    with clean.connect() as connection:
        assert list_entries(connection, EntryQuery(outcome="refused"), limit=1)[0].object == "/there"


def test_a_command_leaves_an_entry_when_it_writes_and_when_it_fails(
    clean: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", clean.url.render_as_string(hide_password=False))
    write(clean, 1)
    for words in (["layers"], ["audit", "seal"], ["load", "/none.gpkg", "--layer", "trees"]):
        monkeypatch.setattr("sys.argv", ["twin", *words])
        with pytest.raises(SystemExit):
            main()
    with clean.connect() as connection:
        found = [(one.object, one.outcome) for one in list_entries(connection, EntryQuery(action="command"), limit=9)]
    assert found == [("load /none.gpkg --layer trees", "failed"), ("audit seal", "done")]


def test_the_chain_is_verified_from_the_command_line(
    clean: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", clean.url.render_as_string(hide_password=False))
    write(clean, 3)

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["twin", "audit", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    assert json.loads(run("seal", "--json")[1])["sealed"] >= 3
    code, said = run("verify", "--json")
    assert code == 0 and json.loads(said)["holds"] is True
    copy = tmp_path / "copy.jsonl"
    assert run("export", "--to", str(copy))[0] == 0
    assert run("verify", "--against", str(copy))[0] == 0
    with as_owner(clean) as connection:
        connection.execute(text("update audit.entry set object = 'other' where object = 'edit:1'"))
    code, said = run("verify")
    assert code == 1 and "the entry is not what was sealed" in said
    code, said = run("list", "--action", "edit", "--json", "--limit", "2")
    assert [json.loads(line)["object"] for line in said.splitlines()] == ["other", "edit:2"]
