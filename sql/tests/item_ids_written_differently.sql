-- The pairs of items whose ids differ only by blanks around them, small and capital letters, zeros
-- before them or a .0 after them.
{{ config(
    severity='warn',
    description='Item ids differ only by blanks, small and capital letters, leading zeros or a .0: each'
    ~ ' is an item of its own. If they are one, `vars: {case_insensitive_items: true}` makes the'
    ~ ' letters one; write the rest alike, as with `query:` in the input order_lines.'
) }}

with

items as (

    select distinct item_id, {{ seg_sql.plain_id('item_id') }} as plain_id
    from {{ ref('item_similarity') }} as item_similarity

),

alike as (

    select items.item_id, others.item_id as other_item_id
    from items
    inner join items as others
        on others.plain_id = items.plain_id
        and {{ seg_sql.bin('others.item_id') }} > {{ seg_sql.bin('items.item_id') }}

)

select * from alike
