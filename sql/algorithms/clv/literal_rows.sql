-- Rows that were computed by the driver: parameters, centroids, quality.
-- Grain: as given; every column has its type also when there is no row.
select
    {% for column in columns -%}
    cast({{ column.name }} as {{ column.type }}) as {{ column.name }}{{ ',' if not loop.last }}
    {% endfor -%}
from (
    values
        {% for row in rows -%}
        ({{ row | join(', ') }}){{ ',' if not loop.last }}
        {% else -%}
        ({% for column in columns %}null{{ ', ' if not loop.last }}{% endfor %})
        {% endfor -%}
) as given ({{ columns | map(attribute='name') | join(', ') }})
{{ 'where false' if not rows }}
