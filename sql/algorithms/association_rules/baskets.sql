-- The baskets, each with a list of its items that may be frequent; an item that is in it twice is
-- there once.
-- Grain: basket. It is a class whose sets have no item before the last: prefix_number is the group.
select
    {{ 'catalogue.partition_number' if partitioned else '1' }} as prefix_number,
    {{ seg_sql.set_of('catalogue.item_number') }} as last_items
from {{ kept }} as kept
inner join {{ catalogue }} as catalogue
    on catalogue.item_id = kept.item_id
    {%- if partitioned %}
    and catalogue.group_key = kept.group_key
    {%- endif %}
where catalogue.may_be_frequent = 1
group by {{ 'catalogue.partition_number, ' if partitioned }}kept.order_id
