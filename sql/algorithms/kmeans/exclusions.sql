-- What is left out and why; a row that lacks several things counts once, for the first of them.
-- Grain: group, numbered by the columns of `by`, and reason; without groups the reason alone.
select
    {{ (by + ['reason']) | join(', ') }},
    count(*) as row_count
from (
    select
        {% for column in by -%}
        {{ column }},
        {% endfor -%}
        case
            {% for reason in reasons -%}
            when {{ reason.condition }} then {{ reason.text }}
            {% endfor -%}
        end as reason
    from {{ relation }}
) as reasons
where reason is not null
group by {{ (by + ['reason']) | join(', ') }}
order by {{ (by + ['reason']) | join(', ') }}
