{# Whether a customer can be a row of a fit. NaN is above infinity on every engine. #}
{%- set double = seg_sql.double() -%}
{%- set infinity = "cast('Infinity' as " ~ double ~ ")" -%}
{%- for column in keys %}{{ column }} is not null and {% endfor -%}
summary.{{ prefix }}frequency >= 0
    and summary.{{ prefix }}recency >= 0
    and summary.{{ prefix }}age >= summary.{{ prefix }}recency
    and cast(summary.{{ prefix }}frequency as {{ double }}) < {{ infinity }}
    and cast(summary.{{ prefix }}age as {{ double }}) < {{ infinity }}
    and (summary.{{ prefix }}frequency > 0 or summary.{{ prefix }}recency <= 0)
