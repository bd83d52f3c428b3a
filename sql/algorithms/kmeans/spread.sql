-- Where the prepared features lie and how far they spread, weighted: for the scaling.
-- Grain: group, numbered by the columns of `by`; one row without groups. Sums and squares are taken
-- from `offsets`, not far from the means for their spread, so that no digits are lost.
select
    {% for column in by -%}
    {{ column }},
    {% endfor -%}
    {% for offset in offsets -%}
    {% set place = loop.index0 -%}
    {% set x = '(x' ~ place ~ ' - ' ~ offset ~ ')' -%}
    sum({{ 'w * ' if weighted }}{{ x }}) as moved_{{ place }},
    sum({{ 'w * ' if weighted }}{{ x }} * {{ x }}) as squared_{{ place }},
    {% if extremes -%}
    min(x{{ place }}) as lowest_{{ place }},
    max(x{{ place }}) as highest_{{ place }},
    {% endif -%}
    {% if robust -%}
    percentile_cont(0.25) within group (order by x{{ place }}) as lower_{{ place }},
    percentile_cont(0.5) within group (order by x{{ place }}) as middle_{{ place }},
    percentile_cont(0.75) within group (order by x{{ place }}) as upper_{{ place }},
    {% endif -%}
    {% endfor -%}
    {{ 'sum(w)' if weighted else 'count(*)' }} as weight
from {{ points }}
{{ 'group by ' ~ by | join(', ') if by }}
