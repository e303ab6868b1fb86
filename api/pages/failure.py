"""The page of what went wrong."""

from html import escape
from typing import Any

from api.pages.parts import both, section, write_page

_WORDS = {404: ("Không tìm thấy", "Not found"), 400: ("Yêu cầu không đúng", "Bad request")}


def write_failure(problem: dict[str, Any]) -> str:
    """Return the page of a problem document."""
    words = _WORDS.get(int(problem.get("status", 500)), ("Không trả lời được", "No answer"))
    hint = f"<p class='note'>{escape(str(problem['hint']))}</p>" if problem.get("hint") else ""
    body = [f"<h1>{both(*words)}</h1>", section(f"<p lang='en'>{escape(str(problem.get('detail', '')))}</p>{hint}")]
    return write_page(f"{words[0]} – {words[1]}", body)
