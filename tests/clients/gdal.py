"""GDAL's OAPIF driver: layers, a box, a filter that reaches the server, every page."""

import json
import subprocess

import httpx

from tests.clients.environments import find_tool
from tests.clients.serving import Wire


def check(wire: Wire) -> str:
    """Return what was checked; AssertionError says what does not hold."""
    ogrinfo, address = find_tool("ogrinfo", "gdal-bin"), f"OAPIF:{wire.base}/api"

    def ask(*words: str) -> dict[str, int]:
        command = [ogrinfo, "-so", "-oo", "PAGE_SIZE=300", address, *words]
        said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert said.returncode == 0, said.stderr[-500:]
        assert "ERROR" not in said.stderr, said.stderr[-500:]
        return {line.split(":")[0]: int(line.split(":")[1]) for line in said.stdout.splitlines() if "Count:" in line}

    listed = subprocess.run([ogrinfo, address], capture_output=True, text=True, timeout=120, check=False).stdout
    assert "buildings" in listed and "road_links" in listed
    whole = httpx.get(f"{wire.base}/api/collections/buildings/items?limit=1&count=true").json()["numberMatched"]
    wire.forget()
    assert ask("buildings") == {"Feature Count": whole}
    pages = [line for line in wire.list_requests() if "/buildings/items" in line]
    west, south, east, north = httpx.get(f"{wire.base}/api/catalog").json()["city"]["bounds"]
    middle = ((west + east) / 2, (south + north) / 2)
    wire.forget()
    part = ask("-spat", str(west), str(south), *map(str, middle), "buildings")["Feature Count"]
    assert 0 < part < whole
    assert any("bbox=" in line for line in wire.list_requests()), "the box did not reach the server"
    wire.forget()
    shops = ask("-where", "use = 'shop' AND height > 5", "buildings")["Feature Count"]
    filters = [line for line in wire.list_requests() if "filter=" in line or "use=shop" in line]
    assert filters, "the filter did not reach the server"
    said = httpx.get(
        f"{wire.base}/api/collections/buildings/items",
        params={"filter": "use = 'shop' and height > 5", "limit": 1, "count": "true"},
    ).json()["numberMatched"]
    assert shops == said
    kept = json.dumps(filters[0].partition("?")[2][:60])
    return f"{whole} buildings in {len(pages)} requests, bbox {part}, filter {shops} sent as {kept}"
