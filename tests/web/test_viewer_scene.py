"""The third dimension: ground, buildings and the water of a flood stand together and rise by the same factor."""

from playwright.sync_api import expect

from tests.web.visits import LOAD_MS, Visit

# The place of the deepest building of a run, and the moment at which it is deepest.
FIND_DEEPEST = """async id => {
  const read = path => fetch(path).then(answer => answer.json());
  const run = await read(`/api/runs/${id}`);
  const { times } = run.rasters.find(raster => raster.layer === 'flood_depth');
  const query = `run_id=${id}&asset_layer=buildings&sortby=-depth_max&limit=1`;
  const { features } = await read(`/api/collections/flood_assets/items?${query}`);
  const place = features[0].geometry.coordinates.flat(9).slice(0, 2);
  return { place, time: times.find(time => time >= run.summary.peak_time) ?? times.at(-1) };
}"""
WATER = "() => window.twin.map.querySourceFeatures('water-3d').map(block => block.properties.depth)"
RISEN = "name => JSON.stringify(window.twin.map.getPaintProperty(name, 'fill-extrusion-height'))"


def test_ground_buildings_and_water_rise_together(visit: Visit, high_water: str) -> None:
    page = visit.page
    # Three dimensions drawn without a graphics card cost time by the pixel.
    page.set_viewport_size({"width": 1000, "height": 640})
    visit.open()
    deepest = page.evaluate(FIND_DEEPEST, high_water)
    lon, lat = deepest["place"]
    page.goto("about:blank")
    visit.open(f"#run={high_water}&time={deepest['time']}&map=16.5/{lat}/{lon}")
    page.get_by_role("button", name="Xem ba chiều").click()
    visit.wait("() => window.twin.map.getPitch() > 40")
    visit.wait(f"() => ({WATER})().length > 0", timeout=2 * LOAD_MS)
    visit.settle()
    assert all(0.0 < depth < 10.0 for depth in page.evaluate(WATER))
    assert page.evaluate("() => window.twin.map.queryRenderedFeatures({ layers: ['buildings-3d'] }).length") > 0
    assert page.evaluate("() => window.twin.map.getTerrain().exaggeration") == 1
    page.get_by_label("Phóng cao").select_option("5")
    visit.wait("() => window.twin.map.getTerrain().exaggeration === 5")
    assert page.evaluate(RISEN, "water-3d") == '["*",["get","depth"],5]'
    assert page.evaluate(RISEN, "buildings-3d").endswith(",5]")
    bearing = page.evaluate("() => window.twin.map.getBearing()")
    page.get_by_role("button", name="Xoay phải").click()
    visit.wait("before => window.twin.map.getBearing() !== before", bearing)
    visit.wait("() => location.hash.includes('rise=5') && location.hash.includes('3d=1')")
    visit.settle()
    visit.save("guide-scene-water")
    page.get_by_role("button", name="Xem hai chiều").click()
    visit.wait("() => window.twin.map.getPitch() === 0 && window.twin.map.getTerrain() === null")
    assert not page.evaluate("() => Boolean(window.twin.map.getLayer('water-3d'))")
    expect(page.locator(".scene-control")).to_be_hidden()
    assert visit.complaints == []
