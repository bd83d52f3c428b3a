-- Between which values the segments lay at each as_of that was built, and since when.
-- Grain: one row per as_of, source, measure and score. It is what segment_moves compares with: a
-- customer who would not have moved between the earlier bounds was moved by the new ones.
-- customer_lifecycle: the thresholds of the customers without a rhythm of their own.
-- customer_clusters: no bounds, only the day of the fit.
{{ config(
    materialized='history',
    unique_key=['as_of', 'source', 'measure', 'score'],
    meta={
        'sources': ['rfm', 'customer_lifecycle', 'customer_clusters'],
        'order_by': ['as_of', 'source', 'measure', 'score']
    }
) }}

{%- set sources = ['rfm', 'customer_lifecycle', 'customer_clusters'] %}

with

cut_points as (

    {% for source in sources if is_enabled(source) and source in (written_with or sources) -%}
    {% if source == 'rfm' -%}
    select
        {{ seg_sql.as_of() }} as as_of,
        'rfm' as source,
        measure,
        score,
        lower_bound,
        upper_bound,
        customers,
        fitted_as_of
    from {{ ref('rfm_cut_points') }} as rfm_cut_points
    {%- elif source == 'customer_lifecycle' -%}
    select
        as_of,
        'customer_lifecycle' as source,
        'days_since_last' as measure,
        1 as score,
        max(case when threshold_source = 'population' then at_risk_after_days end)
            as lower_bound,
        max(case when threshold_source = 'population' then churned_after_days end)
            as upper_bound,
        count(case when threshold_source = 'population' then 1 end) as customers,
        as_of as fitted_as_of
    from {{ ref('customer_lifecycle') }} as customer_lifecycle
    group by as_of
    {%- else -%}
    select
        as_of,
        'customer_clusters' as source,
        'cluster' as measure,
        1 as score,
        cast(null as {{ seg_sql.double() }}) as lower_bound,
        cast(null as {{ seg_sql.double() }}) as upper_bound,
        count(*) as customers,
        max(fitted_as_of) as fitted_as_of
    from {{ ref('customer_clusters') }} as customer_clusters
    group by as_of
    {%- endif %}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from cut_points
