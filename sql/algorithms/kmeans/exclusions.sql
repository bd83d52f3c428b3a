-- What is left out and why; a row that lacks several things counts once, for the first of them.
-- Grain: reason.
select
    reason,
    count(*) as row_count
from (
    select
        case
            {% for reason in reasons -%}
            when {{ reason.condition }} then {{ reason.text }}
            {% endfor -%}
        end as reason
    from {{ relation }}
) as reasons
where reason is not null
group by reason
order by reason
