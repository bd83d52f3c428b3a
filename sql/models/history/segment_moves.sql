-- How many customers went from which segment to which between the last two as_of, and why.
-- Grain: one row per source, pair of segments and reason. Each customer of either date is counted
-- once for each source, those who stayed as well.
-- The first reason that fits counts. bought: a purchase from from_as_of on and before to_as_of, but
-- not for who has fallen silent since, and so is at risk or churned;
-- refunded: other orders then, all of them refunds; cut_points: the bounds moved, and between the
-- earlier ones the customer would have stayed; aged: time has passed, and nothing else.
-- Who is in the same cluster has stayed, whatever its label was: a cluster of the earlier date has
-- the label that it has at the later one, or its own where it is no more.
{{ config(
    materialized='table',
    unique_key=['source', 'from_segment', 'to_segment', 'reason'],
    meta={
        'order_by': ['source desc', 'from_segment', 'to_segment', 'reason'],
        'show_first': ['from_segment', 'to_segment', 'reason', 'customers', 'revenue', 'source']
    }
) }}

with

dates as (

    select source, from_as_of, to_as_of
    from {{ ref('move_dates') }} as move_dates

),

earlier as (

    select history.source, history.customer_id, history.segment, history.segment_id
    from {{ ref('customer_segment_history') }} as history
    inner join dates on dates.source = history.source and dates.from_as_of = history.as_of

),

later as (

    select history.source, history.customer_id, history.segment, history.segment_id
    from {{ ref('customer_segment_history') }} as history
    inner join dates on dates.source = history.source and dates.to_as_of = history.as_of

),

later_labels as (

    select source, segment_id, min({{ seg_sql.bin('segment') }}) as segment
    from later
    where segment_id is not null
    group by source, segment_id

),

customers as (

    select
        coalesce(later.source, earlier.source) as source,
        coalesce(later.customer_id, earlier.customer_id) as customer_id,
        coalesce(later_labels.segment, earlier.segment) as from_segment,
        later.segment as to_segment,
        coalesce(earlier.segment_id = later.segment_id, earlier.segment = later.segment)
            as has_stayed,
        -- Who bought and was silent for long after it has not moved there by buying.
        case
            when coalesce(later.source, earlier.source) <> 'customer_lifecycle' then false
            when later.segment = 'churned' then true
            when later.segment = 'at_risk' then coalesce(earlier.segment <> 'churned', true)
            else false
        end as has_fallen_silent
    from earlier
    full join later
        on later.source = earlier.source and later.customer_id = earlier.customer_id
    left join later_labels
        on later_labels.source = earlier.source and later_labels.segment_id = earlier.segment_id

),

periods as (

    select distinct from_as_of, to_as_of
    from dates

),

-- A customer has no order that is no purchase unless it is a refund.
activity as (

    select
        periods.from_as_of,
        periods.to_as_of,
        orders.customer_id,
        sum(orders.amount) as revenue,
        max(case when orders.order_date >= periods.from_as_of then 1 else 0 end) as has_order,
        max(case
            when orders.is_purchase and orders.order_date >= periods.from_as_of then 1 else 0
        end) as has_purchase
    from {{ ref('orders') }} as orders
    inner join periods on orders.order_date < periods.to_as_of
    group by periods.from_as_of, periods.to_as_of, orders.customer_id

),

unmoved as (

    select source, customer_id, segment
    from {{ ref('unmoved_segments') }} as unmoved_segments

),

-- Clusters have no bounds to compare with: a new fit moves them all.
refitted as (

    select dates.source
    from dates
    inner join {{ ref('segment_cut_points') }} as fits
        on fits.source = dates.source and fits.as_of in (dates.from_as_of, dates.to_as_of)
    where dates.source = 'customer_clusters'
    group by dates.source
    having min(fits.fitted_as_of) <> max(fits.fitted_as_of)

),

explained as (

    select
        dates.from_as_of,
        dates.to_as_of,
        customers.source,
        customers.from_segment,
        customers.to_segment,
        case
            when customers.from_segment is null then 'new'
            when customers.to_segment is null then 'gone'
            when customers.has_stayed then 'stayed'
            when activity.has_purchase = 1
                and not customers.has_fallen_silent
                then 'bought'
            when activity.has_order = 1 and activity.has_purchase = 0 then 'refunded'
            when refitted.source is not null then 'cut_points'
            when unmoved.segment = customers.from_segment then 'cut_points'
            when unmoved.segment = 'live'
                and customers.source = 'customer_lifecycle'
                and customers.from_segment in ('new', 'active', 'reactivated')
                then 'cut_points'
            else 'aged'
        end as reason,
        coalesce(activity.revenue, {{ seg_sql.lit(0.0) }}) as revenue
    from customers
    inner join dates on dates.source = customers.source
    left join activity
        on activity.customer_id = customers.customer_id
        and activity.from_as_of = dates.from_as_of
        and activity.to_as_of = dates.to_as_of
    left join unmoved
        on unmoved.source = customers.source and unmoved.customer_id = customers.customer_id
    left join refitted on refitted.source = customers.source

),

moves as (

    select
        from_as_of,
        to_as_of,
        source,
        from_segment,
        to_segment,
        reason,
        count(*) as customers,
        {{ seg_sql.round('sum(revenue)') }} as revenue
    from explained
    group by from_as_of, to_as_of, source, from_segment, to_segment, reason

)

select * from moves
