-- The lists of the customers who are measured: of the model, and of the most popular items.
-- Grain: list, customer and rank.
with

users as (

    select distinct customer_id
    from {{ truth }} as truth

),

{%- if exclude_bought %}

bought as (

    select users.customer_id, count(*) as items
    from users
    inner join {{ earlier }} as before
        on before.customer_id = users.customer_id
    group by users.customer_id

),
{%- endif %}

-- As far down the popular items as it takes, as in recommendations.
popular_lists as (

    select
        users.customer_id,
        popular.item_id,
        row_number() over (partition by users.customer_id order by popular.place) as rank
    {%- if exclude_bought %}
    from bought as users
    inner join {{ popular }} as popular
        on popular.place <= {{ longest }} + users.items
        and popular.place <= {{ longest + 100 }}
    left join {{ earlier }} as before
        on before.customer_id = users.customer_id
        and before.item_id = popular.item_id
    where before.customer_id is null
    {%- else %}
    from users
    inner join {{ popular }} as popular
        on popular.place <= {{ longest }}
    {%- endif %}

),

lists as (

    select 1 as is_model, recommended.customer_id, recommended.item_id, recommended.rank
    from {{ recommended }} as recommended
    inner join users
        on users.customer_id = recommended.customer_id
    where recommended.rank <= {{ longest }}

    union all

    select 0 as is_model, customer_id, item_id, rank
    from popular_lists
    where rank <= {{ longest }}

)

select
    lists.is_model,
    lists.customer_id,
    lists.item_id,
    cast(lists.rank as integer) as rank,
    case when truth.customer_id is null then 0 else 1 end as is_hit
from lists
left join {{ truth }} as truth
    on truth.customer_id = lists.customer_id
    and truth.item_id = lists.item_id
