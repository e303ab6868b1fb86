"""The viewer's files at the root of the server, or a page that says how to build them."""

from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGE_STYLE = "body{font:16px/1.6 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}"
_PAGE = f"""<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>City twin</title>
<style>{PAGE_STYLE}</style></head><body>
<h1>Bản đồ chưa được dựng</h1><p>Máy chủ đang chạy. Để dựng trang bản đồ, gõ: <code>make setup</code></p>
<h1 lang="en">The viewer is not built</h1><p lang="en">The server runs. To build the map page, type:
<code>make setup</code></p><p><a href="/api">/api</a></p></body></html>"""


class Viewer(StaticFiles):
    """Serves the built viewer: files with a hash in their name for a year, everything else asked for anew."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self._folder = folder

    async def check_config(self) -> None:
        """Accept a folder that is not there yet: the viewer may be built while the server runs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file of the viewer; the page about building it while there is none."""
        if path in (".", "index.html") and not (self._folder / "index.html").exists():
            return HTMLResponse(_PAGE, 503, headers={"cache-control": "no-store"})
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
