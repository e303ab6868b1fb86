"""Attachments, inspections and work orders on a real PostGIS."""

import threading
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import get_args

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from sqlalchemy import Connection, Engine

from layers.errors import ConflictError, InputError, NotFoundError, PreconditionError, TooLargeError
from layers.registry import VECTOR_LAYERS
from layers.store.attachments import (
    delete_attachment,
    keep_attachment,
    list_attachments,
    read_attachment,
    receive_file,
)
from layers.store.features import upsert_features
from layers.store.inspections import NewInspection, is_latest, list_due, list_inspections, record_inspection
from layers.store.references import Reference
from layers.store.work_orders import (
    NewWorkOrder,
    change_work_order,
    list_events,
    list_work_orders,
    move_work_order,
    open_work_order,
    read_work_order,
)
from layers.upkeep import NEXT, STATUS_TITLES, YEARS_BETWEEN_INSPECTIONS, Status

NODES = VECTOR_LAYERS["drainage_nodes"]
PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


def make_image(driver: str) -> bytes:
    """Return a small picture in the format of a GDAL driver."""
    out = BytesIO()
    with rasterio.open(out, "w", driver=driver, width=32, height=16, count=3, dtype="uint8") as image:
        image.write(np.random.default_rng(1).integers(0, 255, (3, 16, 32), dtype=np.uint8))
    return out.getvalue()


def add_nodes(connection: Connection) -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["n1", "n2", "n3"], "node_type": "manhole"},
        geometry=shapely.points([580_000.0, 580_100.0, 580_200.0], 1_108_000.0),
        crs="EPSG:5897",
    )
    upsert_features(connection, NODES, frame, source_id="test")


def test_words_agree_with_each_other() -> None:
    assert set(NEXT) == set(get_args(Status)) == set(STATUS_TITLES)
    assert set(YEARS_BETWEEN_INSPECTIONS) <= set(VECTOR_LAYERS)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/jpeg", make_image("JPEG")),
        ("image/png", make_image("PNG")),
        ("image/webp", make_image("WEBP")),
        ("application/pdf", PDF),
    ],
)
def test_a_file_is_kept_once_and_found_again(
    connection: Connection, tmp_path: Path, media_type: str, content: bytes
) -> None:
    add_nodes(connection)
    for feature in ("n1", "n2"):
        with receive_file(tmp_path, 10_000) as incoming:
            incoming.write(content[:10])
            incoming.write(content[10:])
            kept = keep_attachment(
                connection, tmp_path, incoming, NODES, feature,
                media_type=media_type, filename="ảnh", title="Nắp vỡ", author="đội 1",
            )  # fmt: skip
        assert (tmp_path / kept.path).read_bytes() == content
        assert list_attachments(connection, NODES.id, feature) == [kept]
    assert len([path for path in (tmp_path / "attachments").rglob("*") if path.is_file()]) == 1
    delete_attachment(connection, kept.id, author="đội 1", reason="nhầm")
    assert list_attachments(connection, NODES.id, "n2") == []
    with pytest.raises(NotFoundError):
        read_attachment(connection, kept.id)


@pytest.mark.parametrize(
    ("media_type", "content", "error"),
    [
        ("image/jpeg", make_image("PNG"), InputError),
        ("image/png", make_image("PNG")[:-40], InputError),
        ("image/jpeg", b"<svg onload=alert(1)>", InputError),
        ("application/pdf", PDF[:-7], InputError),
        ("text/html", b"<p>", InputError),
        ("application/pdf", PDF * 200, TooLargeError),
    ],
)
def test_a_file_that_is_not_what_it_says_leaves_nothing(
    connection: Connection, tmp_path: Path, media_type: str, content: bytes, error: type[Exception]
) -> None:
    add_nodes(connection)
    with pytest.raises(error), receive_file(tmp_path, 5_000) as incoming:
        incoming.write(content)
        keep_attachment(
            connection, tmp_path, incoming, NODES, "n1", media_type=media_type, filename="a", title="", author="b"
        )
    assert [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()] == []
    assert list_attachments(connection, NODES.id, "n1") == []


def test_inspections_are_listed_and_due_again(connection: Connection) -> None:
    add_nodes(connection)
    today = date(2026, 11, 22)
    years = YEARS_BETWEEN_INSPECTIONS[NODES.id]
    old = record_inspection(
        connection, NODES, "n1", NewInspection(today - timedelta(days=366 * years), "Đội 1", "visual", 2), author="a"
    )
    new = record_inspection(
        connection, NODES, "n2", NewInspection(today, "Đội 2", "cctv", 5, observations=[{"code": "BAB"}]), author="a"
    )
    earlier = record_inspection(
        connection, NODES, "n2", NewInspection(today - timedelta(days=9), "Đội 2", "visual", 1), author="a"
    )
    assert is_latest(connection, new) and not is_latest(connection, earlier)
    assert [one.id for one in list_inspections(connection, layer_id=NODES.id, feature="n2")] == [earlier.id, new.id]
    assert [one.id for one in list_inspections(connection, worst=4)] == [new.id]
    assert list_inspections(connection, worst=4)[0].observations == [{"code": "BAB"}]
    due = list_due(connection, NODES, on=today)
    assert [one.feature for one in due] == ["n3", "n1"]
    assert due[1].last == old.inspected
    with pytest.raises(NotFoundError, match="nowhere"):
        record_inspection(connection, NODES, "nowhere", NewInspection(today, "x", "visual", 1), author="a")


def test_a_work_order_lives_and_remembers(connection: Connection) -> None:
    add_nodes(connection)
    new = NewWorkOrder("Thay nắp hố ga", "repair", [Reference(NODES.id, "n1"), Reference(NODES.id, "n3")])
    order = open_work_order(connection, new, author="a", reason="dân báo")
    assert order.status == "open" and order.version == 1 and len(order.features) == 2
    assert order.position == pytest.approx((105.7319, 10.0213), abs=0.01)
    with pytest.raises(ConflictError, match="cannot become done"):
        move_work_order(connection, order.id, "done", author="a")
    with pytest.raises(ConflictError, match="nobody"):
        move_work_order(connection, order.id, "assigned", author="a")
    moved = move_work_order(connection, order.id, "assigned", author="b", assignee="Đội 3", version=1)
    with pytest.raises(PreconditionError):
        change_work_order(connection, order.id, {"priority": "urgent"}, author="c", version=1)
    changed = change_work_order(
        connection, order.id, {"priority": "urgent", "due": date(2020, 1, 1)}, author="c", version=moved.version
    )
    assert changed.overdue and [one.id for one in list_work_orders(connection, overdue=True)] == [order.id]
    for status in ("done", "verified"):
        move_work_order(connection, order.id, status, author="d", reason="xong")
    assert read_work_order(connection, order.id).status == "verified"
    steps = [(one.author, one.status_before, one.status_after) for one in list_events(connection, order.id)]
    assert steps == [
        ("a", None, "open"),
        ("b", "open", "assigned"),
        ("c", "assigned", "assigned"),
        ("d", "assigned", "done"),
        ("d", "done", "verified"),
    ]
    assert list_events(connection, order.id)[2].changes == {"priority": "urgent", "due": "2020-01-01"}
    assert list_work_orders(connection, bounds=(105.0, 9.0, 106.0, 11.0), status=["verified"])[0].id == order.id
    assert list_work_orders(connection, bounds=(100.0, 9.0, 101.0, 11.0)) == []
    assert list_work_orders(connection, layer_id=NODES.id, feature="n2") == []


def test_an_order_needs_a_place(connection: Connection) -> None:
    with pytest.raises(InputError, match="position"):
        open_work_order(connection, NewWorkOrder("Ở đâu?", "other"), author="a")
    assert open_work_order(connection, NewWorkOrder("Ở đây", "other", position=(105.7, 10.0)), author="a").id
    with pytest.raises(NotFoundError, match="nowhere"):
        lost = NewWorkOrder("Của ai?", "other", [Reference(NODES.id, "nowhere")], position=(105.7, 10.0))
        open_work_order(connection, lost, author="a")


def test_of_two_moves_at_once_one_wins(engine: Engine) -> None:
    with engine.begin() as connection:
        new = NewWorkOrder("Nạo vét", "clean", assignee="Đội 1", position=(105.7, 10.0))
        order = open_work_order(connection, new, author="a")
    outcomes: list[str] = []

    def move() -> None:
        try:
            with engine.begin() as own:
                move_work_order(own, order.id, "done", author="b")
            outcomes.append("done")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "done"]
