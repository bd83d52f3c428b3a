-- The baskets without items that are in too few of them: a pair with such an item is never made.
-- Grain: basket.
select
    {%- if weighted %}
    bought.weight,
    {%- endif %}
    {{ seg_sql.list_of('bought.item_no') }} as item_nos
from (
    select
        {{- ' weight,' if weighted }} basket_no, {{ seg_sql.unnested('item_nos') }} as item_no
    from (
        select{{ ' weight,' if weighted }} {{ seg_sql.some_number() }} as basket_no, item_nos
        from {{ baskets }} as baskets
    ) as numbered
) as bought
inner join {{ counts }} as counts
    on counts.item_no = bought.item_no
    and counts.baskets >= {{ min_item_baskets }}
group by bought.basket_no{{ ', bought.weight' if weighted }}
