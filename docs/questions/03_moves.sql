-- What changed since the last time: who went from which segment to which?
-- One row per pair of segments, between the last two dates that were built.
select
    from_as_of,
    to_as_of,
    coalesce(from_segment, 'new customer') as from_segment,
    coalesce(to_segment, 'gone') as to_segment,
    sum(customers) as customers,
    round(cast(sum(revenue) as numeric(30, 6)), 2) as revenue
from segment_moves
where
    source = 'rfm'
    and to_as_of = (select max(to_as_of) from segment_moves where source = 'rfm')
group by from_as_of, to_as_of, from_segment, to_segment
order by customers desc, from_segment, to_segment
