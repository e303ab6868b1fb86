"""Figures of the server for Prometheus: counted by pattern, readable, bounded, for the staff."""

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.api.conftest import ADDRESS, TREE_TILE


def scrape(client: TestClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return every sample by its name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_requests_are_counted_by_pattern_method_and_status(client: TestClient) -> None:
    client.get(f"/tiles/trees/{TREE_TILE}.mvt")
    client.get("/api/collections/nowhere")
    told = scrape(client)
    counted = {(labels["route"], labels["method"], labels["status"]) for labels, _ in told["twin_requests_total"]}
    assert ("/tiles/{ids}/{z}/{x}/{y}.mvt", "GET", "200") in counted
    assert any(status == "404" for _, _, status in counted)
    assert not any(TREE_TILE in route for route, _, _ in counted)
    kinds = {labels["kind"] for labels, _ in told["twin_request_duration_seconds_count"]}
    assert "tile" in kinds


def test_every_part_of_the_twin_has_figures(client: TestClient) -> None:
    told = scrape(client)
    for name in (
        "twin_cache_hits_total", "twin_cache_misses_total", "twin_cache_bytes", "twin_pool_connections",
        "twin_queue_oldest_age_seconds", "twin_runs_last_day", "twin_run_duration_seconds",
        "twin_run_mass_balance_error_ratio", "twin_processes_alive", "twin_series", "twin_series_fresh",
        "twin_telemetry_readings_recent", "twin_alarms_standing", "twin_alarms_unacknowledged",
        "twin_warnings_in_force", "twin_deliveries_last_day", "twin_database_size_bytes", "twin_database_connections",
        "twin_database_oldest_transaction_age_seconds", "twin_disk_free_bytes", "twin_database_up",
    ):  # fmt: skip
        assert told.get(name), name
    assert not told.get("twin_figures_unreadable")


def test_only_the_staff_sees_figures_and_reasons(client: TestClient) -> None:
    elsewhere = TestClient(client.app, ADDRESS, client=("198.51.100.7", 50_000), raise_server_exceptions=False)
    assert elsewhere.get("/metrics").status_code in (401, 403)
    ready = elsewhere.get("/readyz").json()
    assert ready["checks"][0]["state"] == "ok"
    assert {check["detail"] for check in ready["checks"]} == {None}
