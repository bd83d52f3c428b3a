-- A customer's list, with the names of the items that speak for it.
with

names as (

    select item_id, max({{ seg_sql.bin_text('item_name') }}) as item_name
    from {{ ref('item_similarity') }} as item_similarity
    group by item_id

)

select
    recommendations.rank,
    recommendations.item_id,
    recommendations.item_name,
    recommendations.score,
    recommendations.source,
    recommendations.because_item_id,
    names.item_name as because_item_name
from {{ ref('recommendations') }} as recommendations
left join names
    on names.item_id = recommendations.because_item_id
where cast(recommendations.customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
order by recommendations.rank
