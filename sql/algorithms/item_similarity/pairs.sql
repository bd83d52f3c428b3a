-- In how many baskets two items are together. Each pair once, the smaller number first; both numbers
-- in one key, whose groups are found in half the time that two columns take. A number has {{ bits }}
-- bits, as many as it needs: PostgreSQL hashes a bigint by the exclusive or of its halves, so that
-- keys with a number in each half would nearly all collide.
-- Grain: pair.
{%- set first_no = 'cast(first_items.item_no as bigint)' if 2 * bits > 31 else 'first_items.item_no' %}
{%- set key = '((' ~ first_no ~ ' << ' ~ bits ~ ') | second_items.item_no)' %}
select
    {{ key }} as pair,
    count(*) as baskets
    {%- if weighted %},
    sum(first_items.weight) as weight
    {%- endif %}
from {{ baskets }} as first_items
inner join {{ baskets }} as second_items
    on second_items.unit_no = first_items.unit_no
    and second_items.item_no > first_items.item_no
group by {{ key }}
{%- if min_pair_baskets > 1 %}
having count(*) >= {{ min_pair_baskets }}
{%- endif %}
