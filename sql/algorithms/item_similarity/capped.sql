-- The baskets as they are counted: a large one
{%- if sampled %} keeps those {{ max_items }} items whose hashes, of basket and item, are smallest.
{%- else %} is left out.
{%- endif %}
-- Grain: basket and item.
select bought.unit_no, bought.item_no
from {{ bought }} as bought
left join {{ large }} as large
    on large.unit_no = bought.unit_no
where large.unit_no is null
{%- if sampled %}

union all

select unit_no, item_no
from (
    select
        bought.unit_no,
        bought.item_no,
        row_number() over (
            partition by bought.unit_no
            order by
                {{ seg_sql.hash01(
                    "cast(units.unit_id as " ~ seg_sql.text() ~ ") || '|' || cast(items.item_id as "
                    ~ seg_sql.text() ~ ")"
                ) }},
                bought.item_no
        ) as place
    from {{ bought }} as bought
    inner join {{ large }} as large
        on large.unit_no = bought.unit_no
    inner join {{ units }} as units
        on units.unit_no = bought.unit_no
    inner join {{ items }} as items
        on items.item_no = bought.item_no
) as hashed
where place <= {{ max_items }}
{%- endif %}
