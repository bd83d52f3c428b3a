-- Why order lines do not count.
-- Grain: reason.
select reason, count(*) as row_count
from (
    select
        case
            when reason <> 'kept' then reason
            when {{ unit }} is null then {{ seg_sql.lit('no ' ~ unit) }}
            {%- if since %}
            when order_date is null or order_date < {{ since }} then 'before the window'
            {%- endif %}
            else 'kept'
        end as reason
    from {{ relation }} as lines
) as lines
where reason <> 'kept'
group by reason
order by reason
