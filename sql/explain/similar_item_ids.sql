-- Item ids that begin like the one that was not found, small letters as capitals, or are the same but
-- for blanks around them, zeros before them or a .0 after them.
select distinct cast(item_id as {{ seg_sql.text() }}) as item_id
from {{ ref('item_lines') }} as item_lines
where
    {{ seg_sql.ascii_upper('left(cast(item_id as ' ~ seg_sql.text() ~ '), ' ~ length ~ ')') }}
    = {{ seg_sql.ascii_upper(seg_sql.param('start')) }}
    or {{ seg_sql.plain_id('item_id') }} = {{ seg_sql.plain_id(seg_sql.param('start')) }}
order by item_id
limit 3
