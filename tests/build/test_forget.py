"""seg-sql forget: no table of ours and no file of target/ holds a forgotten customer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from build_shop import LINES, BuildShop

from seg_sql import forget as forget_
from seg_sql.errors import ConfigError, SelectionError
from seg_sql.events import Log, Said
from seg_sql.session import Settings

# Ids that stand in no name, text or number of ours by chance.
RENAMED = {"ann": "ann-7f3a", "bob": "bob-91c2", "eve": "eve-44d0"}
ANN, BOB, EVE = RENAMED.values()


def forget(shop: BuildShop, *ids: str, yes: bool = True, **more: Any) -> int:
    shop.log = Log()
    settings = Settings(project_dir=shop.folder, profiles_dir=shop.folder)
    return forget_.forget(settings, shop.log, ids, confirm=lambda _: yes, **more)


def occurrences(shop: BuildShop, id_: str) -> set[str]:
    """Return each table, raw ones left out, and each file of target/ in which an id stands."""
    found = set()
    with shop.engine() as engine:
        for name, relation in engine.existing().items():
            if relation.kind == "table" and not name.startswith("raw_"):
                rows = engine.fetch(f"select * from {engine.relation(name)}").rows
                if id_ in repr(rows):
                    found.add(name)
    for path in (shop.folder / "target").rglob("*"):
        if path.is_file() and id_ in path.read_text():
            found.add(str(path.relative_to(shop.folder)))
    return found


@pytest.fixture
def built(shop: BuildShop) -> BuildShop:
    """Two as_of, stored failures, a table of a dead run, and an own model with another name."""
    shop.load([(RENAMED.get(line[0]), *line[1:]) for line in LINES])
    shop.model(
        "letters",
        f"""
        select customer_id as buyer, 'Dear customer' as text
        from {{{{ ref('rfm') }}}} as rfm
        where customer_id <> '{BOB}x'
        """,
    )
    shop.schema(
        models=[
            {
                "name": "letters",
                "columns": [
                    {
                        "name": "buyer",
                        "data_tests": [{"accepted_values": {"values": ["x"], "severity": "warn"}}],
                    }
                ],
            }
        ]
    )
    shop.write(models={"customer_clusters": {"k": 2}})
    for day in ("2026-03-05", "2026-04-01"):
        shop.build(vars={"as_of": day}, store_failures=True)
    shop.execute(
        f"create table {shop.schema_}.seg_tmp_0a1b2c3d_1 as select '{ANN}' as whoever",
    )
    return shop


def test_nothing_is_found_afterwards(built: BuildShop) -> None:
    shop = built
    before = {each: occurrences(shop, each) for each in (ANN, BOB, EVE)}
    assert {
        "rfm",
        "orders",
        "customer_clusters",
        "customer_segment_history",
        "letters",
        "seg_tmp_0a1b2c3d_1",
        "seg_sql_failures_accepted_values_letters_buyer",
    } <= before[ANN]
    assert "target/compiled/sql/models/letters.sql" in before[BOB]
    history = len(shop.rows("customer_segment_history"))
    segments = shop.rows("rfm_segments")
    assert forget(shop, ANN, BOB, columns=["buyer"]) == 0
    assert occurrences(shop, ANN) == occurrences(shop, BOB) == set()
    # Whoever was not named is where they were; sums over customers stay until the next build.
    assert occurrences(shop, EVE) - {"seg_tmp_0a1b2c3d_1"} == {
        name for name in before[EVE] if not name.startswith("target/")
    }
    assert shop.rows("rfm_segments") == segments
    # eve has three sources at each of two days.
    assert (history, len(shop.rows("customer_segment_history"))) == (18, 6)
    said = [each.text for each in shop.log.of(Said)]
    assert "customer_segment_history: 12 rows" in said
    assert "rfm: 2 rows" in said
    assert "1 work table of interrupted runs" in said
    # ann has two order lines and bob one.
    assert any(text.startswith("The input order_lines still has 3 rows") for text in said)


def test_asks_first(built: BuildShop) -> None:
    before = occurrences(built, ANN)
    assert forget(built, ANN, yes=False) == 1
    assert occurrences(built, ANN) == before
    done = built.command("forget", "--customer-id-file", "none.csv")
    assert done.returncode == 2
    (built.folder / "ids.csv").write_text(f"customer_id\n{ANN}\n")
    done = built.command("forget", "--customer-id-file", "ids.csv", "--yes")
    assert done.returncode == 0, done.stderr
    # Without --column the text in an own column is named and left.
    assert "letters.buyer has 1 row " in done.stderr
    assert occurrences(built, ANN) == {"letters"}


def test_customers_named_on_the_command_line(built: BuildShop) -> None:
    done = built.command("forget", ANN, BOB, ANN, "--yes", "--column", "buyer")
    assert done.returncode == 0, done.stderr
    assert occurrences(built, ANN) == occurrences(built, BOB) == set()
    assert occurrences(built, EVE)
    assert "ids stand in no table" not in done.stderr


def test_ids_that_no_table_has_are_named(built: BuildShop) -> None:
    assert forget(built, ANN, "anne", "bobb") == 0
    [said] = [each for each in built.log.of(Said) if "stand in no table" in each.text]
    assert said.text == "2 of the 3 ids stand in no table: anne, bobb"
    assert said.level == "warn"
    [last] = [each for each in built.log.of(Said) if each.text.startswith("Deleted ")]
    assert "Exports, reports and backups" in str(last.hint)


def test_all_or_nothing(built: BuildShop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = occurrences(built, ANN)
    from seg_sql.engines.duckdb import DuckDBEngine
    from seg_sql.engines.postgres import PostgresEngine

    engine = PostgresEngine if built.is_postgres else DuckDBEngine
    drop = engine.drop

    def failing(self: Any, name: str) -> None:
        if name.startswith("seg_tmp_0a1b2c3d"):
            raise ConfigError("no")
        drop(self, name)

    monkeypatch.setattr(engine, "drop", failing)
    with pytest.raises(ConfigError, match="no"):
        forget(built, ANN)
    assert occurrences(built, ANN) == before


def test_merged_and_unknown_customers(shop: BuildShop, tmp_path: Path) -> None:
    shop.load([("ann", "eve")], ("customer_id", "merged_into"), name="map")
    lines = {"relation": shop.raw("raw")}
    shop.write(inputs={"order_lines": lines, "customer_map": {"relation": shop.raw("map")}})
    shop.build("+rfm")
    assert forget(shop, "ann") == 0
    said = [f"{each.text} {each.hint}" for each in shop.log.of(Said)]
    assert any("ann is merged into eve, whose rows are left. Name eve" in text for text in said)
    assert "ann" not in repr(shop.rows("customer_merges"))
    assert "eve" in repr(shop.rows("rfm"))
    assert forget(shop, "nobody-0") == 0
    assert "No table of" in shop.log.of(Said)[-1].text
    empty = tmp_path / "empty.csv"
    empty.write_text("customer_id\n\n")
    with pytest.raises(SelectionError, match="has no customer id"):
        forget_.read_ids(empty)
    with pytest.raises(ConfigError, match="No such file or directory"):
        forget_.read_ids(tmp_path / "none.csv")


def test_internal_relations_are_listed_and_cleaned(built: BuildShop) -> None:
    done = built.command("ls", "--resource-type", "internal")
    assert done.stdout.split() == [
        "seg_tmp_0a1b2c3d_1",
        "seg_sql_failures_accepted_values_letters_buyer",
    ]
    assert built.command("clean").returncode == 0
    assert built.command("ls", "--resource-type", "internal").stdout == ""
    assert "customer_segment_history" in built.names()
