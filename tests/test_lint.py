"""The linter: each line a text and the rules it breaks; then what must pass in silence."""

import re
import textwrap
from pathlib import Path

import pytest

from seg_sql.errors import ParseError
from seg_sql.lint import SqlSyntaxError, lint, opaque_macros
from seg_sql.lint_words import RESERVED

# rules | text. `t` and `u` are relations of unknown columns. Before a rule was made it was measured
# what such a text does: it fails on one engine, or gives other rows than on the other.
BAD = r"""
dialect-clause    | select a, count(*) as n from t group by all
dialect-clause    | select a from t order by all
dialect-clause    | select a from t qualify row_number() over (order by a) = 1
dialect-clause    | select distinct on (a) a from t
dialect-clause    | select a from t using sample 10
dialect-clause    | select a from t tablesample 10%
dialect-clause    | select a from t unpivot (v for n in (b, c))
dialect-clause    | select a from t asof join u on t.d >= u.d
dialect-clause    | select a from t semi join u on t.b = u.b
dialect-clause    | select a from t anti join u on t.b = u.b
dialect-clause    | select a from t positional join u
dialect-clause    | select a from t natural join u
dialect-clause    | select a from t union by name select a from u
dialect-clause    | select a from (select a from t)
dialect-clause    | select a from t where b == 1
dialect-clause    | from t select a
dialect-clause    | select b: a from t
dialect-clause    | select a from t where b ~ 'x'
dialect-clause    | select a from t where b similar to 'x'
dialect-clause    | with x as materialized (select a from t) select * from x
dialect-clause    | with x as not materialized (select a from t) select * from x
select-star       | select * from t
select-star       | with x as (select * from t) select * from x
select-star       | with x as (select a from t) select x.* from x
select-star       | with x as (select a from t) select * exclude (a) from x
select-star       | with x as (select a from t) select * from x inner join t on x.a = t.a
select-star       | select columns('a') from t
named-columns     | select a, upper(b) from t
named-columns     | with x as (select count(*) from t) select * from x
named-columns     | select s.a from (select a, max(b) from t group by a) as s
trailing-comma    | select a, from t
trailing-comma    | select coalesce(a, b,) as c from t
alias-reuse       | select a + 1 as b, b + 1 as c from t
alias-reuse       | select a + 1 as b from t where b > 1
alias-reuse       | select a, sum(c) as s from t group by a having s > 1
alias-reuse       | select a + 1 as b from t order by b + 1
alias-reuse       | with x as (select a from t) select coalesce(a, 0) as b, b as c from x
division          | select a / b as q from t
division          | select cast(a as seg_double) / b as q from t
division          | select a / nullif(b, 0) as q from t
division          | select a // 2 as q from t
division          | select a % b as q from t
division          | select mod(a, 0) as q from t
power             | select a ** 2 as q from t
power             | select a ^ 2 as q from t
function          | select pow(a, 2) as q from t
float-literal     | select a * 0.5 as q from t
float-literal     | select a * 1e0 as q from t
float-literal     | select a from t where b > -2.5
cast              | select a::integer as q from t
cast              | select try_cast(a as integer) as q from t
cast              | select cast(a as double) as q from t
cast              | select cast(a as text) as q from t
cast              | select cast(a as varchar) as q from t
cast              | select cast(a as real) as q from t
cast              | select cast(a as timestamptz) as q from t
cast              | select cast(a > 1 as integer) as q from t
cast              | select cast(a is null as integer) as q from t
cast              | select cast(seg_safe_div(a, b) as integer) as q from t
cast              | select cast(avg(cast(a as seg_double)) as bigint) as q from t
cast              | select cast(a * seg_lit(0.5) as integer) as q from t
cast              | select cast(case when a then seg_lit(0.5) else 1 end as integer) as q from t
cast              | select cast(seg_round(a) as seg_text) as q from t
order-nulls       | select row_number() over (order by a desc) as n from t
order-nulls       | select a from t order by a desc limit 1
text-order        | select row_number() over (order by customer_id) as n from t
text-order        | select a from t order by a nulls last, order_id
text-order        | select min(customer_id) as first_customer from t
text-order        | select a from t inner join u on t.item_id < u.item_id
text-order        | select seg_string_agg(item_id, ', ' order by item_id) as items from t
text-order        | select max(a collate "C") as m from t
limit-order       | select a from t limit 5
window-order      | select row_number() over (partition by a) as n from t
window-order      | select ntile(5) over () as n from t
window-order      | select lag(a) over (partition by b) as n from t
percentile        | select percentile_cont(0.5) within group (order by a) over () as n from t
function          | select median(a) as n from t
function, percentile | select quantile_cont(a, b) as n from t
function          | select arg_max(a, b) as n from t
function          | select max_by(a, b) as n from t
function          | select first(a) as n from t
function          | select any_value(a) as n from t
function          | select mode() within group (order by a) as n from t
function          | select round(a, 2) as n from t
function          | select string_agg(a, ',') as n from t
function          | select concat(a, b) as n from t
function          | select strftime(a, 'x') as n from t
function          | select date_diff('day', a, b) as n from t
function          | select my_own(a) as n from t
function          | select current_date as d from t
function          | select current_timestamp as d from t
function          | select now() as d from t
function          | select random() as n from t
function          | select hash(a) as n from t
domain, function  | select log(a) as n from t
function          | select n from generate_series(1, 3) as s (n)
function          | select array_agg(a) as n from t
date-arithmetic   | select date_trunc('month', a) as n from t
date-arithmetic   | select extract(year from a) as n from t
date-arithmetic   | select cast(extract(dow from a) as integer) as n from t
date-arithmetic   | select cast(extract(week from a) as integer) as n from t
date-arithmetic   | select a + interval '1' month as n from t
date-arithmetic   | select cast(a as date) - cast(b as date) as n from t
date-arithmetic   | select seg_as_of() - a as n from t
date-arithmetic   | select cast(a as date) + 1 as n from t
nested-value      | select [a, b] as n from t
nested-value      | select a[1] as n from t
dialect-clause, nested-value | select {'a': b} as n from t
nested-value      | select a -> 'b' as n from t
nested-value      | select a ->> 'b' as n from t
identifier        | select b as "A", c as a from t
alias-reuse, identifier | select a, b as a from t
identifier        | select a as someName from t
identifier        | select a as second from t
identifier        | select a as month from t
identifier        | select a as user from t
identifier        | select a as end_ from t as offset
string            | select a from t where b = 'x\y'
string            | select a from t where b = e'x'
string            | select a from t where b = $$x$$
string            | select a from t where b = ?
string            | select a from t where b = $name
integer-aggregate | select sum(case when a then 1 else 0 end) as n from t
integer-aggregate | select sum(count(*)) over () as n from t group by a
integer-aggregate | select coalesce(sum(cast(a as bigint)), 0) as n from t
integer-aggregate | select avg(cast(a as integer)) as n from t
integer-aggregate | select avg(count(*)) over () as n from t group by a
domain            | select exp(a) as n from t
domain            | select ln(a) as n from t
domain            | select ln(greatest(a, 0)) as n from t
domain            | select log10(a) as n from t
domain            | select sqrt(a) as n from t
filter            | select count(*) filter (a > 1) as n from t
one-select        | select a from t; select b from t
one-select        | update t set a = 1
one-select        | create table u as select a from t
one-select        | select a from (with x as (select a from t) select a from x) as y
one-select        |
"""

GOOD = r"""
select a from t
with x as (select a from t) select * from x
with recursive x (n) as (select 1 as n union all select x.n + 1 from x) select * from x
select a, count(*) as n, sum(b) as s, max(c) as m from t group by a having count(*) > 1
select a + 1 as b, count(*) as n from t group by b order by n desc nulls last, b
select coalesce(a, 0) as a, a + 1 as b from t
with x as (select a, b from t) select max(a) as b, max(b) as c from x
with x as (select a from t), y as (select a as k from x) select x.a, y.k from x, y
select t.a + 1 as b, t.b as c from t
select a from t where exists (select 1 from u where u.a = t.a)
select a from t where a in (select b from u)
select a, (select max(b) from u) as m from t
select cast(a as seg_double) / nullif(b, 0) as q, cast(a as seg_double) / 2 as r, a % 7 as s from t
select seg_safe_div(sum(a), count(*)) as q, seg_round(b, 2) as r from t group by b
select percentile_cont(0.5) within group (order by a) as m from t
select row_number() over (partition by a order by b desc nulls last, seg_bin(order_id)) as n from t
select rank() over w as n from t window w as (order by a)
select cast(floor(seg_safe_div(a, b)) as integer) as q, cast(a as decimal(18, 2)) as r from t
select cast(sum(count(*)) over () as bigint) as n from t group by a
select seg_isum(case when a then 1 else 0 end) as n, seg_safe_div(sum(b * 1), count(*)) as q from t
select case when a > 1 then 1 else 0 end as n, a > 1 as big from t
select avg(a) as m, avg(cast(a as seg_double)) as o, stddev_samp(a) as s from t
select sqrt(greatest(a, 0)) as r, sqrt(a * a + b * b) as s from t
select ln(1 + count(*)) as l, ln(greatest(a, 1)) as k, exp(least(a, 0)) as e from t
select a * seg_lit(0.5) as q, seg_lit(-0.5) as r, cast(1.5 as seg_double) as s from t
select cast(date_trunc('month', a) as date) as m, cast(extract(year from a) as integer) as y from t
select cast(12 * (extract(year from a) - extract(year from b)) as integer) as m from t
select seg_days_between(a, seg_as_of()) as d from t
select count(*) filter (where a > 1) as n from t
select seg_string_agg(item_name, ', ' order by seg_bin(item_name) desc nulls last) as items from t
select m.month_start from (select seg_months(a, b) as month_start) as m
select "Customer ID" as customer_id, "order", "A" as b from t
select a from t where b = seg_lit('x\y') and c = 'it''s 100%' and d = seg_param('k')
select a as rows, b as rank, c as value, d as measure, e as source from t
select a from t union all select b from u
select a from t cross join lateral (select 1 as k) as l
select a from t left join u using (a) group by grouping sets ((a), ())
select a, case when lag(a) over (order by a) is distinct from a then 1 else 0 end as n from t
select coalesce(upper(a), '') || '-' || left(b, 2) as n, a like 'x%' as l from t
SELECT a, COUNT(*) AS n FROM t GROUP BY a
"""


def cases(table):
    pairs = (line.split("|", 1) for line in table.strip("\n").splitlines())
    return [pytest.param(text.strip(), rule.strip(), id=f"{rule}|{text}") for rule, text in pairs]


@pytest.mark.parametrize(("text", "rules"), cases(BAD))
def test_a_text_breaks_its_rules_and_no_others(text, rules):
    assert {finding.rule for finding in lint(text)} == set(rules.split(", "))


@pytest.mark.parametrize("text", GOOD.strip().splitlines())
def test_portable_text_passes_in_silence(text):
    assert lint(text) == []


def test_a_name_has_at_most_63_bytes():
    # PostgreSQL's NAMEDATALEN is 64 with the final zero; an e with an accent has two bytes.
    assert lint(f'select a as {"a" * 63}, b as "{"é" * 31}" from t') == []
    assert [f.rule for f in lint(f"select a as {'a' * 64} from t")] == ["identifier"]
    assert [f.rule for f in lint(f'select a as "{"é" * 32}" from t')] == ["identifier"]


def test_a_finding_is_at_its_line():
    text = textwrap.dedent(
        """\
        -- A comment.
        with

        totals as (

            select
                customer_id,
                sum(amount)
                    / count(*) as average,
                max(order_date)::date as last_date
            from "orders"
            group by customer_id

        )

        select * from totals
        limit 3
        """
    )

    places = [(finding.line, finding.rule) for finding in lint(text)]

    # Counted by hand: the quotient starts with sum(amount) on line 8; the limit's number is on 17.
    assert places == [(8, "division"), (10, "cast"), (17, "limit-order")]


def test_declared_types_replace_the_guess_from_the_name():
    text = "select min(cluster_id) as a, max(segment) as b, sum(visits) as c, d - e as f from t"

    guessed = [(f.rule, f.line) for f in lint(text)]
    told = [
        f.rule
        for f in lint(
            text,
            types={"cluster_id": "integer", "segment": "text", "visits": "integer", "d": "date"},
        )
    ]

    assert guessed == [("text-order", 1)]
    assert told == ["date-arithmetic", "integer-aggregate", "text-order"]


def test_known_columns_of_a_relation_decide_what_an_alias_means():
    text = 'select abs(a) as b, b + 1 as c from "orders"'

    assert [finding.rule for finding in lint(text)] == ["alias-reuse"]
    assert lint(text, relations={"orders": ["a", "b"]}) == []
    assert [f.rule for f in lint(text, relations={"orders": ["a"]})] == ["alias-reuse"]


def test_a_star_is_for_ctes_also_where_the_columns_of_a_relation_are_known():
    found = lint('select * from "orders"', relations={"orders": ["a", "b"]})

    assert [finding.rule for finding in found] == ["select-star"]


def test_further_functions_may_be_allowed():
    assert lint("select soundex(a) as b from t", functions=["soundex"]) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("select a\nfrom t\nwhere (a = 1", 3),
        ("select a\nfrom t\nwhere where", 3),
        ("select 'a\nfrom t", 2),
    ],
)
def test_a_text_that_is_no_sql_says_where(text, line):
    with pytest.raises(SqlSyntaxError) as caught:
        lint(text, shown="models/a.sql")

    assert isinstance(caught.value, ParseError)
    assert caught.value.line == line
    assert caught.value.where == f"models/a.sql:{line}"
    assert "class" not in caught.value.message


def test_every_macro_has_an_opaque_form():
    macros = Path(__file__).parents[1] / "macros"
    names = [
        name
        for path in macros.glob("*.sql")
        for name in re.findall(r"{% macro (\w+)\(", path.read_text("utf-8"))
    ]

    opaque = opaque_macros(names)

    assert opaque.safe_div("a", "b + 1") == "seg_safe_div(a, b + 1)"
    assert opaque.round("x", digits=2) == "seg_round(x, 2)"
    assert opaque.try_number("x", decimal_comma=True) == "seg_try_number(x, true)"
    assert opaque.try_date("x", "dmy") == "seg_try_date(x, 'dmy')"
    assert opaque.try_timestamp("x", date_order="it's") == "seg_try_timestamp(x, 'it''s')"
    assert opaque.ident('a"b') == '"a""b"'
    assert opaque.lit(0.0) == "seg_lit(0.0)"
    assert opaque.lit(None) == "null"
    assert opaque.lit(True) == "true"
    assert opaque.lit("it's") == "seg_lit('it''s')"
    assert opaque.fence() == ""
    assert not any("__" in name for name in vars(opaque))


def test_the_opaque_forms_are_themselves_portable():
    m = opaque_macros(
        re.findall(
            r"\w+",
            """
            double text ident lit safe_div round string_agg bin months numbers fence as_of try_date
            hash01 date_literal param
            """,
        )
    )
    text = f"""
        select
            {m.ident("Group")} as label,
            cast({m.safe_div("a", m.lit(0.5))} as {m.double()}) as ratio,
            cast(b as {m.text()}) as label_text,
            {m.round(m.hash01("customer_id", 3), 4)} as draw,
            {m.string_agg("c", "', '", m.bin("c") + " desc nulls last, d")} as names,
            {m.try_date("e", "dmy")} as day_read,
            s.n,
            m.month_start
        from t
        cross join {m.numbers(1, "(select max(n) from u)")} as s
        cross join {m.months("(select min(d) from u)", m.as_of())} as m
        where f = {m.param("k")} and g < {m.date_literal("2011-12-10")}
        group by label {m.fence()}
    """

    assert lint(text) == []


RESERVED_BY_ENGINE = {
    "duckdb": """
        select keyword_name from duckdb_keywords()
        where keyword_category in ('reserved', 'type_function')
    """,
    "postgres": "select word from pg_get_keywords() where catcode in ('R', 'T')",
}


def test_what_the_engine_reserves_is_reserved(engine):
    words = {word for (word,) in engine.fetch(RESERVED_BY_ENGINE[engine.dialect]).rows}

    assert len(words) > 50
    assert words - RESERVED == set()
