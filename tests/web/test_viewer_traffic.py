"""Traffic in the viewer: a way is asked on the map, dry and under water; what water takes away is run and shown."""

from playwright.sync_api import expect

from tests.web.visits import JOB_MS, LOAD_MS, ON_SCREEN, Visit

LINES = "() => window.twin.map.queryRenderedFeatures({ layers: ['network-line'] }).length"
# The states of the roads that are drawn.
STATES = """() => {
  const { map } = window.twin;
  const layers = map.getStyle().layers.filter(one => one.source === 'flooded_roads').map(one => one.id);
  const states = map.queryRenderedFeatures({ layers }).map(one => one.properties.state);
  return [...new Set(states)].sort().join();
}"""


def test_a_way_is_asked_on_the_map_and_what_water_takes_away_is_run(visit: Visit, high_water: str) -> None:
    page = visit.page
    visit.open("#tab=traffic&layers=-sensors")
    aim = page.locator(".aim-button")
    expect(aim).to_have_attribute("aria-pressed", "true", timeout=LOAD_MS)
    west, south, east, north = page.evaluate("fetch('/api/catalog').then(r => r.json()).then(c => c.city.bounds)")
    for share in (0.45, 0.75):
        place = [west + share * (east - west), south + 0.5 * (north - south)]
        page.mouse.click(*page.evaluate(ON_SCREEN, place))
    ways = page.get_by_role("radio")
    expect(ways.first).to_contain_text("phút", timeout=LOAD_MS)
    visit.wait(f"() => ({LINES})() > 0")
    expect(page.locator(".step").first).to_contain_text("Đi trên")
    visit.wait("() => location.hash.includes('by=')")

    runs = page.evaluate("fetch('/api/runs?limit=100').then(r => r.json())")["runs"]
    forecast = next(run["id"] for run in runs if run["process"] == "flood-forecast")
    page.select_option("select[name=flood]", forecast)
    compared = page.get_by_role("row", name="Đường ngập")
    expect(compared).to_be_visible(timeout=LOAD_MS)
    visit.wait("() => location.hash.includes('water=')")
    fragment = page.evaluate("() => location.hash")
    page.goto("about:blank")
    visit.open(fragment)
    expect(compared).to_be_visible(timeout=LOAD_MS)
    visit.settle()
    visit.save("route")

    page.get_by_role("tab", name="Khi ngập").click()
    form = page.locator("details.more", has_text="Chạy mới")
    expect(form).to_be_visible(timeout=LOAD_MS)
    form.evaluate("form => [form, ...form.querySelectorAll('details')].forEach(part => { part.open = true; })")
    form.locator("[name=run]").fill(high_water)
    form.get_by_role("button", name="Chạy", exact=True).click()
    expect(page.locator("progress")).to_be_visible(timeout=LOAD_MS)
    closed = page.locator(".figure", has_text="Đường không đi được")
    expect(closed).to_contain_text("m", timeout=JOB_MS)
    expect(page.locator(".figure", has_text="Trạm dừng mất")).to_contain_text("/")
    visit.wait("() => location.hash.includes('network-run=')")
    visit.settle()
    visit.wait(f"() => ({STATES})().startsWith('closed,')")
    visit.save("flood-access")
    page.get_by_label("Chỉ vẽ đường cấm vào lúc trên thanh thời gian").check()
    visit.wait(f"() => ({STATES})() === 'closed'")
    page.locator("#traffic-tool tbody .link-button").first.click()
    expect(page.locator(".card")).to_be_visible()
    assert visit.complaints == []
