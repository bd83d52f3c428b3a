"""The JSON Schema of seg_sql.yml, by which an editor completes and checks it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from seg_sql import resources
from seg_sql.algorithm import load
from seg_sql.config import INPUT_COLUMNS, ModelConfig, ProjectConfig
from seg_sql.options import MODEL_OPTIONS, ProjectVars
from seg_sql.project import algorithm_of

Schema = dict[str, Any]


def project_schema() -> Schema:
    """Return the schema: the keys, the packaged models with their options, the variables."""
    definitions: Schema = {}
    root = _schema_of(ProjectConfig, definitions)
    properties = root["properties"]
    given = properties["inputs"].pop("additionalProperties")
    one_source = {"oneOf": [{"required": [key]} for key in ("relation", "path", "query")]}
    entry = {"allOf": [given, one_source]}
    properties["inputs"] |= {
        "properties": {name: _input(entry, name) for name in INPUT_COLUMNS},
        "additionalProperties": entry,
    }
    properties["vars"] = _schema_of(ProjectVars, definitions)
    properties["vars"]["additionalProperties"] = True
    properties["models"] |= {
        "properties": {
            name: _model(kinds, definitions) for name, kinds in sorted(_packaged().items())
        },
        "additionalProperties": {"type": "object"},
    }
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **root,
        "title": "seg_sql.yml",
        "$defs": definitions,
    }


def _input(entry: Schema, name: str) -> Schema:
    """Return the schema of an input that seg-sql knows: its columns have names of ours."""
    columns = {"propertyNames": {"enum": list(INPUT_COLUMNS[name])}}
    return {"allOf": [*entry["allOf"], {"properties": {"columns": columns}}]}


def _packaged() -> dict[str, list[type[BaseModel]]]:
    """Return what each packaged model takes under `models:`."""
    found: dict[str, list[type[BaseModel]]] = {}
    for path in sorted((resources.SQL / "models").rglob("*.sql")):
        algorithm = algorithm_of(path.read_text("utf-8"))
        own = MODEL_OPTIONS.get(path.stem)
        options = own if algorithm is None else load(algorithm).options
        found[path.stem] = [ModelConfig, *([] if options is None else [options])]
    for path in sorted((resources.SQL / "seeds").glob("*.csv")):
        found[path.stem] = [ModelConfig]
    return found


def _model(kinds: list[type[BaseModel]], definitions: Schema) -> Schema:
    properties: Schema = {}
    for kind in kinds:
        properties |= _schema_of(kind, definitions)["properties"]
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _schema_of(kind: type[BaseModel], definitions: Schema) -> Schema:
    """Return the schema of a pydantic model; what it refers to is added to the definitions.

    A validator that comes first may take what the type does not, as one number for all measures.
    """
    schema = kind.model_json_schema(ref_template="#/$defs/{model}")
    for name, nested in schema.pop("$defs", {}).items():
        definitions.setdefault(name, nested)
    decorators = kind.__pydantic_decorators__.field_validators.values()
    for decorator in (each.info for each in decorators if each.info.mode == "before"):
        for name in decorator.fields:
            strict = schema["properties"].get(name)
            if strict is not None and strict.get("type") != "string":
                said = {key: strict[key] for key in ("description", "default") if key in strict}
                shape = {key: value for key, value in strict.items() if key not in said}
                scalar = {"type": ["integer", "number", "string"]}
                schema["properties"][name] = {**said, "anyOf": [shape, scalar]}
    return schema
