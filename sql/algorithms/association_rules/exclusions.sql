-- What was left out and why: order lines that are no item in a basket, and items that are too rare.
-- Grain: reason.
select
    case
        {%- if has_reason %}
        when reason <> 'kept' then reason
        {%- endif %}
        when item_id is null then 'no item'
        else 'no order id'
    end as reason,
    count(*) as rows
from {{ relation }} as lines
where not ({{ counts }})
group by 1

union all

select
    'below min_support (items)' as reason,
    count(*) as rows
from {{ catalogue }} as catalogue
left join {{ items }} as items
    on items.set_number = catalogue.item_number
where items.set_number is null
having count(*) > 0
