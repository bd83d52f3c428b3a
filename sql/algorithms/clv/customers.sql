-- The customers that take part, as the statements of the fit read them.
-- Grain: one row per customer; `fit` numbers the fit of the customer's group. A recency without a
-- repeat purchase, or above the age, is an error of the data and counted in the exclusions.
select
    {% for column in kept -%}
    {{ column }},
    {% endfor -%}
    {{ 'fits.fit' if columns else fits[0].fit }} as fit,
    cast(summary.{{ prefix }}frequency as {{ seg_sql.double() }}) as frequency,
    cast(summary.{{ prefix }}recency as {{ seg_sql.double() }}) as recency,
    cast(summary.{{ prefix }}age as {{ seg_sql.double() }}) as age,
    cast(summary.{{ prefix }}monetary_value as {{ seg_sql.double() }}) as monetary_value
from {{ relation }} as summary
{% if columns -%}
inner join {{ seg_sql.clv_rows(fits, ['group_key', 'fit']) }}
    on fits.group_key = {{ seg_sql.kmeans_group(columns) }}
{% endif -%}
where {{ condition }}
