{#- What a basket counts by its age, 1 today and half of it after each half-life. From 30 half-lives
    on it stays what it is, so that products do not underflow. -#}
{%- if half_life_days -%}
{{ seg_sql.safe_exp(
    seg_sql.lit(-0.6931471805599453) ~ ' * least('
    ~ seg_sql.safe_div(seg_sql.days_between('last_date', seg_sql.date_literal(as_of)), half_life_days)
    ~ ', 30)'
) }}
{%- else -%}
{{ seg_sql.lit(1.0) }}
{%- endif -%}
