-- The groups, each with rules of its own: their baskets, and in how many an itemset must be.
-- Grain: group_key. The product is rounded first, so that 0.07 of 100 baskets are 7 and not 8.
select
    group_key,
    cast(row_number() over (order by {{ seg_sql.bin_text('group_key') }}) as integer)
        as partition_number,
    count(*) as all_baskets,
    greatest(
        cast(ceil({{ seg_sql.round('count(*) * ' ~ seg_sql.lit(min_support), 6) }}) as bigint),
        {{ min_baskets }}
    ) as min_baskets
from (
    select {{ 'group_key' if partitioned else "'all' as group_key" }}
    from (
        select distinct {{ 'group_key, ' if partitioned }}order_id
        from {{ kept }} as kept
    ) as orders
) as baskets
group by group_key
