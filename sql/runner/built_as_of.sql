-- As of which day models were built last.
-- Grain: model.
select model, as_of
from (
    select
        model,
        as_of,
        row_number() over (
            partition by model
            order by finished_at desc nulls last, run_id desc nulls last
        ) as place
    from {{ runs }} as runs
    where
        status = 'success'
        and model in (
            {%- for model in models %}{{ seg_sql.lit(model) }}{{ ', ' if not loop.last }}{% endfor -%}
        )
) as builds
where place = 1
order by model
