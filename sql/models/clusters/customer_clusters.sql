-- Groups of customers who are alike in recency, frequency and monetary value.
-- Grain: one row per customer of rfm. Beside it lie the outputs of the fit: customer_clusters_profile
-- says what each cluster is like, _quality how well each number of clusters fits. In a young shop,
-- where nobody has come back yet, frequency is the same for all and left out with a warning.
{{ config(
    materialized='kmeans',
    unique_key='customer_id',
    k='auto',
    transform='log1p',
    scaling='zscore',
    constant='drop',
    seed=1,
) }}

select customer_id, recency_days, frequency, monetary
from {{ ref('rfm') }}
