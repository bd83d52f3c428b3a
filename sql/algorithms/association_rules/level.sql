-- The frequent itemsets of one size. A basket has as many sets of this size as there are pairs in its
-- classes: the items of the class before the last, and any two of its last items.
-- Grain: set_number, in the order of the items.
{%- set in_a_prefix = size > 2 %}
with

together as (

    select
        {%- if in_a_prefix %}
        prefix_number,
        {%- endif %}
        {{ seg_sql.packed('earlier_item', 'later_item') }} as pair_key,
        count(*) as baskets
    from (
        select
            prefix_number,
            earlier_item,
            {{ seg_sql.unnested('last_items') }} as later_item
        from (
            select
                prefix_number,
                last_items,
                {{ seg_sql.unnested('last_items') }} as earlier_item
            from {{ classes }} as classes
            where {{ seg_sql.list_size('last_items') }} > 1
        ) as earlier
    ) as pairs
    where later_item > earlier_item
    group by {{ '1, 2' if in_a_prefix else '1' }}

)

select
    cast(
        row_number() over (
            order by {{ 'together.prefix_number, ' if in_a_prefix }}together.pair_key
        ) as integer
    ) as set_number,
    earlier.set_number as prefix_number,
    {%- for place in range(1, size) %}
    earlier.item_{{ place }},
    {%- endfor %}
    items.set_number as item_{{ size }},
    items.set_number as last_item,
    together.baskets
from together
inner join {{ items }} as items
    on items.set_number = {{ seg_sql.packed_second('together.pair_key') }}
inner join {{ sets }} as earlier
    on earlier.last_item = {{ seg_sql.packed_first('together.pair_key') }}
    {%- if in_a_prefix %}
    and earlier.prefix_number = together.prefix_number
    {%- endif %}
where together.baskets >= items.min_baskets
