{#- What a basket counts by its age. -#}
{%- if half_life_days -%}
{{ seg_sql.age_weight('max(lines.order_date)', seg_sql.date_literal(as_of), half_life_days) }}
{%- else -%}
{{ seg_sql.lit(1.0) }}
{%- endif -%}
