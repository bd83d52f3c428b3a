"""Building a table in a DuckDB file, reading it, and being refused."""

from __future__ import annotations

import contextlib

import pytest

from seg_sql.engines import Publication, open_engine
from seg_sql.errors import StartError


def build(engine, number):
    engine.prepare_schema()
    engine.create("seg_tmp_1", "table", f"select {number} as a")
    engine.publish([Publication("t", "table", "seg_tmp_1", comment=f"build {number}")])


def read(target):
    with contextlib.closing(open_engine(target, read_only=True)) as engine:
        assert set(engine.existing()) == {"t"}
        found = engine.fetch(f"select a from {engine.relation('t')}").rows[0][0]
        assert engine.existing()["t"].comment == f"build {found}"
        return found


def refused(target, **options):
    with pytest.raises(StartError) as raised:
        open_engine(target, **options)
    assert raised.value.exit_code == 2
    assert "\n" not in raised.value.message
    assert raised.value.message.endswith(".")
    return raised.value
