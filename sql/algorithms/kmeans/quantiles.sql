-- The means and some quantiles of the features in their own units: for filling and winsorising.
-- Grain: group, numbered by the columns of `by`; one row without groups. Missing values take no part.
select
    {% for column in by -%}
    {{ column }},
    {% endfor -%}
    {% for column in columns -%}
    {% set place = loop.index0 -%}
    {% for quantile in quantiles -%}
    percentile_cont({{ quantile }}) within group (
        order by cast({{ column }} as {{ seg_sql.double() }})
    ) as quantile_{{ loop.index0 }}_{{ place }},
    {% endfor -%}
    avg(cast({{ column }} as {{ seg_sql.double() }})) as mean_{{ place }}{{ ',' if not loop.last }}
    {% endfor -%}
from {{ relation }}
{{ 'group by ' ~ by | join(', ') if by }}
