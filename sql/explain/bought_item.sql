-- In how many orders an item was bought, if it was.
select
    count(distinct case when reason = 'kept' then order_id end) as orders,
    count(*) as line_count,
    count(case when reason = 'not a product' then 1 end) as no_product_count,
    min(case when reason <> 'kept' then {{ seg_sql.bin_text('reason') }} end) as other_reason
from {{ ref('item_lines') }} as item_lines
where cast(item_id as {{ seg_sql.text() }}) = {{ seg_sql.item_key(seg_sql.param('item')) }}
