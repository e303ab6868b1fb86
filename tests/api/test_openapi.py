"""The description: complete, valid where it can be checked here, and true of what is answered."""

import re
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from api.app import create_app
from api.description.answers import ANSWERS
from api.description.bare import BARE, BODIES, COVERED, HEADERS
from api.description.tags import TAGS
from api.links import Links
from api.openapi import build_openapi, build_openapi_31, list_bare
from tests.api.conftest import TREE_TILE

METHODS = {"get", "post", "put", "patch", "delete", "options", "head"}
WITH_BODY = {"post", "put", "patch"}
# What is sent without a body: it is all in the address.
BODILESS = {
    "POST /api/edits/{edit_id}/revert", "POST /cap/alerts/{identifier}/cancel", "POST /cap/drafts/{draft}/discard",
    "POST /cap/outbox/{delivery}/retry", "POST /auth/sign-out", "POST /auth/code",
    "POST /auth/accounts/{name}/reset-code",
}  # fmt: skip


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app()


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return build_openapi_31(app, Links("http://test"))


def list_operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "servers"
    }


@pytest.mark.conformance("ogcapi-common-1/1.0/conf/oas30", "ogcapi-features-1/1.0/conf/oas30")
def test_both_versions_are_served_under_their_media_types(client: TestClient) -> None:
    older = client.get("/api/openapi")
    assert older.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert older.json()["openapi"] == "3.0.3"
    asked = {"accept": "application/vnd.oai.openapi+json;version=3.1"}
    for newer in (client.get("/api/openapi?f=3.1"), client.get("/api/openapi", headers=asked)):
        assert newer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.1"
        assert newer.json()["openapi"] == "3.1.0"
    page = client.get("/api/openapi?f=html")
    assert page.headers["content-type"].startswith("text/html")
    assert client.get("/api/openapi?f=2.0").status_code == 400
    assert set(older.json()["paths"]) == set(client.get("/api/openapi?f=3.1").json()["paths"])


def test_every_route_is_described(app: FastAPI, document: dict[str, Any]) -> None:
    operations = list_operations(document)
    assert list_bare(app) <= set(BARE), "describe it in api/description/bare.py"
    assert set(BARE) <= set(operations)
    assert set(COVERED.values()) <= set(operations)
    for table in (ANSWERS, BODIES, HEADERS):
        assert set(table) <= set(operations), "the table names an operation that is gone"


def test_every_operation_is_complete(document: dict[str, Any]) -> None:
    operations = list_operations(document)
    ids = Counter(operation["operationId"] for operation in operations.values())
    assert max(ids.values()) == 1
    described = {tag["name"] for tag in document["tags"]}
    for key, operation in operations.items():
        method, _, path = key.partition(" ")
        assert method.lower() in METHODS
        assert operation["summary"], key
        assert set(operation["tags"]) <= described, key
        assert set(operation["tags"]) <= set(TAGS), f"{key}: describe its tag in api/description/tags.py"
        named = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
        assert sorted(named) == sorted(re.findall(r"{(\w+)", path)), key
        for parameter in operation.get("parameters", []):
            assert {"name", "in", "schema"} <= set(parameter), key
        good = {code: answer for code, answer in operation["responses"].items() if code.startswith(("2", "303"))}
        assert good, key
        assert "422" not in operation["responses"] or "{row}/mend" in key, key
        for code, answer in good.items():
            assert answer["description"], key
            for kind, said in answer.get("content", {}).items():
                assert said["schema"], f"{key} {code} {kind}"
        if method.lower() in WITH_BODY and key not in BODILESS:
            assert operation.get("requestBody", {}).get("content"), f"{key} has no body"


def test_references_lead_to_schemas(app: FastAPI, document: dict[str, Any]) -> None:
    for each in (document, build_openapi(app, Links("http://test"))):
        schemas = each["components"]["schemas"]
        for reference in re.findall(r"'\$ref': '#/components/schemas/([^']+)'", repr(each)):
            assert reference in schemas
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.conformance("ogcapi-tiles-1/1.0/conf/oas30")
def test_tiles_have_the_operation_ids_of_the_standard(document: dict[str, Any]) -> None:
    ids = {key: operation["operationId"] for key, operation in list_operations(document).items()}
    for key, said in ids.items():
        if key.startswith("GET /api/collections/{collection_id}/tiles"):
            assert said.startswith(".collection.vector.getTile"), key
        if key.startswith("GET /api/tiles"):
            assert said.startswith(".dataset.vector.getTile"), key


def name_examples(client: TestClient) -> dict[str, str]:
    """Return a value for each path parameter of the addresses that are asked below."""
    runs = client.get("/api/runs").json()["runs"]
    done = next(run["id"] for run in runs if run["status"] == "successful")
    z, x, y = TREE_TILE.split("/")
    return {
        "collection_id": "trees", "feature_id": "t00001", "tile_matrix_set": "WebMercatorQuad", "ids": "trees",
        "style_id": "light", "raster_id": "terrain", "process_id": "flood-forecast", "job_id": done, "run_id": done,
        "z": z, "x": x, "y": y, "datastream_id": "S-1.stage",
    }  # fmt: skip


# What answers for ever, asks for more than an address, or for things the small city has not.
LEFT_OUT = {
    "/sensors/events",
    "/indicators/events",
    "/tiles/raster/{raster_id}/point",
    "/tiles/raster/{raster_id}/profile",
    # Of somebody who signed in.
    "/auth/sessions",
}


@pytest.mark.conformance("ogcapi-common-1/1.0/conf/oas30")
def test_answers_are_what_the_description_says(client: TestClient, document: dict[str, Any]) -> None:
    examples, asked, wrong = name_examples(client), 0, []
    for path, operations in document["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        needs = [each for each in operations.get("get", {}).get("parameters", ()) if each["in"] == "query"]
        if "get" not in operations or path in LEFT_OUT or not set(names) <= set(examples):
            continue
        if any(each.get("required") for each in needs):
            continue
        answer = client.get(path.format(**{name: examples[name] for name in names}))
        if answer.status_code == 404:
            continue
        asked += 1
        wrong += [f"{path}: {words}" for words in compare(answer, operations["get"]["responses"], document)]
    assert not wrong, "\n".join(wrong)
    assert asked > 60


def compare(answer: httpx.Response, said: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """Return what of an answer is not as the description says."""
    if str(answer.status_code) not in said:
        return [f"{answer.status_code} {answer.text[:200]}"]
    content = said[str(answer.status_code)].get("content", {})
    if not content:
        return ["a body"] if answer.content else []
    kind = answer.headers["content-type"]
    found = next((each for each in content if each in (kind, kind.partition(";")[0])), None)
    if found is None:
        return [f"answers {kind}, described are {list(content)}"]
    if "json" not in kind:
        return []
    schema = {**content[found]["schema"], "components": document["components"]}
    return [error.message[:300] for error in Draft202012Validator(schema).iter_errors(answer.json())]
