-- Item ids that begin like the one that was not found.
select distinct cast(item_id as {{ seg_sql.text() }}) as item_id
from {{ ref('item_lines') }} as item_lines
where left(cast(item_id as {{ seg_sql.text() }}), {{ length }}) = {{ seg_sql.param('start') }}
order by item_id
limit 3
