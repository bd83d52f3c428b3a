-- Which models were built last as of another day than this one.
-- Grain: model. The record counts in whole seconds: of builds within one second any may be the last.
select model, max(as_of) as as_of
from (
    select
        model,
        as_of,
        max(case when as_of = {{ seg_sql.date_literal(day) }} then 1 else 0 end) over (
            partition by model, finished_at
        ) as has_day,
        rank() over (partition by model order by finished_at desc nulls last) as place
    from {{ runs }} as runs
    where
        status = 'success'
        and as_of is not null
        and model in (
            {%- for model in models %}{{ seg_sql.lit(model) }}{{ ', ' if not loop.last }}{% endfor -%}
        )
) as builds
where place = 1 and has_day = 0
group by model
order by model
