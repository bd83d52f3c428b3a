-- Why did customers change their segment: did they buy, did time pass, or did the cut points move?
-- One row per reason, between the last two dates that were built.
select
    reason,
    sum(customers) as customers,
    round(cast(sum(revenue) as numeric(30, 6)), 2) as revenue
from segment_moves
where
    source = 'rfm'
    and to_as_of = (select max(to_as_of) from segment_moves where source = 'rfm')
group by reason
order by customers desc, reason
