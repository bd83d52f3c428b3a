"""seg_sql.yml and schema.yml as typed values; an unknown key is an error with its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seg_sql import resources
from seg_sql.errors import ConfigError, did_you_mean, nearest
from seg_sql.options import MODEL_OPTIONS, ProjectVars
from seg_sql.yaml_files import YamlFile, validate

PROJECT_FILE = "seg_sql.yml"

ColumnType = Literal["id", "number", "text", "timestamp", "date", "boolean"]

# The columns that seg-sql knows of each input, and what they are.
INPUT_COLUMNS: dict[str, dict[str, ColumnType]] = {
    "order_lines": {
        "customer_id": "id",
        "order_id": "id",
        "ordered_at": "timestamp",
        "item_id": "id",
        "quantity": "number",
        "unit_price": "number",
        "amount": "number",
        "line_id": "id",
    },
    "customers": {"customer_id": "id", "first_order_date": "date"},
    "items": {
        "item_id": "id",
        "name": "text",
        "category": "text",
        "is_product": "boolean",
        "recommendable": "boolean",
    },
    "customer_map": {"customer_id": "id", "merged_into": "id"},
}


class InputConfig(BaseModel):
    """A raw table or file and the columns that seg-sql takes from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    relation: str | None = Field(default=None, description="schema.table, as the database knows.")
    path: str | None = Field(default=None, description="CSV or Parquet file or glob (DuckDB).")
    query: str | None = Field(default=None, description="A SELECT in place of a relation.")
    columns: dict[str, str] = Field(default_factory=dict)
    where: str | None = Field(default=None, description="A SQL condition on the raw columns.")
    attributes: list[str] = Field(default_factory=list)
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"
    decimal_comma: bool = False
    anonymous_ids: list[str | int] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_source(self) -> InputConfig:
        if sum(given is not None for given in (self.relation, self.path, self.query)) != 1:
            raise ValueError("give either 'relation' (a table) or 'path' (a file), or 'query'")
        return self

    @field_validator("attributes")
    @classmethod
    def _once(cls, value: list[str]) -> list[str]:
        folded = [name.lower() for name in value]
        for name in folded:
            if folded.count(name) > 1:
                raise ValueError(f"the attribute '{name}' is given twice")
        return value


class ProjectConfig(BaseModel):
    """The content of seg_sql.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    profile: str | None = None
    prefix: str = Field(default="", pattern=r"^([a-z][a-z0-9_]{0,19})?$")
    publish: Literal["each", "together", "copy"] = "each"
    inputs: dict[str, InputConfig] = Field(default_factory=dict)
    vars: dict[str, Any] = Field(default_factory=dict)
    grants: dict[str, list[str]] = Field(default_factory=dict)
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @field_validator("name", mode="before")
    @classmethod
    def _plain_name(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.replace("_", "").isalnum():
            raise ValueError("write lower-case letters, digits and _")
        return value


def load_project_config(project_dir: Path) -> tuple[ProjectConfig, YamlFile]:
    """Read seg_sql.yml and check each key."""
    path = project_dir / PROJECT_FILE
    if not path.is_file():
        raise ConfigError(
            f"There is no {PROJECT_FILE} here.",
            where=str(project_dir),
            hint="Write one with `seg-sql init --from orders.csv`, or try `seg-sql demo`.",
        )
    document = YamlFile.read(path)
    if not isinstance(document.data, Mapping):
        raise ConfigError("The file is empty, or not a mapping.", where=str(path))
    config = validate(ProjectConfig, document.data, document)
    for name, entry in config.inputs.items():
        _check_columns(name, entry, document)
    return config, document


def _check_columns(name: str, entry: InputConfig, document: YamlFile) -> None:
    known = INPUT_COLUMNS.get(name)
    for column in entry.columns:
        if known is not None and column not in known:
            raise ConfigError(
                f"The input {name} has no column '{column}' to map.",
                where=document.where("inputs", name, "columns", column),
                hint=did_you_mean(column, known),
            )
    if name == "order_lines" and entry.columns:
        given = set(entry.columns)
        if "amount" in given and {"quantity", "unit_price"} <= given:
            raise ConfigError(
                "Map either amount, or quantity and unit_price: with all three it is not clear"
                " which is the money.",
                where=document.where("inputs", name, "columns", "amount"),
                hint="Leave out amount to take quantity x unit_price, or leave out unit_price.",
            )
    for attribute in entry.attributes:
        if attribute.lower() in (known or {}):
            raise ConfigError(
                f"The attribute '{attribute}' has the name of a column of {name}.",
                where=document.where("inputs", name, "attributes"),
            )


def project_vars(
    config: ProjectConfig, document: YamlFile, given: Mapping[str, Any]
) -> ProjectVars:
    """Return the variables: those of --vars before those of seg_sql.yml before the defaults."""
    values = validate(ProjectVars, config.vars, document, prefix=("vars",))
    if not given:
        return values
    return validate(ProjectVars, {**config.vars, **given}, YamlFile(Path("--vars"), ""))


def model_options(name: str, config: ProjectConfig, document: YamlFile) -> BaseModel:
    """Return the options of a packaged model that has some, with its defaults filled in."""
    kind = MODEL_OPTIONS[name]
    given = {
        key: value for key, value in config.models.get(name, {}).items() if key not in CONFIG_KEYS
    }
    return validate(kind, given, document, prefix=("models", name))


MATERIALIZATIONS = ("table", "view", "incremental", "history", "ephemeral", "seed")


def algorithm_names() -> list[str]:
    """Return the algorithms that a model can be materialized by: the folders of sql/algorithms."""
    return sorted(path.name for path in (resources.SQL / "algorithms").iterdir() if path.is_dir())


class ModelConfig(BaseModel):
    """The config of a model: dbt's own keys, and the algorithms beside its materializations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    materialized: str = "table"
    enabled: bool = True
    tags: list[str] = Field(default_factory=list)
    unique_key: list[str] = Field(default_factory=list)
    grants: dict[str, list[str]] = Field(default_factory=dict)
    indexes: list[list[str]] = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)

    @field_validator("materialized")
    @classmethod
    def _known(cls, value: str) -> str:
        known = [*MATERIALIZATIONS, *algorithm_names()]
        if value not in known:
            match = nearest(value, known)
            raise ValueError(
                f"'{value}' is none of {', '.join(known)}"
                + (f"; did you mean '{match}'?" if match else "")
            )
        return value

    @field_validator("tags", "unique_key", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("indexes", mode="before")
    @classmethod
    def _dbt_indexes(cls, value: Any) -> Any:
        """Accept dbt's `{columns: [...]}` for an index beside a plain list."""
        if not isinstance(value, list):
            return value
        return [item.get("columns") if isinstance(item, Mapping) else item for item in value]

    @model_validator(mode="after")
    def _keyed(self) -> ModelConfig:
        if self.materialized == "incremental" and not self.unique_key:
            raise ValueError(
                "materialized='incremental' needs a unique_key: rows with an equal key replace"
                " those of the table"
            )
        return self


CONFIG_KEYS = frozenset(ModelConfig.model_fields)


class ColumnEntry(BaseModel):
    """A column in schema.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    description: str = ""
    data_type: str = ""
    data_tests: list[str | dict[str, Any]] = Field(default_factory=list)
    meta: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _old_name(cls, data: Any) -> Any:
        return _tests_key(data)


class ModelEntry(BaseModel):
    """A model or seed in schema.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    description: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    meta: dict[str, Any] = Field(default_factory=dict)
    columns: list[ColumnEntry] = Field(default_factory=list)
    data_tests: list[str | dict[str, Any]] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _old_name(cls, data: Any) -> Any:
        return _tests_key(data)


def _tests_key(data: Any) -> Any:
    """Accept `tests`, which dbt called data_tests before 1.8."""
    if isinstance(data, dict) and "tests" in data and "data_tests" not in data:
        data = dict(data)
        data["data_tests"] = data.pop("tests")
    return data


class UnitRows(BaseModel):
    """The rows that a unit test expects: written out, or in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["dict", "csv"] = "dict"
    rows: list[dict[str, Any]] | str = Field(default_factory=list)
    fixture: str | None = None


class UnitGiven(UnitRows):
    """The rows that a unit test puts in the place of one ref() or input()."""

    input: str


class UnitOverrides(BaseModel):
    """Variables and options that a unit test pins."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    vars: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)


class UnitTestEntry(BaseModel):
    """A unit test in schema.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    model: str
    description: str = ""
    given: list[UnitGiven] = Field(default_factory=list)
    overrides: UnitOverrides = UnitOverrides()
    expect: UnitRows
    tolerance: float = Field(default=1e-9, ge=0)


class SchemaFile(BaseModel):
    """The content of a schema.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: int = 2
    models: list[ModelEntry] = Field(default_factory=list)
    seeds: list[ModelEntry] = Field(default_factory=list)
    unit_tests: list[UnitTestEntry] = Field(default_factory=list)


def load_schema_file(path: Path) -> tuple[SchemaFile, YamlFile]:
    """Read a schema.yml and check each key."""
    document = YamlFile.read(path)
    return validate(SchemaFile, document.data or {}, document), document
