-- A customer's values and scores, and what the segment means.
select
    rfm.as_of,
    rfm.first_order_date,
    rfm.last_order_date,
    rfm.recency_days,
    rfm.frequency,
    rfm.monetary,
    rfm.r_score,
    rfm.f_score,
    rfm.m_score,
    rfm.rfm_code,
    rfm.segment,
    segments.description,
    segments.suggested_action
from {{ ref('rfm') }} as rfm
left join {{ ref('rfm_segment_map') }} as segments
    on segments.r_score = rfm.r_score
    and segments.f_score = rfm.f_score
    and segments.m_score = rfm.m_score
where cast(rfm.customer_id as {{ seg_sql.text() }}) = {{ seg_sql.param('customer') }}
