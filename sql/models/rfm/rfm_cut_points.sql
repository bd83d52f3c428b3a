-- Where each score begins and ends, and how many customers have it.
-- Grain: one row per measure and score. A value scores with the interval (lower_bound,
-- upper_bound]; the first has no lower and the last no upper bound. Quantiles are type 7 (linear
-- interpolation). A score that ties leave empty is shown with 0 customers.
{{ config(materialized='table', unique_key=['measure', 'score']) }}

{%- set options = var('rfm') %}
{%- set measures = ['recency', 'frequency', 'monetary'] %}

with

customers as (

    select customer_id, recency, frequency, monetary
    from {{ ref('rfm_values') }} as rfm_values

),

{% set quantiles_of = [] -%}
{%- for measure in measures
    if options.ties[measure] == 'value' and not options.cut_points[measure]
        and not keeps_fit('rfm_cut_points') -%}
    {%- do quantiles_of.append(measure) -%}
{%- endfor -%}
{%- if quantiles_of %}
-- All quantiles of a measure at once: each alone would collect the values again.
quantiles as (

    select
        {% for measure in quantiles_of -%}
        {{ seg_sql.quantiles(measure, options.bins[measure]) }} as {{ measure }}
        {%- if not loop.last %},
        {% endif %}
        {%- endfor %}
    from customers

),

{% endif -%}
-- One row with every cut point: fixed ones, the published ones, or quantiles of the values.
cuts as (

    select
        {% for measure in measures if options.ties[measure] == 'value' -%}
        {% for cut in range(1, options.bins[measure]) -%}
        {% if options.cut_points[measure] -%}
        {{ seg_sql.lit(options.cut_points[measure][loop.index0]) }}
        {%- elif keeps_fit('rfm_cut_points') -%}
        {{ seg_sql.rfm_cut(measure, cut, options.bins[measure]) }}
        {%- else -%}
        {{ seg_sql.round(seg_sql.element(measure, cut)) }}
        {%- endif %} as {{ measure }}_cut_{{ cut }},
        {% endfor -%}
        {% endfor -%}
        {% if keeps_fit('rfm_cut_points') -%}
        max(fitted_as_of) as fitted_as_of
    from {{ this }}
        {%- else -%}
        {{ seg_sql.as_of() }} as fitted_as_of
        {%- if quantiles_of %}
    from quantiles
        {%- endif %}
        {%- endif %}

),

scored as (

    select
        {% for measure in measures -%}
        cast(customers.{{ measure }} as {{ seg_sql.double() }}) as {{ measure }},
        {{ seg_sql.rfm_scored(
            measure, 'customers.' ~ measure, 'customers.customer_id', options
        ) }} as {{ measure }}_score
        {{- ',' if not loop.last }}
        {% endfor %}
    from customers
    cross join cuts

),

-- At most one row for each triple of scores, so that the customers are read once.
cells as (

    select
        {% for measure in measures -%}
        {{ measure }}_score,
        min({{ measure }}) as lowest_{{ measure }},
        max({{ measure }}) as highest_{{ measure }},
        {% endfor -%}
        count(*) as customers
    from scored
    group by {% for measure in measures %}{{ measure }}_score{{ ', ' if not loop.last }}{% endfor %}

),

counted as (

    {% for measure in measures -%}
    select
        '{{ measure }}' as measure,
        {{ measure }}_score as score,
        {{ seg_sql.isum('customers') }} as customers,
        min(lowest_{{ measure }}) as lowest,
        max(highest_{{ measure }}) as highest
    from cells
    group by {{ measure }}_score
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

bounds as (

    {% for measure in measures -%}
    {%- set bins = options.bins[measure] -%}
    {%- for score in range(1, bins + 1) -%}
    {#- `below` cut points lie below this score. -#}
    {%- set below = bins - score if measure == 'recency' else score - 1 -%}
    select
        '{{ measure }}' as measure,
        {{ score }} as score,
        {% if options.ties[measure] == 'value' and below > 0 -%}
        {{ measure }}_cut_{{ below }}
        {%- else -%}
        cast(null as {{ seg_sql.double() }})
        {%- endif %} as lower_bound,
        {% if options.ties[measure] == 'value' and below + 1 < bins -%}
        {{ measure }}_cut_{{ below + 1 }}
        {%- else -%}
        cast(null as {{ seg_sql.double() }})
        {%- endif %} as upper_bound,
        fitted_as_of
    from cuts

    {{ 'union all' if not loop.last }}

    {% endfor %}
    {{- 'union all' if not loop.last }}

    {% endfor %}
),

cut_points as (

    select
        bounds.measure,
        bounds.score,
        {% if 'ntile' in options.ties.values() -%}
        coalesce(bounds.lower_bound, case
            when bounds.measure in ({% for m in measures if options.ties[m] == 'ntile' -%}
                '{{ m }}'{{ ', ' if not loop.last }}{% endfor %}) then counted.lowest
        end) as lower_bound,
        coalesce(bounds.upper_bound, case
            when bounds.measure in ({% for m in measures if options.ties[m] == 'ntile' -%}
                '{{ m }}'{{ ', ' if not loop.last }}{% endfor %}) then counted.highest
        end) as upper_bound,
        {%- else -%}
        bounds.lower_bound,
        bounds.upper_bound,
        {%- endif %}
        coalesce(counted.customers, 0) as customers,
        bounds.fitted_as_of
    from bounds
    left join counted on counted.measure = bounds.measure and counted.score = bounds.score

)

select * from cut_points
