-- The customers with their expected orders and value, and their tenth by it; 1 is the best.
-- Grain: one row per customer. Equal values are in the same tenth. Where nothing has to be joined,
-- for one group and known cut points, nothing is: that is written in less time.
{%- set one = fits | length == 1 %}
with

scored as (

    {% for each in scored -%}
    select
        {% for column in kept -%}
        {{ column }},
        {% endfor -%}
        fit, frequency, recency, age, monetary_value, historic_value,
        p_alive, expected_orders, expected_order_value, clv
    from {{ each }} as scored
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{%- if not cuts %},

cut_points as (

    {{ cut_points }}

)
{%- endif %}

select
    {% for inner, key in keys.items() -%}
    scored.{{ inner }} as {{ key }},
    {% endfor -%}
    cast({{ as_of }} as date) as as_of,
    {{ seg_sql.lit(fits[0].group_key) if one else 'fits.group_key' }} as group_key,
    {{ seg_sql.lit(fits[0].model) if one else 'fits.model' }} as model,
    cast(scored.frequency as bigint) as frequency,
    scored.recency,
    scored.age,
    scored.monetary_value,
    scored.p_alive,
    scored.expected_orders,
    scored.expected_order_value,
    scored.clv,
    scored.historic_value,
    case
        {% for share in range(9, 0, -1) -%}
        when {{ seg_sql.round('scored.clv') }}
            > {{ cuts[share - 1] if cuts else 'cut_points.c' ~ share }} then {{ 10 - share }}
        {% endfor -%}
        else 10
    end as clv_decile,
    cast({{ horizon_end }} as date) as horizon_end,
    cast({{ fitted_as_of }} as date) as fitted_as_of
from scored
{% if not one -%}
inner join {{ seg_sql.clv_rows(fits, ['fit', 'group_key', 'model']) }} on fits.fit = scored.fit
{% endif -%}
{% if not cuts -%}
cross join cut_points
{% endif -%}
