{# Whether a group has fewer than `least` customers, or is needed to hide one that has: the next
   larger groups join the small ones until these are `least` customers together. #}
{% macro too_few(customers, key, least) -%}
    (
        {{ customers }} < {{ least }}
        or coalesce(sum({{ customers }}) over (
            order by {{ customers }}, {{ seg_sql.bin(key) }}
            rows between unbounded preceding and 1 preceding
        ), {{ least }}) < {{ least }}
    )
{%- endmacro %}
