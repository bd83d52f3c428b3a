-- Which segment each customer was in at each as_of that was built.
-- Grain: one row per as_of, source and customer_id; a source is the model that says the segment.
-- The rows of a source are written in the transaction that publishes it. Building an as_of again
-- replaces the rows of that as_of and source, and no others.
-- A cluster is known by its group and number, which a refit keeps; its label may change. These are
-- segment_id, which is NULL where the segment's name is all there is.
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
    select
        as_of,
        '{{ source }}' as source,
        customer_id,
        {{ segment }} as segment,
        {% if source == 'customer_clusters' -%}
        cast(group_key as {{ seg_sql.text() }}) || ' ' || cast(cluster_id as {{ seg_sql.text() }})
        {%- else -%}
        cast(null as {{ seg_sql.text() }})
        {%- endif %} as segment_id
    from {{ ref(source) }} as {{ source }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from segments
