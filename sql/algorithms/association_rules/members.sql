-- Which baskets have which itemsets of a level, of those that a candidate of the next level needs.
-- Grain: class_key (the basket and the prefix of the set), set_number.
with

needed as (

    select
        set_number,
        prefix_number,
        {{ seg_sql.packed_second('candidate_key') }} as other_number,
        candidate_key,
        last_item
    from {{ sets }} as itemsets
    where
        set_number in (select prefix_number from {{ candidates }} as candidates)
        or set_number in (select other_number from {{ candidates }} as candidates)

)

select
    {{ seg_sql.packed(seg_sql.packed_first('earlier.class_key'), 'needed.prefix_number') }}
        as class_key,
    needed.set_number,
    needed.last_item
from (
    select class_key, set_number, last_item
    from {{ members }} as members
    where set_number in (select prefix_number from needed)
) as earlier
inner join (
    select class_key, set_number, last_item
    from {{ members }} as members
    where set_number in (select other_number from needed)
) as later
    on later.class_key = earlier.class_key
    and later.last_item > earlier.last_item
inner join needed
    on needed.candidate_key = {{ seg_sql.packed('earlier.set_number', 'later.set_number') }}
