"""Pages of processes and jobs."""

from html import escape
from typing import Any

from api.pages.parts import (
    Shown,
    anchor,
    anchor_link,
    both,
    both_of,
    buttons,
    facts,
    heading,
    section,
    show_value,
    table,
    write_page,
)

_WAY = (("/api/processes", "Phân tích – Processes"),)
_STATES = {
    "accepted": ("đang chờ", "accepted"),
    "running": ("đang chạy", "running"),
    "successful": ("xong", "successful"),
    "failed": ("hỏng", "failed"),
    "dismissed": ("đã huỷ", "dismissed"),
}

_HEADS = (("Việc", "Job"), ("Phân tích", "Process"), ("Trạng thái", "Status"), ("Tiến độ", "Progress"),
          ("Cập nhật (UTC)", "Updated"))  # fmt: skip
_FACTS = {
    "processID": ("Phân tích", "Process"),
    "progress": ("Tiến độ [%]", "Progress"),
    "message": ("Thông báo", "Message"),
    "created": ("Tạo lúc (UTC)", "Created"),
    "started": ("Bắt đầu (UTC)", "Started"),
    "finished": ("Xong lúc (UTC)", "Finished"),
    "updated": ("Cập nhật (UTC)", "Updated"),
}


def write_processes(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of all processes."""
    rows = [
        [
            anchor(f"/api/processes/{one['id']}?f=html", both_of(one.get("title_i18n"), one["title"])),
            both_of(one.get("description_i18n"), one.get("description", "")),
        ]
        for one in document["processes"]
    ]
    heads = [both("Phân tích", "Process"), both("Nội dung", "What it computes")]
    return write_page("Phân tích – Processes", [heading("Phân tích", "Processes", 1), section(table(heads, rows))])


def write_process(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of a process: its inputs with units and ranges, its outputs."""
    rows = [[f"<code>{escape(name)}</code>", *_describe(one)] for name, one in document.get("inputs", {}).items()]
    heads = [both("Tên", "Name"), both("Nghĩa", "Meaning"), both("Kiểu", "Type"), both("Mặc định", "Default"),
             both("Khoảng", "Range")]  # fmt: skip
    outputs = [
        [f"<code>{escape(name)}</code>", both_of(one.get("title_i18n"), str(one.get("title", "")))]
        for name, one in document.get("outputs", {}).items()
    ]
    own = f"/api/processes/{document['id']}"
    body = [
        f"<h1>{both_of(document.get('title_i18n'), document['title'])}</h1>",
        f"<p>{both_of(document.get('description_i18n'), document.get('description', ''))}</p>",
        section(heading("Đầu vào", "Inputs"), table(heads, rows)),
        section(heading("Kết quả", "Outputs"), table([both("Tên", "Name"), both("Nghĩa", "Meaning")], outputs)),
        section(f"<p>{both('Chạy bằng', 'To run it')}: <code>POST {escape(own)}/execution</code></p>"),
        buttons([(f"{own}?f=json", "JSON")], "Định dạng – formats"),
    ]
    return write_page(str(document["title"]), body, _WAY)


def _describe(one: dict[str, Any]) -> list[str]:
    """Return meaning, type, default and range of an input."""
    schema = one.get("schema", {})
    unit = f" [{escape(str(schema['x-unit']))}]" if schema.get("x-unit") else ""
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = f"{show_value(low)} … {show_value(high)}" if low is not None or high is not None else ""
    choices = ", ".join(escape(str(choice)) for choice in schema.get("enum", ()))
    default = show_value(schema["default"]) if "default" in schema else ""
    words = both_of(one.get("title_i18n"), str(one.get("title", "")))
    about = both_of(one.get("description_i18n"), str(one.get("description", "")))
    return [
        f"{words}<br><small>{about}</small>",
        escape(str(schema.get("type", ""))) + unit,
        default,
        limits or choices,
    ]


def write_jobs(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of the jobs, the newest first."""
    rows = [
        [
            anchor(f"/api/jobs/{one['jobID']}?f=html", f"<code>{escape(one['jobID'])}</code>"),
            escape(str(one.get("processID", ""))),
            both(*_STATES.get(one["status"], (one["status"], ""))),
            f"{one.get('progress', 0)} %",
            escape(str(one.get("updated", ""))),
        ]
        for one in document["jobs"]
    ]
    heads = [both(*words) for words in _HEADS]
    following = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    more = buttons([(f"{following}&f=html", both("Trang sau", "Next page"))], "Trang – pages") if following else ""
    none = f"<p>{both('Chưa có việc nào.', 'There is no job yet.')}</p>"
    body = [heading("Việc tính toán", "Jobs", 1), section(table(heads, rows) if rows else none), more]
    return write_page("Việc tính toán – Jobs", body)


def write_job(document: dict[str, Any], _shown: Shown) -> str:
    """Return the page of a job."""
    rows = [(both("Trạng thái", "Status"), both(*_STATES.get(document["status"], (document["status"], ""))))]
    rows += [(both(*words), show_value(document[key])) for key, words in _FACTS.items() if key in document]
    links = [[anchor_link(link)] for link in document["links"]]
    body = [
        f"<h1><code>{escape(document['jobID'])}</code></h1>",
        section(facts(rows)),
        section(table([both("Liên kết", "Links")], links)),
    ]
    return write_page(str(document["jobID"]), body, [("/api/jobs", "Việc – Jobs")])
