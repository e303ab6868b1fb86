"""Inputs are checked once, described for every door, and a wrong one is named."""

import pytest

from layers.errors import InputError, NotFoundError
from layers.registry import LAYERS
from twin.process import describe_inputs, parse_inputs, parse_words
from twin.registry import PROCESSES, read_process

SCENARIO = PROCESSES["flood-scenario"]


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_every_input_is_described(process) -> None:
    described = describe_inputs(process)
    assert set(described) == set(process.inputs.model_fields)
    for name, entry in described.items():
        assert entry["title"] and entry["title_i18n"]["vi"] and entry["description"], name
        schema = entry["schema"]
        for kind in schema.get("anyOf", [schema]):
            assert kind.get("type") in ("number", "integer", "boolean", "string", "array", "object"), (name, schema)
        assert "$ref" not in str(schema) and "null" not in str(schema)
        if schema.get("type") in ("number", "integer"):
            assert schema["x-unit"] and "maximum" in schema, name
    assert set(process.outputs) <= set(LAYERS)


def test_the_defaults_are_valid_and_what_is_required_is_named() -> None:
    for process in PROCESSES.values():
        required = [name for name, entry in describe_inputs(process).items() if entry["minOccurs"]]
        if required:
            with pytest.raises(InputError, match=f"input '{required[0]}'.*required"):
                parse_inputs(process, {})
        else:
            assert parse_inputs(process, {})


def test_description_of_one_input() -> None:
    assert describe_inputs(SCENARIO)["stage_offset"] == {
        "title": "Stage offset",
        "title_i18n": {"vi": "Nước dâng thêm", "en": "Stage offset"},
        "description": "Added to the forecast stage.",
        "description_i18n": {"vi": "Cộng vào mực nước dự báo.", "en": "Added to the forecast stage."},
        "schema": {"type": "number", "default": 0.0, "minimum": -5.0, "maximum": 5.0, "x-unit": "m"},
        "minOccurs": 0,
        "maxOccurs": 1,
    }
    breach = describe_inputs(SCENARIO)["breaches"]["schema"]["items"]["properties"]
    assert breach["width"]["exclusiveMinimum"] == 0.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": 1}, "process 'flood-scenario' has no input 'colour'"),
        ({"cell_size": 1}, "input 'cell_size' of process 'flood-scenario': Input should be greater than or equal to 5"),
        ({"cell_size": "x"}, "input 'cell_size'.*found 'x'"),
        ({"storm_depth": float("nan")}, "input 'storm_depth'"),
        ({"stage_level": 2.0, "stage_offset": 0.1}, "exclude each other"),
        ({"breaches": [{"width": 10}]}, r"input 'breaches.0'.*needs dyke_id, or lon and lat"),
    ],
)
def test_a_wrong_input_is_named(values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse_inputs(SCENARIO, values)
    assert "\n" not in str(caught.value)


def test_words_of_the_command_line() -> None:
    values = parse_words(SCENARIO, ["stage_offset=0.2", "gates_closed=G1, G2", 'breaches=[{"dyke_id": "D1"}]'])
    inputs = parse_inputs(SCENARIO, values)
    assert (inputs.stage_offset, inputs.gates_closed, inputs.breaches[0].dyke_id) == (0.2, ("G1", "G2"), "D1")
    with pytest.raises(InputError, match="not of the form name=value"):
        parse_words(SCENARIO, ["stage_offset"])
    with pytest.raises(InputError, match="input 'breaches' is not JSON"):
        parse_words(SCENARIO, ["breaches=[{"])


def test_an_unknown_process_names_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="flood-forecast, flood-scenario, flood-ensemble, flood-compare"):
        read_process("traffic")
