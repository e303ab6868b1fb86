"""The table of invariants."""

from layers.errors import InputError
from layers.schema import Text
from twin.invariants.asking import answer, find_broken_links
from twin.invariants.files import find_lost_files, find_orphans
from twin.invariants.words import Invariant
from twin.store_invariants import (
    JOBS_HAVE_RUNS,
    LOADS_ADD_UP,
    MONTHS_ARE_THERE,
    READINGS_ADD_UP,
    history_runs_on,
    networks_fit,
    overviews_marked,
    runs_have_results,
    sensors_refer,
    versions_told,
)

_RESTORE = "twin restore latest --into FOLDER, and compare"

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "loads",
        Text("Số dòng đọc bằng số dòng nạp, không đổi và bị loại", "Rows read are loaded, unchanged or in quarantine"),
        "twin load SOURCE again; its report says what became of each row",
        answer(LOADS_ADD_UP),
    ),
    Invariant(
        "readings",
        Text("Số đọc nhận được bằng số đã lưu, trùng, sửa và bị loại", "Readings received are all accounted for"),
        "twin sensors ledger; then look into the log of: twin sensors ingest",
        answer(READINGS_ADD_UP),
    ),
    Invariant(
        "versions",
        Text("Phiên bản của lớp kể mọi lần ghi", "The clock of a layer tells of everything written"),
        "twin db migrate; then restart the servers, whose tiles may be old",
        answer(versions_told),
    ),
    Invariant(
        "history",
        Text("Lịch sử không hở, không chồng", "History runs on without gaps and overlaps"),
        f"twin history LAYER ID; {_RESTORE}",
        answer(history_runs_on),
    ),
    Invariant(
        "networks",
        Text("Mạng lưới khớp với các lớp của nó", "Networks fit the layers they are made of"),
        "twin network build COMMODITY",
        answer(networks_fit),
    ),
    Invariant(
        "runs",
        Text("Lần chạy xong thì có kết quả", "Runs that are done have results, and results a run"),
        "twin run PROCESS again, twin jobs prune takes old ones away",
        answer(runs_have_results),
    ),
    Invariant(
        "jobs",
        Text("Việc trong hàng đợi có lần chạy, và ngược lại", "Jobs have runs, and runs that wait have jobs"),
        "twin jobs cancel RUN, or start a worker, which takes up what was abandoned: twin worker",
        answer(JOBS_HAVE_RUNS),
    ),
    Invariant(
        "sensors",
        Text("Cảm biến chỉ tới những gì có thật", "Sensors refer to what is there"),
        "load the missing features, or change the sensor: twin sensors",
        answer(sensors_refer),
    ),
    Invariant(
        "months",
        Text("Không thiếu tháng số đọc nào", "No month of readings is missing"),
        f"twin sensors retain takes up a month that was broken off; {_RESTORE}",
        answer(MONTHS_ARE_THERE),
    ),
    Invariant(
        "overviews",
        Text("Ảnh nhìn xa được vẽ hoặc đang chờ vẽ", "Far views are drawn or wait to be"),
        "twin db overviews --all",
        answer(overviews_marked),
    ),
    Invariant(
        "files",
        Text("Mọi tệp mà cơ sở dữ liệu nhắc tới đều có", "Every file that the database names is there"),
        "twin backup list; take the file from a backup's folder 'files'",
        find_lost_files,
    ),
    Invariant(
        "orphans",
        Text("Không tệp nào bị bỏ rơi", "No file is left without a row"),
        "look at the file, then remove it",
        find_orphans,
    ),
    Invariant(
        "audit",
        Text("Chuỗi nhật ký còn nguyên", "The chain of the audit holds"),
        "twin audit verify",
        find_broken_links,
    ),
)


def select_invariants(invariant_id: str | None) -> tuple[Invariant, ...]:
    """Return all invariants or the one called so; InputError names those there are."""
    found = tuple(one for one in INVARIANTS if invariant_id in (None, one.id))
    if not found:
        raise InputError(
            f"there is no invariant '{invariant_id}'", hint=f"one of {', '.join(one.id for one in INVARIANTS)}"
        )
    return found
