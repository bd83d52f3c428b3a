"""Every statement of a publish fails in turn: readers see the old rows, and nothing is left."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap

import pytest

from seg_sql.engines import Publication, open_engine
from seg_sql.errors import DatabaseError

OLD = "select 1 as id, 'old' as word"
NEW = "select 2 as id, 'new' as word"
WIDER = "select 2 as id, 'new' as word, 1.5e0 as extra"

# What is there before (name, SELECT, kind), what hangs on it, and what is published then.
SCENARIOS = {
    "swap": (
        [("t", OLD, "table")],
        ["create index by_hand on {t} (id)", "comment on column {t}.word is 'by hand'"],
        [("t", NEW, {"indexes": [["word"]], "comment": "new", "column_comments": {"id": "new"}})],
    ),
    "dependent view": (
        [("t", OLD, "table")],
        ["create view {w} as select id, word from {t}"],
        [("t", WIDER, {"indexes": [["word"]], "comment": "new"})],
    ),
    "key": ([("t", OLD, "table")], [], [("t", WIDER, {"key": ["id"], "comment": "new"})]),
    "view": ([("t", OLD, "view")], [], [("t", WIDER, {"kind": "view", "comment": "new"})]),
    "view with other columns": (
        [("t", OLD, "view")],
        [],
        [("t", "select 'new' as word", {"kind": "view"})],
    ),
    "table to view": ([("t", OLD, "table")], [], [("t", NEW, {"kind": "view"})]),
    "view to table": ([("t", OLD, "view")], [], [("t", NEW, {})]),
    "several": (
        [("t", OLD, "table"), ("u", OLD, "table"), ("v", OLD, "view")],
        [],
        [("t", NEW, {}), ("u", NEW, {"key": ["id"]}), ("v", NEW, {"kind": "view"})],
    ),
}


class Refused:
    """Lets the statement with a given number be refused by the database."""

    def __init__(self, engine, at):
        self.send, self.at, self.count = engine.send, at, 0
        self.failed = False

    def __call__(self, sql, *arguments, **options):
        self.count += 1
        if self.count == self.at:
            self.failed = True
            return self.send("select cast('no number' as integer)")
        return self.send(sql, *arguments, **options)


class Interrupted(Refused):
    """Lets a person press Ctrl-C at the statement with a given number."""

    def __call__(self, sql, *arguments, **options):
        self.count += 1
        if self.count == self.at:
            self.failed = True
            raise KeyboardInterrupt
        return self.send(sql, *arguments, **options)


class Terminated(Refused):
    """Lets the administrator end the session before the statement with a given number."""

    def __init__(self, engine, at):
        super().__init__(engine, at)
        self.target = engine.target
        self.process = engine.fetch("select pg_backend_pid()").rows[0][0]

    def __call__(self, sql, *arguments, **options):
        self.count += 1
        if self.count == self.at:
            self.failed = True
            administrator = open_engine(self.target)
            administrator.execute(f"select pg_terminate_backend({self.process}, 10000)")
            administrator.close()
        return self.send(sql, *arguments, **options)


def relations(engine):
    return {name: engine.relation(name) for name in "tw"}


def state(engine):
    """Return all that a reader can see: rows, kinds and comments."""
    found = {
        name: each for name, each in engine.existing().items() if not name.startswith("seg_tmp_")
    }
    return {
        name: (each, engine.fetch(f"select * from {engine.relation(name)}"))
        for name, each in found.items()
    }


def build_all(engine, wanted):
    publications = []
    for number, (name, select, options) in enumerate(wanted):
        options = dict(options)
        kind = options.pop("kind", "table")
        hidden = f"seg_tmp_0000abcd_{number}"
        engine.create(hidden, kind, select)
        written = select if kind == "view" else ""
        publications.append(Publication(name, kind, hidden, select=written, **options))
    return publications


CASES = [(scenario, Refused) for scenario in SCENARIOS]
CASES += [(scenario, Interrupted) for scenario in ("swap", "dependent view")]


def fail_each_statement(target, scenario, fault):
    """Publish again and again, and let one statement more succeed each time before one fails."""
    before, attached, wanted = SCENARIOS[scenario]
    engine = open_engine(target)
    try:
        engine.prepare_schema()
        for name, select, kind in before:
            engine.create(name, kind, select)
        for statement in attached:
            engine.execute(statement.format(**relations(engine)))
        expected = state(engine)
        statement, finished = 0, False
        while not finished:
            statement += 1
            publications = build_all(engine, wanted)
            failing = fault(engine, statement)
            engine.send = failing
            try:
                engine.publish(publications)
                finished = True
            except (DatabaseError, KeyboardInterrupt) as error:
                assert getattr(error, "lost", False) == (fault is Terminated)
            assert finished != failing.failed, "a statement failed and nobody noticed"
            del engine.send
            # What another session of PostgreSQL sees, or the next process that opens the file.
            if target.type == "duckdb" or fault is Terminated:
                engine.close()
                engine = open_engine(target)
            reader = open_engine(target)
            seen = state(reader)
            reader.close()
            if not finished:
                assert seen == expected, f"after statement {statement} failed"
                for publication in publications:
                    engine.drop(publication.hidden)
            assert not [name for name in engine.existing() if name.startswith("seg_tmp_")]
        # In the last round nothing failed; a handful of statements had failed before.
        assert statement > 4
        assert seen != expected
    finally:
        engine.close()


@pytest.mark.parametrize(("scenario", "fault"), CASES)
def test_a_failing_statement_changes_nothing(target, scenario, fault):
    fail_each_statement(target, scenario, fault)


@pytest.mark.parametrize("scenario", ["swap", "dependent view"])
def test_a_lost_connection_changes_nothing(postgres_target, scenario):
    fail_each_statement(postgres_target, scenario, Terminated)


# A process that publishes again and again, as fast as it can.
PUBLISHER = """
    import sys
    from seg_sql.engines import Publication, open_engine
    from seg_sql.profiles import DuckDBTarget, PostgresTarget
    kind = DuckDBTarget if sys.argv[1] == "duckdb" else PostgresTarget
    engine = open_engine(kind.model_validate_json(sys.argv[2]))
    engine.lock(0)
    for round_ in range(1, 10**9):
        engine.create("seg_tmp_1", "table", f"select {round_} as round from (select 1) as one")
        engine.publish([Publication("t", "table", "seg_tmp_1", comment=f"round {round_}")])
        print(round_, flush=True)
"""


def test_a_killed_process_leaves_a_whole_table(target):
    engine = open_engine(target)
    engine.prepare_schema()
    engine.close()
    written = target.model_dump_json(by_alias=True)
    command = [sys.executable, "-c", textwrap.dedent(PUBLISHER), target.type, written]
    for milliseconds in (0, 2, 5, 9, 14, 20):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            told = int(process.stdout.readline())
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(milliseconds / 1000)
            process.kill()
        engine = open_engine(target)
        # The server may still be at work on the last statement: then it still has the lock.
        engine.lock(30)
        engine.drop("seg_tmp_1")
        assert set(engine.existing()) == {"t"}
        ((found,),) = engine.fetch(f"select round from {engine.relation('t')}").rows
        assert found >= told
        assert engine.existing()["t"].comment == f"round {found}"
        engine.close()
