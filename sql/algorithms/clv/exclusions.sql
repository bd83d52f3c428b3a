-- Customers that no model takes, and why; one that lacks several things counts for the first.
-- Grain: reason.
select
    reason,
    count(*) as row_count
from (
    select
        case
            when {% for column in keys %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
                then 'no key'
            when summary.frequency is null or summary.recency is null or summary.age is null
                then 'frequency, recency or age is missing'
            when summary.frequency > 0 and not ({{ condition }})
                then 'frequency, recency or age is impossible'
            when not ({{ condition }})
                then 'a recency without a repeat purchase, or an impossible age'
        end as reason
    from {{ relation }} as summary
) as reasons
where reason is not null
group by reason
order by reason
