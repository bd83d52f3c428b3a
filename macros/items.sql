{# An id as items are compared by it: as it is, or with the letters a to z written large where the
   var `case_insensitive_items` says that '85123a' and '85123A' are one item. Other letters stay:
   engines fold them differently. #}
{% macro item_key(x) -%}
    {%- if var('case_insensitive_items', false) -%}
        {{ seg_sql.ascii_upper(x) }}
    {%- else -%}
        {{ x }}
    {%- endif -%}
{%- endmacro %}

{# A text with the letters a to z written large; all others as they are. #}
{% macro ascii_upper(x) -%}
    {{ adapter.dispatch('ascii_upper', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__ascii_upper(x) -%}
    translate(
        cast({{ x }} as {{ seg_sql.text() }}),
        'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
    )
{%- endmacro %}

{# In a text of one byte a letter there are no others, and upper is twenty times faster. #}
{% macro duckdb__ascii_upper(x) -%}
    {%- set text = 'cast(' ~ x ~ ' as varchar)' -%}
    case
        when strlen({{ text }}) = length({{ text }}) then upper({{ text }})
        else {{ seg_sql.default__ascii_upper(x) }}
    end
{%- endmacro %}


{# How strongly two items belong together, a double: support, confidence, lift, cosine, jaccard, npmi
   or root_llr, by name. Of `total` baskets `both` have the two items, `a` the first and `b` the
   second; columns that are not NULL, with 0 < both <= a, b <= total. #}
{% macro pair_measure(measure, both, a, b, total) -%}
    {%- set n = {'both': both, 'a': a, 'b': b, 'total': total} -%}
    {%- for name in n -%}
        {%- do n.update({name: 'cast(' ~ n[name] ~ ' as ' ~ seg_sql.double() ~ ')'}) -%}
    {%- endfor -%}
    {%- if measure == 'support' -%}
        {{ seg_sql.safe_div(n.both, n.total) }}
    {%- elif measure == 'confidence' -%}
        {{ seg_sql.safe_div(n.both, n.a) }}
    {%- elif measure == 'lift' -%}
        {{ seg_sql.safe_div(n.total ~ ' * ' ~ n.both, n.a ~ ' * ' ~ n.b) }}
    {%- elif measure == 'cosine' -%}
        {{ seg_sql.safe_div(n.both, 'sqrt(' ~ n.a ~ ' * ' ~ n.b ~ ')') }}
    {%- elif measure == 'jaccard' -%}
        {{ seg_sql.safe_div(n.both, n.a ~ ' + ' ~ n.b ~ ' - ' ~ n.both) }}
    {%- elif measure == 'npmi' -%}
        {{ seg_sql.pair_npmi(n.both, n.a, n.b, n.total) }}
    {%- elif measure == 'root_llr' -%}
        {{ seg_sql.pair_root_llr(n.both, n.a, n.b, n.total) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("There is no measure '" ~ measure ~ "' of a pair") }}
    {%- endif -%}
{%- endmacro %}

{# Normalised pointwise mutual information, -1 to 1 (Bouma 2009): ln(lift) / -ln(support). Items that
   are in every basket have 1, its limit. #}
{% macro pair_npmi(both, a, b, total) -%}
    case
        when {{ both }} >= {{ total }} then {{ seg_sql.lit(1.0) }}
        else {{ seg_sql.safe_div(
            seg_sql.safe_ln(seg_sql.safe_div(total ~ ' * ' ~ both, a ~ ' * ' ~ b)),
            '-' ~ seg_sql.safe_ln(seg_sql.safe_div(both, total))
        ) }}
    end
{%- endmacro %}

{# The root of Dunning's log-likelihood ratio (1993) of the four counts of baskets with both items,
   one, the other or none; negative where the two meet less often than by chance.
   Each count's share is k ln(k total / (row sum * column sum)), half of 2 (H(rows) + H(columns) -
   H(matrix)): the same sum, without the difference of large numbers. #}
{% macro pair_root_llr(both, a, b, total) -%}
    {%- set only_a = '(' ~ a ~ ' - ' ~ both ~ ')' -%}
    {%- set only_b = '(' ~ b ~ ' - ' ~ both ~ ')' -%}
    {%- set not_a = '(' ~ total ~ ' - ' ~ a ~ ')' -%}
    {%- set not_b = '(' ~ total ~ ' - ' ~ b ~ ')' -%}
    {%- set neither = '(' ~ total ~ ' - ' ~ a ~ ' - ' ~ b ~ ' + ' ~ both ~ ')' -%}
    (
        case when {{ both }} * {{ total }} < {{ a }} * {{ b }} then -1 else 1 end
        * sqrt(greatest(
            2 * (
                {{ seg_sql.llr_share(both, a, b, total) }}
                + {{ seg_sql.llr_share(only_a, a, not_b, total) }}
                + {{ seg_sql.llr_share(only_b, not_a, b, total) }}
                + {{ seg_sql.llr_share(neither, not_a, not_b, total) }}
            ),
            0
        ))
    )
{%- endmacro %}

{# What one count adds to half of a log-likelihood ratio; 0 for the count 0. #}
{% macro llr_share(count, row_sum, column_sum, total) -%}
    coalesce(
        {{ count }} * {{ seg_sql.safe_ln(
            seg_sql.safe_div(count ~ ' * ' ~ total, row_sum ~ ' * ' ~ column_sum)
        ) }},
        0
    )
{%- endmacro %}


{# What something counts by its age at `today`, 1 now and half of it after each half-life. From 30
   half-lives on it stays what it is, so that products do not underflow. #}
{% macro age_weight(day, today, half_life_days) -%}
    {%- set half_lives = seg_sql.safe_div(
        seg_sql.days_between(day, today), seg_sql.lit(half_life_days)
    ) -%}
    {{ seg_sql.safe_exp(
        seg_sql.lit(-0.6931471805599453) ~ ' * least(' ~ half_lives ~ ', 30)'
    ) }}
{%- endmacro %}


{# Of the rows of `relation`, columns `columns`, those among which the `n` with the largest `score`
   of each `key` are; where the caller rounds the score, also those that miss it by up to `within`.
   An engine that has to sort them all to know leaves that to the caller. #}
{% macro top_candidates(relation, columns, key, score, n, within=0) -%}
    {{ adapter.dispatch('top_candidates', 'seg_sql')(relation, columns, key, score, n, within) }}
{%- endmacro %}

{% macro default__top_candidates(relation, columns, key, score, n, within) -%}
    {{ relation }}
{%- endmacro %}

{# An aggregate that keeps the n largest values is several times faster than a sort of all rows. #}
{% macro duckdb__top_candidates(relation, columns, key, score, n, within) -%}
    (
        select
            {%- for column in columns %}
            everything.{{ column }},
            {%- endfor %}
            everything.{{ score }}
        from {{ relation }} as everything
        inner join (
            select {{ key }}, list_min(max({{ score }}, {{ n }})) as least_score
            from {{ relation }} as grouped
            group by {{ key }}
        ) as limits
            on limits.{{ key }} = everything.{{ key }}
            and limits.least_score{{ ' - ' ~ seg_sql.lit(within) if within }} <= everything.{{ score }}
    )
{%- endmacro %}

{# The first `n` items of each customer's list, in their places: the best by `score` of `candidates`,
   columns customer_id, item_id and score; equal ones are in the order of the items' ids. #}
{% macro first_items(candidates, n) -%}
    (
        select customer_id, item_id, score, place
        from (
            select
                customer_id,
                item_id,
                score,
                row_number() over (
                    partition by customer_id
                    order by score desc nulls last, {{ seg_sql.bin('item_id') }}
                ) as place
            from {{ seg_sql.top_candidates(
                candidates, ['customer_id', 'item_id'], 'customer_id', 'score', n
            ) }} as best
        ) as numbered
        where place <= {{ n }}
    )
{%- endmacro %}
