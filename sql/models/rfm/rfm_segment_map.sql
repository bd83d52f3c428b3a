-- Which segment each triple of scores belongs to.
-- Grain: one row per r_score, f_score and m_score. A blank score in the seed stands for any.
{{ config(materialized='table', unique_key=['r_score', 'f_score', 'm_score']) }}

{%- set options = var('rfm') %}

with

triples as (

    select
        recency_scores.n as r_score,
        frequency_scores.n as f_score,
        monetary_scores.n as m_score
    from {{ seg_sql.numbers(1, options.bins.recency) }} as recency_scores
    cross join {{ seg_sql.numbers(1, options.bins.frequency) }} as frequency_scores
    cross join {{ seg_sql.numbers(1, options.bins.monetary) }} as monetary_scores

),

-- A score that is blank in every row of a map has no type of its own.
seed as (

    select
        cast(r_score as integer) as r_score,
        cast(f_score as integer) as f_score,
        cast(m_score as integer) as m_score,
        segment,
        segment_order,
        description,
        suggested_action
    from {{ ref('rfm_map_' ~ options.segment_map) }} as rfm_map

),

segment_map as (

    select
        triples.r_score,
        triples.f_score,
        triples.m_score,
        seed.segment,
        seed.segment_order,
        seed.description,
        seed.suggested_action
    from triples
    inner join seed
        on (seed.r_score is null or seed.r_score = triples.r_score)
        and (seed.f_score is null or seed.f_score = triples.f_score)
        and (seed.m_score is null or seed.m_score = triples.m_score)

)

select * from segment_map
