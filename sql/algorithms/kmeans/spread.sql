-- Where the prepared features lie and how far they spread, weighted: for the scaling.
-- One row. The squares are taken from `offsets`, near the means, so that no digits are lost.
select
    sum(w) as weight,
    count(*) as row_count,
    {% for offset in offsets -%}
    min(x{{ loop.index0 }}) as lowest_{{ loop.index0 }},
    max(x{{ loop.index0 }}) as highest_{{ loop.index0 }},
    sum(w * (x{{ loop.index0 }} - {{ offset }})) as moved_{{ loop.index0 }},
    sum(w * (x{{ loop.index0 }} - {{ offset }}) * (x{{ loop.index0 }} - {{ offset }}))
        as squared_{{ loop.index0 }}{{ ',' if not loop.last or robust }}
    {% endfor -%}
    {% if robust -%}
    {% for offset in offsets -%}
    percentile_cont(0.25) within group (order by x{{ loop.index0 }}) as lower_{{ loop.index0 }},
    percentile_cont(0.5) within group (order by x{{ loop.index0 }}) as middle_{{ loop.index0 }},
    percentile_cont(0.75) within group (order by x{{ loop.index0 }}) as upper_{{ loop.index0 }}
    {{- ',' if not loop.last }}
    {% endfor -%}
    {% endif -%}
from {{ points }}
