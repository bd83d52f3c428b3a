"""The nodes of a project: a model with its config, what it reads and what it publishes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from seg_sql.algorithm import Algorithm, described
from seg_sql.config import (
    CONFIG_KEYS,
    INPUT_COLUMNS,
    ColumnEntry,
    ModelConfig,
)
from seg_sql.errors import ConfigError, ParseError, did_you_mean, nearest
from seg_sql.project import Model, Project
from seg_sql.select import Selectable
from seg_sql.yaml_files import YamlFile, validate

Config = TypeVar("Config", bound=BaseModel)


@dataclass(frozen=True)
class Node:
    """A model with its config and what it reads."""

    model: Model
    config: ModelConfig
    refs: tuple[str, ...]
    inputs: tuple[str, ...]
    algorithm: Algorithm | None = None
    options: BaseModel | None = None

    @cached_property
    def outputs(self) -> Mapping[str, Model]:
        """Return what it publishes, by the part of the name after the model's own.

        A plain model publishes itself. What an algorithm's outputs hold is said by the
        schema.yml of the algorithm; that of the model adds to its first output.
        """
        if self.algorithm is None:
            return {"": self.model}
        return {
            output: described_output(self, self.algorithm, output)
            for output in self.algorithm.outputs
        }

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.model.name

    @property
    def kind(self) -> str:
        """Return what it is built as: table, view, ephemeral, seed, or an algorithm."""
        return "seed" if self.model.resource == "seed" else self.config.materialized

    @property
    def builds(self) -> bool:
        """Return whether it becomes a relation."""
        return self.kind != "ephemeral"

    @property
    def slices(self) -> Mapping[str, Any]:
        """Return how its table is filled in slices (`seg_sql.slices`); empty where it is not."""
        slices: Mapping[str, Any] = self.config.meta.get("slices", {})
        return slices

    @property
    def in_place(self) -> bool:
        """Return whether a fit reads its SELECT as a view, and not a copy of its rows."""
        return bool(self.config.meta.get("in_place"))

    @property
    def is_long(self) -> bool:
        """Return whether `retry` can go on in the middle of it."""
        return self.algorithm is not None or bool(self.slices)

    @property
    def needs(self) -> Mapping[str, list[str]]:
        """Return the columns of each input that it cannot do without."""
        needs: Mapping[str, list[str]] = self.config.meta.get("needs", {})
        return needs


def described_output(node: Node, algorithm: Algorithm, output: str) -> Model:
    """Return an output of an algorithm model as a model: its name, columns and tests."""
    schema, document = described(f"algorithms/{algorithm.name}")
    wanted = output or "model"
    index = next(i for i, entry in enumerate(schema.models) if entry.name == wanted)
    entry = schema.models[index]
    name = f"{node.name}_{output}" if output else node.name
    changed: dict[str, Any] = {"name": name}
    if not output:
        own = node.model.entry
        changed["description"] = own.description or entry.description
        changed["data_tests"] = [*entry.data_tests, *own.data_tests]
        if algorithm.keyed:
            changed["columns"] = _with_key(entry.columns, node.config.unique_key)
    return replace(
        node.model,
        name=name,
        entry=entry.model_copy(update=changed),
        entry_where=document.where("models", index),
    )


def _with_key(columns: Sequence[ColumnEntry], key: Sequence[str]) -> list[ColumnEntry]:
    """Let the columns of an assignment be about the model's own key instead of customers."""
    if list(key) == ["customer_id"]:
        return list(columns)
    tests: list[str | dict[str, Any]] = ["not_null", *(["unique"] if len(key) == 1 else [])]
    own = [
        ColumnEntry(name=name, data_type="id", description="The key.", data_tests=tests)
        for name in key
    ]
    return [*own, *(column for column in columns if column.name != "customer_id")]


def leave_out_readers(nodes: dict[str, Node], models: Set[str]) -> None:
    """Leave out the packaged models that read one which is switched off."""
    off = models - nodes.keys()
    while off:
        off = {
            name
            for name, node in nodes.items()
            if node.model.packaged and not off.isdisjoint(node.refs)
        }
        for name in off:
            del nodes[name]


def owners_of(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Return the node of each published name: a model's own, and its algorithm's outputs."""
    owners = {name: name for name in nodes}
    for node in nodes.values():
        for output in node.outputs.values():
            other = owners.setdefault(output.name, node.name)
            if other != node.name:
                raise ParseError(
                    f"{node.name} publishes {output.name} as well, which is a model of its own.",
                    where=node.model.shown,
                    hint="Rename one of the two models.",
                )
    return owners


def check_reads(nodes: Mapping[str, Node], project: Project, owners: Mapping[str, str]) -> None:
    """Raise an error for a model or input that is read and is not there, and for a misspelt input.

    Args:
        nodes: The enabled models.
        project: What they are models of.
        owners: The node of each published name.
    """
    given = project.config.inputs
    for node in nodes.values():
        for name in node.refs:
            if name not in project.models and name not in owners:
                raise ParseError(
                    f"{node.name} reads '{name}', which is no model.",
                    where=_line_of(node.model, name),
                    hint=did_you_mean(name, [*project.models, *owners]),
                )
            if owners.get(name, name) not in nodes:
                raise ParseError(
                    f"{node.name} reads '{name}', which is not enabled.",
                    where=_line_of(node.model, name),
                )
    for node in nodes.values():
        for name in node.inputs:
            # A packaged model says itself what it needs (`unmapped`).
            if not node.model.packaged and name not in given:
                raise ParseError(
                    f"{node.name} reads the input '{name}', which is not in seg_sql.yml.",
                    where=_line_of(node.model, name, call="input("),
                    hint=did_you_mean(name, given),
                )
    for name in given.keys() - {name for node in nodes.values() for name in node.inputs}:
        match = nearest(name, INPUT_COLUMNS)
        if match is not None and match not in given:
            raise ConfigError(
                f"No model reads the input '{name}'.",
                where=project.document.where("inputs", name),
                hint=f"Did you mean '{match}'?",
            )


def given_config(model: Model, *levels: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model's schema.yml says and then what each level does, the nearest last.

    A key of a nearer level replaces the key; its meta adds to the meta before it, as in dbt.
    """
    given = dict(model.entry.config)
    metas = [model.entry.meta, given.get("meta", {})]
    for level in levels:
        given.update(level)
        metas.append(level.get("meta", {}))
    if any(metas) and all(isinstance(meta, Mapping) for meta in metas):
        given["meta"] = {key: value for meta in metas for key, value in meta.items()}
    return given


def validate_config(
    given: Mapping[str, Any],
    model: Model,
    *,
    kind: type[Config] = ModelConfig,  # type: ignore[assignment]
    also: Iterable[str] = (),
    in_project: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Check what a model's config() says against dbt's keys, or an algorithm's options.

    `also` are keys that may stand beside; `in_project` is where seg_sql.yml gives a key.
    """
    # The config may come from the template: errors name it, not a line of YAML.
    document = YamlFile(model.path, "")
    try:
        return validate(kind, dict(given), document, also=also)
    except ConfigError as error:
        error.where = model.shown
        quoted = re.search(r"'(\w+)", error.message)
        if quoted and quoted[1] in in_project:
            error.where = in_project[quoted[1]]
            raise
        for number, line in enumerate(model.text.splitlines(), 1):
            if quoted and re.search(rf"\b{quoted[1]}\b['\"]?\s*[=:]", line):
                error.where = f"{model.shown}:{number}"
                break
        raise


def algorithm_options(
    algorithm: Algorithm, model: Model, own: Mapping[str, Any], project: Project
) -> BaseModel:
    """Check an algorithm's options; those of seg_sql.yml win over the model's own."""
    in_project = {
        key: value
        for key, value in project.config.models.get(model.name, {}).items()
        if key not in CONFIG_KEYS
    }
    if in_project:
        return validate(
            algorithm.options,
            {**own, **in_project},
            project.document,
            prefix=("models", model.name),
            also=ModelConfig.model_fields,
        )
    return validate_config(own, model, kind=algorithm.options, also=ModelConfig.model_fields)


def selectable(node: Node) -> Selectable:
    """Return what the selection grammar asks of a node."""
    return Selectable(
        name=node.name,
        resource_type=node.model.resource,
        path=node.model.shown,
        tags=frozenset({*node.config.tags, node.model.area}),
        materialized=node.kind,
        outputs=frozenset(output.name for output in node.outputs.values()),
    )


def _line_of(model: Model, name: str, *, call: str = "ref(") -> str:
    for number, line in enumerate(model.text.splitlines(), 1):
        if call in line and name in line:
            return f"{model.shown}:{number}"
    return model.shown
