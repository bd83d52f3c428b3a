-- The rows of merged customers under the ids that they stand for today.
-- Grain: one row per as_of, source and surviving id that has no row of its own; of several merged
-- ids the lowest one counts. Had the customers been one then, the segment might have been another:
-- `seg-sql backfill` works that out.
select {{ columns | join(', ') }}
from (
    select
        history.as_of,
        history.source,
        merges.surviving_id as customer_id,
        {% for column in columns if column not in ('as_of', 'source', 'customer_id') -%}
        history.{{ column }},
        {% endfor -%}
        row_number() over (
            partition by history.as_of, history.source, merges.surviving_id
            order by {{ seg_sql.bin('history.customer_id') }}
        ) as place
    from {{ history }} as history
    inner join {{ merges }} as merges on merges.customer_id = history.customer_id
) as merged
where
    place = 1
    and not exists (
        select 1
        from {{ history }} as survivors
        where
            survivors.as_of = merged.as_of
            and survivors.source = merged.source
            and survivors.customer_id = merged.customer_id
    )
