-- The rules: each frequent itemset with each of its items as the consequent, if that is in enough of
-- the baskets that have the others, the antecedent.
-- Grain: group_key, rule_id. The rule with the highest lift is number 1; of equal ones that in more
-- baskets, then the one with fewer items, then by the numbers of the items.
with

found as (
{% for size in range(2, levels | length + 1) %}
    select
        {{ size }} as items,
        {%- for place in range(1, levels | length + 1) %}
        {{ 'itemsets.item_' ~ place if place <= size else 'cast(null as integer)' }} as item_{{ place }},
        {%- endfor %}
        antecedents.baskets as antecedent_baskets,
        itemsets.baskets,
        case places.place
            {%- for place in range(1, size + 1) %}
            when {{ place }} then itemsets.item_{{ place }}
            {%- endfor %}
        end as consequent
    from {{ levels[size - 1] }} as itemsets
    cross join (
        values {% for place in range(1, size + 1) %}({{ place }}){{ ', ' if not loop.last }}{% endfor %}
    ) as places (place)
    inner join {{ levels[size - 2] }} as antecedents
        {%- for place in range(1, size) %}
        {{ 'on' if loop.first else 'and' }} antecedents.item_{{ place }} = case
            when places.place <= {{ place }} then itemsets.item_{{ place + 1 }}
            else itemsets.item_{{ place }}
        end
        {%- endfor %}
    {%- if not loop.last %}

    union all
    {% endif %}
{%- endfor %}

),

counted as (

    select
        items.group_key,
        found.items,
        {%- for place in range(1, levels | length + 1) %}
        found.item_{{ place }},
        {%- endfor %}
        found.consequent,
        found.baskets,
        found.antecedent_baskets,
        items.baskets as consequent_baskets,
        items.all_baskets,
        {{ seg_sql.safe_div('found.baskets', 'found.antecedent_baskets') }} as confidence
    from found
    inner join {{ items }} as items
        on items.set_number = found.consequent

),

measured as (

    select
        group_key,
        items,
        {%- for place in range(1, levels | length + 1) %}
        item_{{ place }},
        {%- endfor %}
        consequent,
        baskets,
        {{ seg_sql.safe_div('baskets', 'all_baskets') }} as support,
        confidence,
        {{ seg_sql.safe_div(
            'cast(all_baskets as ' ~ seg_sql.double() ~ ') * baskets',
            'cast(antecedent_baskets as ' ~ seg_sql.double() ~ ') * consequent_baskets'
        ) }} as lift,
        {{ seg_sql.safe_div(
            'all_baskets * baskets - antecedent_baskets * consequent_baskets',
            'all_baskets * all_baskets'
        ) }} as leverage,
        {{ seg_sql.safe_div(
            '(all_baskets - consequent_baskets) * antecedent_baskets',
            'all_baskets * (antecedent_baskets - baskets)'
        ) }} as conviction,
        coalesce({{ seg_sql.safe_div(
            'all_baskets * baskets - antecedent_baskets * consequent_baskets',
            'greatest(baskets * (all_baskets - antecedent_baskets),'
            ~ ' antecedent_baskets * (consequent_baskets - baskets))'
        ) }}, 0) as zhang
    from counted
    where {{ seg_sql.round('confidence', 9) }} >= {{ seg_sql.lit(min_confidence) }}

)

select
    group_key,
    row_number() over (
        partition by group_key
        order by
            lift desc nulls last,
            baskets desc nulls last,
            items,
            {%- for place in range(1, levels | length + 1) %}
            item_{{ place }} nulls last,
            {%- endfor %}
            consequent
    ) as rule_id,
    items,
    {%- for place in range(1, levels | length + 1) %}
    item_{{ place }},
    {%- endfor %}
    consequent,
    baskets,
    support,
    confidence,
    lift,
    leverage,
    conviction,
    zhang
from measured
