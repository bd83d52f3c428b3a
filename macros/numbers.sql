{# The quotient as a double; NULL when the divisor is zero or NULL. #}
{% macro safe_div(a, b) -%}
    {{ adapter.dispatch('safe_div', 'seg_sql')(a, b) }}
{%- endmacro %}

{% macro default__safe_div(a, b) -%}
    (cast({{ a }} as {{ seg_sql.double() }}) / nullif(cast({{ b }} as {{ seg_sql.double() }}), 0))
{%- endmacro %}


{# The exponential, its exponent held within +-700, where no engine overflows or underflows. #}
{% macro safe_exp(x) -%}
    {{ adapter.dispatch('safe_exp', 'seg_sql')(x) }}
{%- endmacro %}

{# The outer test keeps NULL: greatest and least would skip it. #}
{% macro default__safe_exp(x) -%}
    case
        when ({{ x }}) is not null
            then exp(least(greatest(cast({{ x }} as {{ seg_sql.double() }}), -700), 700))
    end
{%- endmacro %}


{# The natural logarithm; NULL for zero and below. #}
{% macro safe_ln(x) -%}
    {{ adapter.dispatch('safe_ln', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__safe_ln(x) -%}
    ln(nullif(greatest(cast({{ x }} as {{ seg_sql.double() }}), 0), 0))
{%- endmacro %}


{# The logarithm of the gamma function, for z > 0 up to 1e40; NULL elsewhere. #}
{% macro lgamma(z) -%}
    {{ adapter.dispatch('lgamma', 'seg_sql')(z) }}
{%- endmacro %}

{% macro default__lgamma(z) -%}
    case when ({{ z }}) > 0 then lgamma(cast({{ z }} as {{ seg_sql.double() }})) end
{%- endmacro %}

{# No lgamma before PostgreSQL 18: Stirling's series with seven terms at z + 7 (error < 1e-14),
   less ln(z (z + 1) .. (z + 6)) by the recurrence of the gamma function. #}
{% macro postgres__lgamma(z) -%}
    {%- set z = 'cast(' ~ z ~ ' as double precision)' -%}
    {%- set w = '(' ~ z ~ ' + 7)' -%}
    {%- set w2 = '(' ~ w ~ ' * ' ~ w ~ ')' -%}
    case
        when {{ z }} > 0
            then ({{ w }} - 0.5) * ln({{ w }}) - {{ w }} + 0.91893853320467274
                + (0.083333333333333333
                    - (0.0027777777777777778
                        - (0.00079365079365079365
                            - (0.00059523809523809524
                                - (0.00084175084175084175
                                    - (0.0019175269175269175 - 0.0064102564102564103 / {{ w2 }})
                                        / {{ w2 }}) / {{ w2 }}) / {{ w2 }}) / {{ w2 }}) / {{ w2 }})
                    / {{ w }}
                - ln(
                    {{ z }} * ({{ z }} + 1) * ({{ z }} + 2) * ({{ z }} + 3)
                    * ({{ z }} + 4) * ({{ z }} + 5) * ({{ z }} + 6)
                )
    end
{%- endmacro %}


{# The first derivative of ln Gamma, for z > 0: its asymptotic series at z + 8, and the recurrence
   psi(z) = psi(z + 1) - 1 / z eight times (error < 1e-14). #}
{% macro digamma(z) -%}
    {{ adapter.dispatch('digamma', 'seg_sql')(z) }}
{%- endmacro %}

{% macro default__digamma(z) -%}
    {%- set z = 'cast(' ~ z ~ ' as ' ~ seg_sql.double() ~ ')' -%}
    {%- set w = '(' ~ z ~ ' + 8)' -%}
    {%- set w2 = '(' ~ w ~ ' * ' ~ w ~ ')' -%}
    (
        ln({{ w }}) - {{ seg_sql.lit(0.5) }} / {{ w }}
        - ({{ seg_sql.lit(1 / 12) }} - ({{ seg_sql.lit(1 / 120) }} - ({{ seg_sql.lit(1 / 252) }}
            - ({{ seg_sql.lit(1 / 240) }} - ({{ seg_sql.lit(1 / 132) }}
                - {{ seg_sql.lit(691 / 32760) }} / {{ w2 }}) / {{ w2 }}) / {{ w2 }}) / {{ w2 }})
            / {{ w2 }}) / {{ w2 }}
        - (1 / {{ z }}
            {%- for step in range(1, 8) %} + 1 / ({{ z }} + {{ step }}){% endfor %})
    )
{%- endmacro %}


{# The second derivative of ln Gamma, for z > 0, in the same way. #}
{% macro trigamma(z) -%}
    {{ adapter.dispatch('trigamma', 'seg_sql')(z) }}
{%- endmacro %}

{% macro default__trigamma(z) -%}
    {%- set z = 'cast(' ~ z ~ ' as ' ~ seg_sql.double() ~ ')' -%}
    {%- set w = '(' ~ z ~ ' + 8)' -%}
    {%- set w2 = '(' ~ w ~ ' * ' ~ w ~ ')' -%}
    (
        1 / {{ w }} + {{ seg_sql.lit(0.5) }} / {{ w2 }}
        + ({{ seg_sql.lit(1 / 6) }} - ({{ seg_sql.lit(1 / 30) }} - ({{ seg_sql.lit(1 / 42) }}
            - ({{ seg_sql.lit(1 / 30) }} - ({{ seg_sql.lit(5 / 66) }}
                - {{ seg_sql.lit(691 / 2730) }} / {{ w2 }}) / {{ w2 }}) / {{ w2 }}) / {{ w2 }})
            / {{ w2 }}) / ({{ w2 }} * {{ w }})
        + (1 / ({{ z }} * {{ z }})
            {%- for step in range(1, 8) %}
            + 1 / (({{ z }} + {{ step }}) * ({{ z }} + {{ step }})){% endfor %})
    )
{%- endmacro %}


{# A double rounded half away from zero; never -0.0; NaN and the infinities stay. #}
{% macro round(x, digits=6) -%}
    {{ adapter.dispatch('round', 'seg_sql')(x, digits) }}
{%- endmacro %}

{# Engines round halves differently, and through numeric to 15 digits: this is the same IEEE
   arithmetic on all. trunc(2y) - trunc(y) is y rounded half away from zero, without error;
   from 2^53 / 10^digits on a double has no such digits, so that it is its own rounded value. #}
{% macro default__round(x, digits) -%}
    {%- set x = 'cast(' ~ x ~ ' as ' ~ seg_sql.double() ~ ')' -%}
    case
        when abs({{ x }}) < {{ seg_sql.lit(2.0 ** 53 / 10.0 ** digits) }}
            then (
                trunc({{ x }} * {{ seg_sql.lit(2.0 * 10.0 ** digits) }})
                - trunc({{ x }} * {{ seg_sql.lit(10.0 ** digits) }})
            ) / {{ seg_sql.lit(10.0 ** digits) }}
        else {{ x }}
    end
{%- endmacro %}


{# The sum of integers as a bigint; NULL over no rows. #}
{% macro isum(x) -%}
    {{ adapter.dispatch('isum', 'seg_sql')(x) }}
{%- endmacro %}

{% macro default__isum(x) -%}
    cast(sum({{ x }}) as bigint)
{%- endmacro %}


{# A pseudo-random double in [0, 1) from an integer or text id and a seed: 52 bits of an md5. #}
{% macro hash01(x, seed=0) -%}
    {{ adapter.dispatch('hash01', 'seg_sql')(
        "substr(md5(cast(" ~ seed ~ " as " ~ seg_sql.text() ~ ") || ':' || cast(" ~ x ~ " as "
        ~ seg_sql.text() ~ ")), 1, 13)"
    ) }}
{%- endmacro %}

{% macro default__hash01(hex) -%}
    (cast(cast('0x' || {{ hex }} as bigint) as {{ seg_sql.double() }}) / 4503599627370496)
{%- endmacro %}

{# PostgreSQL reads hexadecimal digits as a bit string only. #}
{% macro postgres__hash01(hex) -%}
    (cast(cast(cast('x' || {{ hex }} as bit(52)) as bigint) as double precision) / 4503599627370496)
{%- endmacro %}


{# Whether a double is neither NaN nor infinite; NULL for NULL. #}
{% macro is_finite(x) -%}
    {{ adapter.dispatch('is_finite', 'seg_sql')(x) }}
{%- endmacro %}

{# NaN is above infinity in the order of both engines; PostgreSQL has isfinite for dates only. #}
{% macro default__is_finite(x) -%}
    (abs(cast({{ x }} as {{ seg_sql.double() }})) < cast('Infinity' as {{ seg_sql.double() }}))
{%- endmacro %}


{# The values that cut the rows into `parts` of equal size, by linear interpolation: an array of
   parts - 1 doubles, for seg_sql.element. #}
{% macro quantiles(x, parts) -%}
    {{ adapter.dispatch('quantiles', 'seg_sql')(x, parts) }}
{%- endmacro %}

{% macro default__quantiles(x, parts) -%}
    percentile_cont(array[
    {%- for cut in range(1, parts) -%}
        {{ seg_sql.lit(cut / parts) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
    ]) within group (order by {{ x }})
{%- endmacro %}

{# The element of an array at a place, from 1 on. #}
{% macro element(elements, place) -%}
    {{ adapter.dispatch('element', 'seg_sql')(elements, place) }}
{%- endmacro %}

{% macro default__element(elements, place) -%}
    ({{ elements }})[{{ place }}]
{%- endmacro %}
