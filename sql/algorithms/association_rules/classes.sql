-- What two sets must share to be joined to a larger one: a basket, and all items before the last. A
-- class has a list of the last items; these are sets that a candidate of the next level needs.
-- Grain: class. It comes of a class with one item less before the last, of which a last item becomes
-- one before the last. Of the others those stay that can follow it, and sometimes one that cannot,
-- for the sieve is coarse: with that no set will be frequent.
with

followers as (

    select prefix_number, {{ seg_sql.sieve_of('last_item') }} as sieve
    from {{ sets }} as itemsets
    where
        set_number in (select prefix_number from {{ candidates }} as candidates)
        or set_number in (select other_number from {{ candidates }} as candidates)
    group by prefix_number

),

prefixes as (

    select
        shorter.prefix_number,
        shorter.last_item,
        shorter.set_number,
        followers.sieve
    from followers
    inner join {{ shorter_sets }} as shorter
        on shorter.set_number = followers.prefix_number

)

select
    prefixes.set_number as prefix_number,
    {{ seg_sql.sifted('earlier.last_items', 'prefixes.sieve') }} as last_items
from (
    select
        prefix_number,
        last_items,
        {{ seg_sql.unnested('last_items') }} as last_item
    from {{ classes }} as classes
    where {{ seg_sql.list_size('last_items') }} > 2
) as earlier
inner join prefixes
    on prefixes.prefix_number = earlier.prefix_number
    and prefixes.last_item = earlier.last_item
