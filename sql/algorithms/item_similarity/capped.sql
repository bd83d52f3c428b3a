-- The baskets as they are counted: a large one
{%- if sampled %} keeps those {{ max_items }} items whose hashes, of basket and item, are smallest.
{%- else %} is left out.
{%- endif %}
-- Grain: group and basket.
select group_key, weight, item_nos
from {{ units }} as units
where {{ seg_sql.list_size('item_nos') }} <= {{ max_items }}
{%- if sampled %}

union all

select group_key, weight, {{ seg_sql.list_of('item_no') }} as item_nos
from (
    select
        large.basket_no,
        large.group_key,
        large.weight,
        large.item_no,
        row_number() over (
            partition by large.basket_no
            order by
                {{ seg_sql.hash01(
                    "cast(large.unit_id as " ~ seg_sql.text() ~ ") || '|' || cast(items.item_id as "
                    ~ seg_sql.text() ~ ")"
                ) }},
                large.item_no
        ) as place
    from (
        select
            basket_no,
            group_key,
            unit_id,
            weight,
            {{ seg_sql.unnested('item_nos') }} as item_no
        from (
            select {{ seg_sql.some_number() }} as basket_no, group_key, unit_id, weight, item_nos
            from {{ units }} as units
            where {{ seg_sql.list_size('item_nos') }} > {{ max_items }}
        ) as numbered
    ) as large
    inner join {{ items }} as items
        on items.item_no = large.item_no
) as hashed
where place <= {{ max_items }}
group by basket_no, group_key, weight
{%- endif %}
