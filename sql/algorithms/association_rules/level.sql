-- The frequent itemsets of one size. A basket has a candidate if it has both sets that were joined to
-- it: two members of one class. A candidate that was cut before has no chance; to look for it here
-- pays where many were cut.
-- Grain: set_number, in the order of the items.
with

together as (

    select
        {{ seg_sql.packed('earlier.set_number', 'later.set_number') }} as candidate_key,
        count(*) as baskets
    from {{ members }} as earlier
    inner join {{ members }} as later
        on later.class_key = earlier.class_key
        and later.last_item > earlier.last_item
    {%- if candidates %}
    inner join {{ candidates }} as candidates
        on candidates.candidate_key
            = {{ seg_sql.packed('earlier.set_number', 'later.set_number') }}
    {%- endif %}
    group by 1

)

select
    cast(row_number() over (order by together.candidate_key) as integer) as set_number,
    earlier.set_number as prefix_number,
    together.candidate_key,
    {%- for place in range(1, size) %}
    earlier.item_{{ place }},
    {%- endfor %}
    later.last_item as item_{{ size }},
    later.last_item,
    together.baskets
from together
inner join {{ sets }} as earlier
    on earlier.set_number = {{ seg_sql.packed_first('together.candidate_key') }}
inner join {{ sets }} as later
    on later.set_number = {{ seg_sql.packed_second('together.candidate_key') }}
inner join {{ items }} as items
    on items.set_number = later.last_item
where together.baskets >= items.min_baskets
