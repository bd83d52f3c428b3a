-- The points of groups, each beside what is given for its group or for a candidate of it.
-- Grain: candidate, point of its group with a weight there. Of a half that weight is half_w, or w
-- without it: the shares of both.
{% set weight = shares[0] ~ ' * points.w + ' ~ shares[1] ~ ' * points.half_w' -%}
select
    {% for column in listed_columns -%}
    listed.{{ column }},
    {% endfor -%}
    {% for column in columns -%}
    points.{{ column }},
    {% endfor -%}
    {{ weight }} as w
from {{ points }} as points
join (
    {{ listed | indent(4) }}
) as listed
    on listed.seg_key = points.place
where {{ weight }} > 0
