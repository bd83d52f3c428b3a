"""Readers and writers beside a publish in PostgreSQL."""

from __future__ import annotations

import threading
import time

import pytest

from seg_sql.engines import Publication, open_engine
from seg_sql.errors import DatabaseError

OLD = "select 1 as id, 'old' as word union all select 2, 'old'"
NEW = "select 2 as id, 'new' as word union all select 3, 'new'"


@pytest.fixture
def target(postgres_target):
    return postgres_target


@pytest.mark.parametrize("stays", [False, True], ids=["swap", "refill"])
def test_a_reader_never_sees_a_missing_or_empty_or_mixed_table(engine, publish, connect, stays):
    query = "select count(*), min(round), max(round) from {}"
    data = "select {} as round, n from generate_series(1, 500) as g (n)"
    publish("t", data.format(0))
    name = engine.relation("t")
    if stays:
        engine.execute(f"create view {engine.relation('v')} as select n from {name}")
    seen, faults, done = [], [], threading.Event()
    session = connect()

    def read():
        try:
            while not done.is_set():
                seen.append(session.execute(query.format(name)).fetchone())
        except Exception as error:
            faults.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for round_ in range(1, 26):
            publish("t", data.format(round_))
    finally:
        done.set()
        reader.join()
    assert not faults
    assert all(count == 500 and low == high for count, low, high in seen)
    # It did read while we published, and in the order in which it was published.
    assert len({low for _, low, _ in seen}) > 2
    assert [low for _, low, _ in seen] == sorted(low for _, low, _ in seen)


def test_an_old_snapshot_sees_the_old_rows_of_a_refilled_table(engine, publish, connect):
    publish("t", OLD)
    engine.execute(f"create view {engine.relation('v')} as select id from {engine.relation('t')}")
    session = connect(autocommit=False)
    session.execute("set transaction isolation level repeatable read")
    session.execute("select 1 from pg_class limit 1").fetchall()
    publish("t", NEW)
    # TRUNCATE would have emptied the table for it.
    query = f"select id, word from {engine.relation('t')} order by id"
    assert session.execute(query).fetchall() == [(1, "old"), (2, "old")]


def with_old_rows(target, retries):
    """Publish the old rows with an engine that waits for little."""
    engine = open_engine(target.model_copy(update={"lock_timeout": 0.2, "lock_retries": retries}))
    engine.prepare_schema()
    engine.create("seg_tmp_1", "table", OLD)
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    return engine


def test_a_reader_in_the_way_is_named_in_the_end(target, connect, build):
    engine = with_old_rows(target, 1)
    session = connect(autocommit=False, application_name="month-end report")
    session.execute(f"select * from {engine.relation('t')}").fetchall()
    engine.create("seg_tmp_1", "table", NEW)
    with pytest.raises(DatabaseError, match=r"in 2 attempts of 0\.2 s") as raised:
        engine.publish([Publication("t", "table", "seg_tmp_1")])
    assert f"process {session.info.backend_pid} (application 'month-end report'" in (
        raised.value.message
    )
    assert engine.fetch(f"select min(id) from {engine.relation('t')}").rows == [(1,)]
    session.rollback()
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    assert engine.fetch(f"select min(id) from {engine.relation('t')}").rows == [(2,)]
    engine.close()


def test_a_reader_that_goes_away_is_waited_for(target, connect):
    engine = with_old_rows(target, 20)
    session = connect(autocommit=False)
    session.execute(f"select * from {engine.relation('t')}").fetchall()
    engine.create("seg_tmp_1", "table", NEW)
    leave = threading.Timer(0.5, session.rollback)
    leave.start()
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    leave.join()
    assert engine.fetch(f"select min(id) from {engine.relation('t')}").rows == [(2,)]
    engine.close()


def test_a_reader_is_not_in_the_way_of_a_refill(target, connect):
    engine = with_old_rows(target, 0)
    engine.execute(f"create view {engine.relation('v')} as select id from {engine.relation('t')}")
    session = connect(autocommit=False)
    session.execute(f"select * from {engine.relation('v')}").fetchall()
    engine.create("seg_tmp_1", "table", NEW)
    engine.publish([Publication("t", "table", "seg_tmp_1")])
    assert session.execute(f"select min(id) from {engine.relation('v')}").fetchone() == (2,)
    engine.close()


def test_a_view_made_at_the_last_moment_changes_the_plan(engine, build, publish, rows, monkeypatch):
    publish("t", OLD)
    publication = build("t", NEW)
    send, waited = engine.send, []

    def late(sql, *arguments, **options):
        # After the look at the catalog, before the DROP: another session makes a view.
        if sql.startswith("drop table") and not waited:
            waited.append(sql)
            view, table = engine.relation("v"), engine.relation("t")
            send(f"create view {view} as select id from {table}")
        return send(sql, *arguments, **options)

    monkeypatch.setattr(engine, "send", late)
    # The DROP fails, the transaction with the view is undone, and the next attempt succeeds.
    engine.publish([publication])
    assert waited
    assert rows("t") == [(2, "new"), (3, "new")]


def test_two_swaps_and_a_reader_of_both_do_not_deadlock(engine, build, publish, connect, rows):
    publish("t", OLD)
    publish("u", OLD, number=2)
    session = connect(autocommit=False)
    session.execute(f"select * from {engine.relation('u')}").fetchall()
    both = [build("t", NEW), build("u", NEW, number=2)]
    publisher = threading.Thread(target=engine.publish, args=[both])
    publisher.start()
    # Longer than the second after which PostgreSQL looks for a deadlock, and ends one of the two.
    time.sleep(1.5)
    session.execute(f"select * from {engine.relation('t')}").fetchall()
    session.commit()
    publisher.join()
    assert rows("t") == rows("u") == [(2, "new"), (3, "new")]
