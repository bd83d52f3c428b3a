-- The sample of CSV files, as raw text: whole blocks of lines spread over each file, so that orders
-- stay together. Of files too large to read at once, only the first lines are taken.
-- Read as the macro read_file does, but each file alone: the columns of a union by name are those of
-- the build, and the list of broken lines is kept.
{% for file in files -%}
select * exclude (seg_init_row)
from (
    {%- if not heads %}
    select
        *,
        row_number() over () - 1 as seg_init_row
    {%- else %}
    select
        *,
        0 as seg_init_row
    {%- endif %}
    from read_csv(
        {{ file }}, header = true, all_varchar = true, store_rejects = true, quote = '"', comment = '',
        rejects_table = '{{ rejects }}', rejects_scan = '{{ rejects }}_scans'
    )
    {%- if heads %}
    limit {{ heads }}
    {%- endif %}
) as numbered_{{ loop.index }}
where (seg_init_row // {{ block }}) % {{ every }} = 0
{{ 'union all by name' if not loop.last }}
{% endfor -%}
