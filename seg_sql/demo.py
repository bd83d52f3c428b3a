"""The demo project: a shop whose orders are drawn from known processes, in SQL.

The statements are the files of sql/demo/. Every number follows from the seed by hashing, so the
same seed gives the same rows with any number of threads. What was drawn is written beside the
data: a model that is fitted to the orders can be compared with the truth.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from seg_sql.engines import Engine, open_engine
from seg_sql.errors import ConfigError
from seg_sql.profiles import DuckDBTarget
from seg_sql.resources import SQL

PROJECT = "seg_sql.yml"
TRUTH = "true_parameters.yml"
TABLES = ("order_lines", "customers", "items")

_FOLDER = SQL / "demo"
_MACROS = (
    "uniform",
    "normal",
    "gamma_proposal",
    "gamma_try",
    "gamma_from_one",
    "gamma",
    "popular_item",
    "in_colour",
)
_STEPS = (
    "calendar",
    "items",
    "affinities",
    "buyers",
    "purchases",
    "orders",
    "budgets",
    "baskets",
    "priced_baskets",
    "order_lines",
    "customers",
)
_HEADER = """\
# What the orders beside this file were drawn from; seg-sql reads it nowhere.
# Rates are by week. A model that is fitted to the orders should find bg_nbd and gamma_gamma.
"""
_SEASONALITY = (
    "First orders come by day: growth by year, a yearly swing that peaks at the end of November,"
    " busier weekends. A customer's own rate of buying has no season, so that bg_nbd holds;"
    " November and December orders hold more kinds of items, for the same value."
)


@dataclass(frozen=True)
class Truth:
    """What the demo's orders are drawn from.

    Attributes:
        first_day: The first day of the data.
        last_day: The last day of the data; less than 1,024 days later.
        r: Shape of the customers' purchase rates, a gamma distribution.
        alpha: Rate of that distribution, in weeks.
        a: First parameter of the chance to leave after a repeat purchase, a beta distribution.
        b: Second parameter of it.
        p: Shape of an order's value, a gamma distribution.
        q: Shape of the customers' value rates, a gamma distribution; the mean value is pv/(q-1).
        v: Rate of that distribution.
        yearly_growth: How much more customers arrive a year later, as a share of the first day.
        yearly_swing: How far arrivals swing around their mean within a year.
        weekend_factor: Arrivals on a Saturday or Sunday against those on another day.
        shipping_price: Price of the item SHIPPING.
        shipping_share: Share of the small orders that pay for shipping.
        taste_share: Share of the draws of items that are taken in the customer's own colour.
        affinity_share: Share of the orders worth 20 or more that have an affinity.
        companion_share: Share of an affinity's items that come along with it.
        guests_per_customer: Orders of guests, as a share of the number of customers.
        named_guest_share: Share of the guests who have the id GUEST; the others have none.
        refund_share: Share of the orders that are refunded, one half of them whole.
        returns_all_share: Share of the customers who have every order refunded.
        no_item_share: Share of the orders with a line whose item is NULL.
        no_price_share: Share of the orders with a line whose price is NULL.
        duplicate_share: Share of the orders with a line that stands twice.
    """

    first_day: date = date(2024, 7, 1)
    last_day: date = date(2026, 6, 30)
    r: float = 0.35
    alpha: float = 3.0
    a: float = 0.8
    b: float = 8.0
    p: float = 5.0
    q: float = 4.0
    v: float = 36.0
    yearly_growth: float = 0.15
    yearly_swing: float = 0.35
    weekend_factor: float = 1.3
    shipping_price: float = 3.95
    shipping_share: float = 0.6
    taste_share: float = 0.7
    affinity_share: float = 0.15
    companion_share: float = 0.8
    guests_per_customer: float = 0.15
    named_guest_share: float = 0.12
    refund_share: float = 0.018
    returns_all_share: float = 0.003
    no_item_share: float = 0.005
    no_price_share: float = 0.0025
    duplicate_share: float = 0.0075


@dataclass(frozen=True)
class DemoData:
    """The files of a demo and what they hold.

    Attributes:
        folder: Where the data lies.
        files: The Parquet file of each table.
        parameters: The content of true_parameters.yml.
    """

    folder: Path
    files: Mapping[str, Path]
    parameters: Mapping[str, Any]


def demo(folder: Path, *, customers: int = 5000, seed: int = 1) -> DemoData:
    """Create a demo project: seg_sql.yml, and generated orders in data/.

    Args:
        folder: The project's folder, made where it is missing.
        customers: How many customers buy at least once.
        seed: An integer that every number drawn follows from.

    Raises:
        ConfigError: A file of the demo exists already; nothing has been written then.
    """
    _refuse_existing([folder / PROJECT, *_targets(folder / "data")])
    engine = open_engine(DuckDBTarget(path=":memory:"))
    try:
        data = generate(engine, folder / "data", customers=customers, seed=seed)
    finally:
        engine.close()
    write_project(folder)
    return data


def generate(
    engine: Engine,
    folder: Path,
    *,
    customers: int = 5000,
    seed: int = 1,
    truth: Truth | None = None,
) -> DemoData:
    """Draw a shop's orders in DuckDB and write them to `folder`, with what they were drawn from.

    The database gets temporary relations only; they hide others of the same name until the engine
    is closed. The files appear when all of them are finished.

    Args:
        engine: An open DuckDB engine of its own; in memory is fine.
        folder: Where the Parquet files and true_parameters.yml go.
        customers: How many customers buy at least once; guests come on top.
        seed: An integer that every number drawn follows from.
        truth: What to draw from, if not from the defaults.

    Raises:
        ConfigError: A file exists already, or the folder cannot be written.
    """
    if customers < 1:
        raise ConfigError(f"A demo needs at least one customer, not {customers}.")
    truth = truth or Truth()
    _refuse_existing(_targets(folder))
    _make(folder)
    templates = _templates(engine)

    def sql(name: str, **values: object) -> str:
        return templates.get_template(f"{name}.sql").render(
            truth=truth,
            seed=seed,
            customers=customers,
            guests=round(customers * truth.guests_per_customer),
            **values,
        )

    for step in (*_MACROS, *_STEPS):
        engine.execute(sql(step))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
        draft = Path(unfinished)
        rows = {}
        for table in TABLES:
            file = draft / f"{table}.parquet"
            rows[table] = engine.fetch(sql(f"save_{table}", file=str(file))).rows[0][0]
        counts = {**rows, **engine.fetch(sql("counts")).dicts()[0]}
        affinities = engine.fetch(sql("affinity_items")).dicts()
        parameters = _parameters(truth, seed, counts, affinities)
        written = yaml.safe_dump(parameters, sort_keys=False, width=100, allow_unicode=True)
        (draft / TRUTH).write_text(_HEADER + written, encoding="utf-8")
        for target in _targets(folder):
            (draft / target.name).replace(target)
    return DemoData(folder, {table: folder / f"{table}.parquet" for table in TABLES}, parameters)


def write_project(folder: Path) -> Path:
    """Write the commented seg_sql.yml of the demo, which reads data/, and return its path.

    Raises:
        ConfigError: The file exists already, or the folder cannot be written.
    """
    path = folder / PROJECT
    _refuse_existing([path])
    _make(folder)
    shutil.copyfile(_FOLDER / PROJECT, path)
    return path


def _targets(folder: Path) -> list[Path]:
    return [*(folder / f"{table}.parquet" for table in TABLES), folder / TRUTH]


def _refuse_existing(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            raise ConfigError(
                "The file exists already, and a demo overwrites none.",
                where=str(path),
                hint="Name another folder: seg-sql demo DIR.",
            )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The folder cannot be made: {error.strerror}.", where=str(folder)
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigError("This user may not write to the folder.", where=str(folder))


def _templates(engine: Engine) -> SandboxedEnvironment:
    """Return an environment that writes every value as a literal of the engine."""
    return SandboxedEnvironment(
        loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, finalize=engine.literal
    )


def _parameters(
    truth: Truth, seed: int, counts: Mapping[str, int], items: list[dict[str, Any]]
) -> dict[str, Any]:
    """Arrange what was drawn as it is written to true_parameters.yml."""
    drawn = {field.name: getattr(truth, field.name) for field in fields(truth)}

    def take(*names: str) -> dict[str, Any]:
        return {name: drawn.pop(name) for name in names}

    groups: dict[int, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(item["affinity"], []).append(item)
    return {
        "seed": seed,
        **take("first_day", "last_day"),
        "time_unit": "week",
        "bg_nbd": take("r", "alpha", "a", "b"),
        "gamma_gamma": take("p", "q", "v"),
        "seasonality": {
            "description": _SEASONALITY,
            **take("yearly_growth", "yearly_swing", "weekend_factor"),
        },
        "popularity": "An item's share of the draws falls as 1 / (rank + 4), for 400 items; then"
        " taste_share of the draws are changed to the same product in the customer's own colour.",
        "affinities": [
            {"items": [item["sku"] for item in group], "names": [item["name"] for item in group]}
            for group in groups.values()
        ],
        "counts": dict(counts),
        "shares": drawn,
    }
