-- In how many baskets two items are together. Each pair once, the smaller number first; both numbers
-- in one key, whose groups are found in half the time that two columns take. A number has {{ bits }}
-- bits, as many as it needs: PostgreSQL hashes a bigint by the exclusive or of its halves, so that
-- keys with a number in each half would nearly all collide.
-- Grain: pair.
{%- set first_no = 'cast(first_no as bigint)' if 2 * bits > 31 else 'first_no' %}
{%- set key = '((' ~ first_no ~ ' << ' ~ bits ~ ') | second_no)' %}
select
    {{ key }} as pair,
    count(*) as baskets
    {%- if weighted %},
    sum(weight) as weight
    {%- endif %}
from (
    select
        {{- ' weight,' if weighted }} first_no, {{ seg_sql.unnested('item_nos') }} as second_no
    from (
        select
            {{- ' weight,' if weighted }} item_nos, {{ seg_sql.unnested('item_nos') }} as first_no
        from {{ baskets }} as baskets
    ) as firsts
) as pairs
where second_no > first_no
group by {{ key }}
{%- if min_pair_baskets > 1 %}
having count(*) >= {{ min_pair_baskets }}
{%- endif %}
