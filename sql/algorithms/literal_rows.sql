-- Rows that were computed by the driver: parameters, centroids, quality.
-- Grain: as given; every column has its type also when there is no row.
{%- set types = {'text': seg_sql.text(), 'double': seg_sql.double()} %}
select
    {% for column in columns -%}
    cast("{{ column.name }}" as {{ types.get(column.data_type, column.data_type) }}) as "{{ column.name }}"{{ ',' if not loop.last }}
    {% endfor -%}
from (
    values
        {% for row in rows -%}
        ({{ row | join(', ') }}){{ ',' if not loop.last }}
        {% else -%}
        ({% for column in columns %}null{{ ', ' if not loop.last }}{% endfor %})
        {% endfor -%}
) as given ({% for column in columns %}"{{ column.name }}"{{ ', ' if not loop.last }}{% endfor %})
{{ 'where false' if not rows }}
