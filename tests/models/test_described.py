"""What schema.yml says of the packaged tables is what the database holds."""

from __future__ import annotations

from pathlib import Path

from shop import Shop

from seg_sql.project import load_project
from seg_sql.workspace import Workspace

KINDS = {
    "integer": "number",
    "bigint": "number",
    "double": "number",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

# Five customers with two to four purchases each.
DAYS = {"ann": 4, "bob": 2, "eve": 3, "joe": 2, "kim": 4}
LINES = [
    (customer, f"{customer}{day}", f"2026-0{month}-{day:02d} 10:00:00", "mug", 1, 5.0 + day)
    for customer, days in DAYS.items()
    for month, day in ((1, 3), (1, 20), (2, 7), (3, 9))[:days]
]


def test_columns_are_those_of_schema_yml(shop: Shop) -> None:
    """Same names in the same order, types of the same kind, on each engine."""
    shop.load(LINES)
    shop.write()
    shop.build()
    project = load_project(Path(shop.folder))
    nodes = Workspace(project, None).nodes
    with shop.engine() as engine:
        for node in nodes.values():
            for output in node.outputs.values() if node.builds else ():
                found = engine.describe(f"select * from {engine.relation(output.name)}")
                wanted = output.entry.columns
                assert [c.name for c in found] == [c.name for c in wanted], output.name
                for column, described in zip(found, wanted, strict=True):
                    kind = KINDS.get(described.data_type, column.kind)
                    assert column.kind == kind, (output.name, column)
