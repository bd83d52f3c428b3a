-- The measures of accuracy, averaged over the customers: REFERENCE: precision is hits / k, recall
-- hits / bought, average precision the sum of the precisions at the hits / min(k, bought), NDCG the
-- sum of 1 / log2(rank + 1) over the hits, divided by that of a perfect list.
-- Grain: list and k.
{%- set double = seg_sql.double() %}
with

lengths as (

    {% for k in lengths -%}
    select {{ k }} as k{{ ' union all' if not loop.last }}
    {% endfor %}
),

discounts as (

    select
        n as rank,
        {{ seg_sql.safe_div(seg_sql.lit(0.6931471805599453), 'ln(n + 1)') }} as discount
    from {{ seg_sql.numbers(1, longest) }} as numbers

),

-- The gain of a perfect list of so many hits.
ideal as (

    select
        all_ranks.rank as hits,
        sum(discounts.discount) as gain
    from discounts as all_ranks
    inner join discounts
        on discounts.rank <= all_ranks.rank
    group by all_ranks.rank

),

users as (

    select customer_id, count(*) as bought
    from {{ truth }} as truth
    group by customer_id

),

hits as (

    select
        lists.is_model,
        lists.customer_id,
        lists.rank,
        discounts.discount,
        row_number() over (
            partition by lists.is_model, lists.customer_id order by lists.rank
        ) as hits_so_far
    from {{ lists }} as lists
    inner join discounts
        on discounts.rank = lists.rank
    where lists.is_hit = 1

),

sides as (

    select 0 as is_model union all select 1 as is_model

),

by_user as (

    select
        sides.is_model,
        lengths.k,
        users.customer_id,
        users.bought,
        count(hits.rank) as hits,
        coalesce(sum({{ seg_sql.safe_div('hits.hits_so_far', 'hits.rank') }}), 0) as precisions,
        coalesce(sum(hits.discount), 0) as gain
    from users
    cross join lengths
    cross join sides
    left join hits
        on hits.is_model = sides.is_model
        and hits.customer_id = users.customer_id
        and hits.rank <= lengths.k
    group by sides.is_model, lengths.k, users.customer_id, users.bought

)

select
    by_user.is_model,
    by_user.k,
    count(*) as users,
    avg({{ seg_sql.safe_div('by_user.hits', 'by_user.k') }}) as precision_at_k,
    avg({{ seg_sql.safe_div('by_user.hits', 'by_user.bought') }}) as recall,
    avg({{ seg_sql.safe_div('by_user.precisions', 'least(by_user.k, by_user.bought)') }}) as map,
    avg({{ seg_sql.safe_div('by_user.gain', 'ideal.gain') }}) as ndcg,
    avg(cast(case when by_user.hits > 0 then 1 else 0 end as {{ double }})) as hit_rate
from by_user
inner join ideal
    on ideal.hits = least(by_user.k, by_user.bought)
group by by_user.is_model, by_user.k
order by by_user.is_model, by_user.k
