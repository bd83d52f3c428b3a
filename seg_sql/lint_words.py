"""The words that the linter knows: functions, reserved words, and kinds of value."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = _words("""
    abs avg bool_and bool_or ceil coalesce corr count covar_pop covar_samp cume_dist date_trunc
    dense_rank exp extract first_value floor greatest grouping lag last_value lead least left length
    ln log10 lower lpad max md5 min mod nth_value ntile nullif percent_rank percentile_cont
    percentile_disc position power rank regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy replace right row_number sign split_part sqrt stddev_pop
    stddev_samp substring sum trim upper var_pop var_samp
""")
"""The functions that mean the same on every engine."""

_ARBITRARY = "row_number() = 1 in a subquery: which row it takes is arbitrary"
_PERCENTILE = "percentile_cont(q) within group (order by x)"

INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(_words("any_value arbitrary first last mode"), _ARBITRARY),
    **dict.fromkeys(_words("arg_max arg_min argmax argmin max_by min_by"), _ARBITRARY),
    **dict.fromkeys(_words("median quantile quantile_cont approx_quantile"), _PERCENTILE),
    **dict.fromkeys(
        _words("date_diff datediff date_sub datesub age"), "seg_sql.days_between or months_between"
    ),
    **dict.fromkeys(_words("array_agg list group_concat listagg"), "seg_sql.string_agg, or rows"),
    **dict.fromkeys(_words("now today getdate"), "seg_sql.as_of: the clock moves between runs"),
    **dict.fromkeys(_words("random rand setseed"), "seg_sql.hash01(id, seed): the same each run"),
    **dict.fromkeys(_words("hash md5_number md5_number_lower"), "seg_sql.hash01"),
    **dict.fromkeys(_words("concat concat_ws"), "coalesce and ||: NULL is treated differently"),
    **dict.fromkeys(_words("strptime try_strptime to_timestamp"), "seg_sql.try_timestamp"),
    **dict.fromkeys(_words("strftime to_char monthname dayname"), "seg_sql.month_label"),
    "date_add": "seg_sql.add_days or add_months",
    "generate_series": "seg_sql.numbers or months",
    "isfinite": "seg_sql.is_finite",
    "isnan": "seg_sql.is_finite",
    "lgamma": "seg_sql.lgamma",
    "log": "ln or log10: the base differs",
    "pow": "power, or x * x",
    "range": "seg_sql.numbers",
    "round": "seg_sql.round: halves are rounded differently",
    "string_agg": "seg_sql.string_agg",
    "substr": "substring",
    "to_date": "seg_sql.try_date",
}
"""What to write instead of a function that differs."""

BEFORE_PAREN = _words("""
    all and any as between by case cast columns cube distinct else end except exclude exists filter
    from group having in intersect interval is join lateral like limit materialized not null offset
    on or order over partition pivot recursive rollup select sets some then try_cast union unique
    unpivot using values when where with within
""")
"""Keywords that may stand before a parenthesis, or that have a rule of their own."""

RESERVED = _words("""
    all analyse analyze and anti any array as asc asof asymmetric at authorization between binary
    both by case cast check collate collation column columns concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp
    current_user day default deferrable desc describe distinct do else end except exists extract
    false fetch for foreign freeze from full generated glob grant group grouping having hour ilike
    in initially inner intersect interval into is isnull join lambda lateral leading left like limit
    localtime localtimestamp map minute month natural not notnull null offset on only or order outer
    overlaps pivot pivot_longer pivot_wider placing position positional primary qualify references
    returning right row second select semi session_user show similar size some struct summarize
    symmetric system_user table tablesample then time to trailing true try_cast tuple union unique
    unpack unpivot user using values variadic verbose when where window with year
""")
"""Reserved in PostgreSQL or DuckDB, or in the grammar of dates."""

KINDS: Mapping[str, str] = {
    **dict.fromkeys(_words("int integer bigint"), "integer"),
    **dict.fromkeys(_words("seg_double double"), "double"),
    **dict.fromkeys(_words("seg_text text id"), "text"),
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
"""The kind of value by type, of SQL and of schema.yml."""

FUNCTION_KINDS: Mapping[str, str] = {
    **dict.fromkeys(
        _words("""
            seg_safe_div seg_safe_exp seg_safe_ln seg_lgamma seg_round seg_hash01 seg_try_number
            avg ln exp sqrt percentilecont stddevpop stddevsamp variance variancepop corr
            percentrank cumedist
        """),
        "double",
    ),
    **dict.fromkeys(
        _words("""
            seg_isum seg_days_between seg_months_between count rownumber rank denserank ntile length
        """),
        "integer",
    ),
    **dict.fromkeys(
        _words("""
            seg_add_days seg_add_months seg_as_of seg_date_literal seg_month_floor seg_try_date
        """),
        "date",
    ),
    **dict.fromkeys(_words("seg_bin seg_bin_text seg_month_label seg_string_agg"), "text"),
    **dict.fromkeys(
        _words("and or not eq neq gt gte lt lte is in between like boolean exists"), "boolean"
    ),
    "seg_try_timestamp": "timestamp",
}
"""The kind of value by macro, and by the parser's name of a function or operator."""

SAME_KIND = _words(
    "paren neg alias window withingroup sum min max lag lead firstvalue lastvalue filter"
)
"""What is of the kind of its first argument."""

COMMON_KIND = _words("coalesce greatest least nullif add sub mul case")
"""What is of the kind that its arguments share."""

RANKING = _words("""
    rownumber rank denserank ntile lag lead firstvalue lastvalue nthvalue percentrank cumedist
""")
"""Window functions that mean nothing without an order."""
