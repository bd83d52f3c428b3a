{# Rows of numbers from the driver, as a relation `name` of the columns `names`. #}
{% macro clv_rows(rows, names, name='fits') -%}
    (
        values
        {%- for row in rows %}
            ({% for column in names %}{{ seg_sql.lit(row[column]) }}{{ ', ' if not loop.last }}{% endfor %})
            {{- ',' if not loop.last }}
        {%- endfor %}
    ) as {{ name }} ({{ names | join(', ') }})
{%- endmacro %}


{# Days in one unit of time of the CLV models: the project var `clv_time_unit`. #}
{% macro clv_unit_days() -%}
    {{ seg_sql.lit({'day': 1.0, 'week': 7.0, 'month': 30.4375}[var('clv_time_unit', 'week')]) }}
{%- endmacro %}


{# Whole days as units of time, never rounded. #}
{% macro clv_units(days) -%}
    {{ seg_sql.safe_div(days, seg_sql.clv_unit_days()) }}
{%- endmacro %}


{# The horizon of the model clv in days, negative: from the end back. #}
{% macro clv_horizon_days() -%}
    {%- set horizon = var('clv', {}).get('horizon', 52) -%}
    cast(floor(-{{ horizon }} * {{ seg_sql.clv_unit_days() }} + {{ seg_sql.lit(0.5) }}) as integer)
{%- endmacro %}


{# The last day that a CLV model is calibrated on: that of the model clv, or two thirds through the
   span from `first_day` to `last_day`; NULL when that is under 26 weeks. #}
{% macro clv_calibration_end(first_day, last_day) -%}
    {%- set given = var('clv', {}).get('calibration_end') -%}
    {%- if given -%}
        case
            when {{ seg_sql.date_literal(given) }} >= {{ first_day }}
                and {{ seg_sql.date_literal(given) }} < {{ last_day }}
                then {{ seg_sql.date_literal(given) }}
        end
    {%- else -%}
        {%- set span = seg_sql.days_between(first_day, last_day) -%}
        case
            when {{ span }} >= 182
                then {{ seg_sql.add_days(first_day, 'floor(2 * ' ~ span ~ ' / ' ~ seg_sql.lit(3.0) ~ ')') }}
        end
    {%- endif -%}
{%- endmacro %}


{# As an aggregate over the lines of a customer and a day: whether they are a purchase. Of no value
   they are one; with something given back they must be worth something. #}
{% macro clv_is_purchase(amount, quantity) -%}
    (
        max(case when {{ amount }} < 0 or {{ quantity }} < 0 then 1 else 0 end) = 0
        or {{ seg_sql.round('sum(' ~ amount ~ ')') }} > 0
    )
{%- endmacro %}


{# As an aggregate: the value at the first date, where no two dates are equal. #}
{% macro clv_value_at_first(value, d) -%}
    {{ adapter.dispatch('clv_value_at_first', 'seg_sql')(value, d) }}
{%- endmacro %}

{% macro default__clv_value_at_first(value, d) -%}
    arg_min({{ value }}, {{ d }})
{%- endmacro %}

{# No arg_min in PostgreSQL. #}
{% macro postgres__clv_value_at_first(value, d) -%}
    (array_agg({{ value }} order by {{ d }}))[1]
{%- endmacro %}
