-- Which segment each customer was in at each as_of that was built.
-- Grain: one row per as_of, source and customer_id; a source is the model that says the segment.
-- The rows of a source are written in the transaction that publishes it. Building an as_of again
-- replaces the rows of that as_of and source, and no others.
{{ config(
    materialized='history',
    unique_key=['as_of', 'source', 'customer_id'],
    indexes=[['as_of', 'source']],
    meta={'sources': ['rfm', 'customer_lifecycle', 'customer_clusters'], 'has_customers': true}
) }}

{%- set segments = {
    'rfm': 'segment',
    'customer_lifecycle': 'stage',
    'customer_clusters': 'cluster_label'
} %}

with

segments as (

    {% for source, segment in segments.items()
        if is_enabled(source) and source in (written_with or segments) -%}
    select as_of, '{{ source }}' as source, customer_id, {{ segment }} as segment
    from {{ ref(source) }} as {{ source }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from segments
