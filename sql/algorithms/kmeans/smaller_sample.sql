-- The part of a sample whose hash is below a limit: itself a sample.
-- Grain: point of the sample.
select
    {% for x in xs -%}
    {{ x }},
    {% endfor -%}
    {% if weighted -%}
    w,
    half_w,
    {% endif -%}
    h
from {{ points }}
where h < {{ hash_below }}
