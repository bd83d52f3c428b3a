-- The rules of baskets in which no two items are frequent together: none.
-- Grain: group_key, rule_id.
select
    group_key,
    set_number as rule_id,
    2 as items,
    set_number as item_1,
    set_number as item_2,
    set_number as consequent,
    baskets,
    {%- for measure in ('support', 'confidence', 'lift', 'leverage', 'conviction', 'zhang') %}
    cast(null as {{ seg_sql.double() }}) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ items }} as items
where 1 = 0
