-- The options of some models in the last run that built other ones from them.
-- The record counts in whole seconds: of several runs within one any may be the last.
select distinct builds.model as built, options.model as owner, options.parameter, options.value
from (
    select
        run_id,
        model,
        rank() over (partition by model order by finished_at desc nulls last) as place
    from {{ runs }} as runs
    where
        status = 'success'
        and model in (
            {%- for model in models %}{{ seg_sql.lit(model) }}{{ ', ' if not loop.last }}{% endfor -%}
        )
) as builds
inner join {{ records }} as options on options.run_id = builds.run_id
where
    builds.place = 1
    and options.model in (
        {%- for owner in owners %}{{ seg_sql.lit(owner) }}{{ ', ' if not loop.last }}{% endfor -%}
    )
