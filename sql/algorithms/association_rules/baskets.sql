-- The baskets, each with its items as a list; an item that is in it twice is there once.
-- Grain: basket.
select
    {{ 'kept.group_key' if partitioned else "'all'" }} as group_key,
    {{ seg_sql.set_of('catalogue.catalogue_number') }} as item_numbers
from {{ kept }} as kept
inner join {{ catalogue }} as catalogue
    on catalogue.item_id = kept.item_id
    {%- if partitioned %}
    and catalogue.group_key = kept.group_key
    {%- endif %}
group by {{ 'kept.group_key, ' if partitioned }}kept.order_id
