-- What rfm had to score at an earlier as_of.
(
    select
        customer_id,
        {{ seg_sql.as_of() }} as as_of,
        recency as recency_days,
        frequency,
        monetary
    from (
        {{ rfm_values | indent(8) }}
    ) as rfm_values
)
