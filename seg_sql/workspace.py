"""A project together with a database: which models there are, and what each is as SQL."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from seg_sql import inputs as inputs_
from seg_sql.algorithm import load
from seg_sql.config import CONFIG_KEYS, ModelConfig, algorithm_names
from seg_sql.engines import Engine
from seg_sql.errors import ConfigError, DatabaseError, ParseError, did_you_mean
from seg_sql.graph import Graph
from seg_sql.inputs import Input, Limits
from seg_sql.nodes import (
    Node,
    algorithm_options,
    check_reads,
    given_config,
    leave_out_readers,
    owners_of,
    selectable,
    validate_config,
)
from seg_sql.project import Model, Project, missing_columns
from seg_sql.render import READS_VAR, Rendered, Renderer
from seg_sql.select import Selectable

# Stands for as_of while the graph is found, before the last order line is known.
_SOME_DAY = "1970-01-01"


@dataclass
class Workspace:
    """What a run works with.

    Attributes:
        project: The project.
        connection: To the database; None where none is at hand, as for `ls`.
        limits: How much of each input is read.
        hidden: The work relation that stands for a model which is built but not yet published.
        broken: Rows that the reader of an input refused, by input.
        kept_fits: The models whose published fit is used again in this run.
        growing: The incremental models whose published table gets new rows in this run.
        looks_at_inputs: Whether inputs have to be there; what is published is read without them.
        day_of_retry: The as_of of the run that is done again, where it was not given.
    """

    project: Project
    connection: Engine | None
    dialect: str = "duckdb"
    schema: str = "seg_sql"
    target_name: str = "dev"
    limits: Limits = field(default_factory=Limits)
    hidden: dict[str, str] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    kept_fits: set[str] = field(default_factory=set)
    growing: set[str] = field(default_factory=set)
    looks_at_inputs: bool = True
    day_of_retry: str | None = None
    _inputs: dict[str, Input] = field(default_factory=dict)
    _found: dict[str, Node | None] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """Return the connection where there has to be one."""
        assert self.connection is not None
        return self.connection

    @cached_property
    def renderer(self) -> Renderer:
        """Return the renderer of this project's templates."""
        return Renderer(
            self.project,
            self.dialect,
            target={"name": self.target_name, "schema": self.schema, "type": self.dialect},
            context={
                "input_has": self.input_has,
                "input_attributes": self.input_attributes,
                "input_is_file": self.input_is_file,
                "has_model": self.has_model,
                "broken_rows": lambda name: self.broken.get(name, 0),
                "keeps_fit": lambda name: name in self.kept_fits,
                "source": self.source,
                "is_incremental": lambda: False,
                "is_enabled": self._is_enabled,
                "written_with": None,
                "moves_from": None,
                "moves_to": None,
            },
        )

    def before_reading(self) -> AbstractContextManager[None]:
        """Let templates be rendered before the last order line, and so as_of, is known."""
        day = self.renderer.variable("as_of") or _SOME_DAY
        return self.renderer.variables({"as_of": day, "as_of_reason": ""})

    def input(self, name: str) -> Input:
        """Return an input, looked up in the database once."""
        if name not in self._inputs:
            if self.connection is None:
                raise ConfigError(f"The input {name} is only known with a connection.")
            self._inputs[name] = inputs_.resolve(
                name, self.project, self.engine, self.renderer, self.limits
            )
        return self._inputs[name]

    def input_has(self, name: str, column: str | None = None) -> bool:
        """Return whether an input, or a column of it, is mapped."""
        if name not in self.project.config.inputs:
            return False
        return column is None or column in self.mapped[name]

    def input_attributes(self, name: str) -> list[str]:
        """Return the carried columns of an input, as quoted identifiers."""
        entry = self.project.config.inputs.get(name)
        if entry is None or not entry.attributes:
            return []
        if self.connection is None or not self.looks_at_inputs:
            return [f'"{attribute}"' for attribute in entry.attributes]
        return list(self.input(name).attributes)

    def attribute_types(self, model: str) -> dict[str, str]:
        """Return the attributes that a model may carry, with their types in the input."""
        text, found = self.project.models[model].text, {}
        for name, entry in self.project.config.inputs.items():
            if entry.attributes and f"input_attributes('{name}')" in text:
                found.update(dict.fromkeys(entry.attributes, "text"))
                if self.connection is not None:
                    known = self.engine.describe(self.input(name).sql)
                    found.update({c.name: c.type for c in known if c.name in found})
        return found

    def has_model(self, name: str) -> bool:
        """Return whether a model is part of this project and all that it reads can be built.

        So a packaged model may read another where it is there, and do without it elsewhere.
        """
        model = self.project.models.get(name)
        if model is None:
            # An output of an algorithm model stands for the model.
            return any(
                self.has_model(owner)
                for owner, each in self.project.models.items()
                if name.startswith(f"{owner}_")
                and name in (output.name for output in self._parsed(each).outputs.values())
            )
        node = self._parsed(model)
        return (
            node.config.enabled
            and not self._is_idle(node)
            and not missing_columns(node.needs, self.mapped)
            and all(self.has_model(ref) for ref in node.refs)
        )

    def input_is_file(self, name: str) -> bool:
        """Return whether an input is read from files."""
        entry = self.project.config.inputs.get(name)
        return entry is not None and entry.path is not None

    @cached_property
    def mapped(self) -> dict[str, set[str]]:
        """Return the mapped columns by input."""
        if self.connection is None or not self.looks_at_inputs:
            return inputs_.mapped_columns(self.project)
        return {name: set(self.input(name).columns) for name in self.project.config.inputs}

    def _is_enabled(self, name: str) -> bool:
        """Return whether the project has not switched a model off."""
        return bool(self.project.config.models.get(name, {}).get("enabled", True))

    def source(self, *names: str) -> str:
        """Return a relation outside the project, as `schema, table`."""
        return ".".join('"' + name.replace('"', '""') + '"' for name in names)

    def relation(self, name: str) -> str:
        """Return the relation that a model is read from now."""
        hidden = self.hidden.get(name)
        return self.qualified(hidden or self.project.relation_name(name))

    def published(self, name: str) -> str:
        """Return the relation that readers see of a model."""
        return self.qualified(self.project.relation_name(name))

    def by_hand(self, sql: str) -> str:
        """Return SQL that reads the published relations where it reads hidden ones."""
        for name, hidden in self.hidden.items():
            sql = sql.replace(self.qualified(hidden), self.published(name))
        return sql

    def unhide(self, error: DatabaseError) -> None:
        """Let an error show published relations where its statement reads hidden ones."""
        if error.sql is not None and error.position is not None:
            error.position = len(self.by_hand(error.sql[: error.position]))
        error.sql = None if error.sql is None else self.by_hand(error.sql)

    def qualified(self, relation: str) -> str:
        """Return the quoted, qualified name of a relation of the target schema."""
        if self.connection is not None:
            return self.connection.relation(relation)
        return self.source(self.schema, relation)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Return every enabled model that this project uses."""
        found: dict[str, Node] = {}
        with self.before_reading():
            for model in self.project.models.values():
                node = self._parsed(model)
                if node.config.enabled:
                    found[model.name] = node
        leave_out_readers(found, self.project.models.keys())
        # SQL models may read the options of an algorithm model, as those of a packaged SQL model.
        options = {name: node.options.model_dump() for name, node in found.items() if node.options}
        self.renderer.set_variables(options)
        with self.before_reading():
            for name, node in found.items():
                if not options.keys().isdisjoint(READS_VAR.findall(node.model.text)):
                    found[name] = self._parse(node.model)
        owners = owners_of(found)
        read = {owners.get(name, name) for node in found.values() for name in node.refs}
        check_reads(found, self.project, owners)
        # A packaged seed that no model reads is nobody's table.
        return {
            name: replace(node, refs=tuple(dict.fromkeys(owners[ref] for ref in node.refs)))
            for name, node in found.items()
            if not (node.model.packaged and node.model.resource == "seed" and name not in read)
            and not self._is_idle(node)
        }

    def _is_idle(self, node: Node) -> bool:
        """Return whether a packaged model is about an optional input that is not there."""
        about = node.config.meta.get("only_with")
        return about is not None and not self.input_has(about)

    def _parsed(self, model: Model) -> Node:
        """Return a model as a node, parsed once; one that asks for itself is an error."""
        if model.name not in self._found:
            self._found[model.name] = None
            with self.before_reading():
                self._found[model.name] = self._parse(model)
        node = self._found[model.name]
        if node is None:
            raise ParseError(f"{model.name} asks has_model() of a model that reads it.")
        return node

    def _parse(self, model: Model) -> Node:
        if model.resource == "seed":
            rendered = Rendered("", {}, (), ())
        else:
            rendered = self._render(model, ref=None, input=None)
        in_project = self._project_config(model)
        given = given_config(model, rendered.config, in_project)
        document = self.project.document
        lines = {key: document.where("models", model.name, key) for key in in_project}
        kind = given.get("materialized")
        if kind not in algorithm_names():
            config: ModelConfig = validate_config(given, model, in_project=lines)
            return Node(model, config, rendered.refs, rendered.inputs)
        algorithm = load(str(kind))
        plain = {key: value for key, value in given.items() if key in CONFIG_KEYS}
        own = {key: value for key, value in given.items() if key not in CONFIG_KEYS}
        return Node(
            model,
            validate_config(plain, model, in_project=lines),
            rendered.refs,
            rendered.inputs,
            algorithm,
            algorithm_options(algorithm, model, own, self.project),
        )

    def _project_config(self, model: Model) -> dict[str, Any]:
        given = self.project.config.models.get(model.name, {})
        return {key: value for key, value in given.items() if key in ModelConfig.model_fields}

    def _render(
        self,
        model: Model,
        *,
        ref: Callable[[str], str] | None,
        input: Callable[[str], str] | None,
        **context: Any,
    ) -> Rendered:
        return self.renderer.render(
            model.text,
            model.shown,
            config=model.entry.config,
            ref=ref,
            input=input,
            this=self.published(model.name),
            is_incremental=lambda: model.name in self.growing,
            **context,
        )

    @cached_property
    def owners(self) -> dict[str, str]:
        """Return the node of each published name: a model's own, and its algorithm's outputs."""
        return owners_of(self.nodes)

    def built(self) -> set[str]:
        """Return the published names, of models and of outputs, under which there is a relation."""
        existing = self.engine.existing()
        return {name for name in self.owners if self.project.relation_name(name) in existing}

    def output(self, name: str) -> Model | None:
        """Return what is published under a name: a model, or an output of an algorithm."""
        owner = self.owners.get(name)
        if owner is None:
            return None
        found = self.nodes[owner].outputs.values()
        return next(output for output in found if output.name == name)

    @cached_property
    def graph(self) -> Graph:
        """Return which model reads which."""
        return Graph({name: node.refs for name, node in self.nodes.items()})

    @cached_property
    def selectable(self) -> dict[str, Selectable]:
        """Return what the selection grammar asks of each node."""
        return {name: selectable(node) for name, node in self.nodes.items()}

    def compile(
        self,
        name: str,
        *,
        ref: Callable[[str], str] | None = None,
        input: Callable[[str], str] | None = None,
        **context: Any,
    ) -> str:
        """Return a model as the SQL that runs."""
        model = self.project.models[name]
        ref, input = ref or self.ref_sql, input or self.input_sql
        sql = self._render(model, ref=ref, input=input, **context).sql
        # It is wrapped in a statement, or inlined.
        return sql.removesuffix(";").rstrip()

    def opaque(self, name: str, macros: object) -> str:
        """Return a model as the linter reads it: each macro call a plain function call."""
        with self.before_reading():
            model = self.project.models[name]
            return self._render(model, ref=None, input=None, seg_sql=macros).sql

    def ref_sql(self, name: str) -> str:
        """Return what stands for `ref(name)`: a relation, or the SELECT of an ephemeral model."""
        return self.reading({})(name)

    def reading(self, elsewhere: Mapping[str, str]) -> Callable[[str], str]:
        """Return a `ref` that finds some models elsewhere, also those that inlined models read."""

        def ref(name: str) -> str:
            if name in elsewhere:
                return elsewhere[name]
            if name not in self.project.models and name not in self.owners:
                raise ParseError(
                    f"There is no model '{name}'.",
                    hint=did_you_mean(name, [*self.project.models, *self.owners]),
                )
            node = self.nodes.get(name)
            if node is not None and not node.builds:
                return inlined(self.compile(name, ref=ref))
            return self.relation(name)

        return ref

    def input_sql(self, name: str) -> str:
        """Return what stands for `input(name)`: a typed SELECT in parentheses."""
        return inlined(self.input(name).sql)

    def unmapped(self, name: str) -> list[tuple[str, str]]:
        """Return each (input, column) that a model, or what it reads, needs and is not mapped."""
        found: list[tuple[str, str]] = []
        for each in (name, *sorted(self.graph.above(name))):
            found += missing_columns(self.nodes[each].needs, self.mapped)
        return list(dict.fromkeys(found))

    def reads(self, names: set[str]) -> set[str]:
        """Return the inputs that models read, themselves or through an ephemeral model."""
        found: set[str] = set()
        for name in names:
            node = self.nodes[name]
            found |= set(node.inputs)
            found |= self.reads({ref for ref in node.refs if not self.nodes[ref].builds})
        return found

    def relations_read(self, name: str) -> set[str]:
        """Return the relations that a model reads, itself or through an ephemeral model."""
        refs = self.nodes[name].refs
        inner = (self.relations_read(ref) for ref in refs if not self.nodes[ref].builds)
        return {ref for ref in refs if self.nodes[ref].builds}.union(*inner)


def inlined(sql: str) -> str:
    """Return a SELECT in parentheses, as it stands in another."""
    return f"(\n{textwrap.indent(sql, '        ')}\n    )"
