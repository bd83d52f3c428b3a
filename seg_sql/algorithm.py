"""What an iterative algorithm is: a folder of statement templates and a driver without SQL text.

An algorithm model is one node of the graph with a fixed set of outputs, `<model>` and
`<model>_<output>`. The driver's contract is `fit` and `apply`: `fit` reads one relation and leaves
a work table for each output; `apply` is a SELECT that scores a relation with published outputs.
No algorithm calls ref().
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from seg_sql import resources
from seg_sql.config import ModelEntry, SchemaFile, load_schema_file
from seg_sql.yaml_files import YamlFile

if TYPE_CHECKING:
    from seg_sql.step import Steps


@dataclass(frozen=True)
class Task:
    """What a fit is given beside the relation.

    Attributes:
        model: The name of the model; outputs are `<model>` and `<model>_<output>`.
        key: The columns that identify a row of the relation.
        options: The algorithm's validated options.
        as_of: The first day that was not read, as an ISO date, or None.
        previous: The published relation of each output of the last fit, where it exists.
        keep_fit: Whether the published fit scores today's rows (`refit: never`, or not yet due).
    """

    model: str
    key: Sequence[str]
    options: Any
    as_of: str | None = None
    previous: Mapping[str, str] = field(default_factory=dict)
    keep_fit: bool = False


@dataclass(frozen=True)
class Fit:
    """What a fit leaves behind.

    Attributes:
        outputs: The work table of each output; '' is the model itself.
        status: How it ended, in a few words for the console, as in 'CONVERGED in 6'.
        warnings: Sentences that say what a person should look at.
        parameters: Fitted scalars for the record of the run.
    """

    outputs: Mapping[str, str]
    status: str
    warnings: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Algorithm:
    """An algorithm as the runner knows it.

    Attributes:
        name: The folder below sql/algorithms, whose schema.yml says what it publishes.
        options: Its options.
        fit: Its driver.
        apply: Scores a relation with published outputs, where it can.
        keyed: Whether the model has a row for each row of its SELECT, by the model's unique_key.
            One that is not keyed reads its SELECT where it is, not a work table of its rows.
    """

    name: str
    options: type[BaseModel]
    fit: Callable[[Steps, str, Task], Fit]
    apply: Callable[[Steps, Mapping[str, str], str, Task], str] | None = None
    keyed: bool = True

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return what it publishes; '' is the model itself."""
        return tuple(outputs_of(f"algorithms/{self.name}"))


@cache
def described(folder: str) -> tuple[SchemaFile, YamlFile]:
    """Read the schema.yml of an algorithm, by its folder below sql/."""
    return load_schema_file(resources.SQL / folder / "schema.yml")


def outputs_of(folder: str) -> dict[str, ModelEntry]:
    """Return what schema.yml says of each output of an algorithm; '' is the model itself."""
    models = described(folder)[0].models
    return {"" if entry.name == "model" else entry.name: entry for entry in models}


def load(name: str) -> Algorithm:
    """Import an algorithm; it is imported only when a model is of that kind."""
    algorithm: Algorithm = importlib.import_module(f"seg_sql.algorithms.{name}").ALGORITHM
    return algorithm
