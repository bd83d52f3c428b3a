-- What the customers' own columns say of the observation.
-- One row.
select
    {% if 'observation_end' in columns -%}
    max(summary.observation_end) as observation_end,
    {% endif -%}
    {% if 'calibration_end' in columns -%}
    max(summary.calibration_end) as calibration_end,
    {% endif -%}
    {% if 'time_unit' in columns -%}
    max({{ seg_sql.bin('summary.time_unit') }}) as time_unit,
    {% endif -%}
    {% if 'median_gap_variation' in columns -%}
    max(summary.median_gap_variation) as median_gap_variation,
    {% elif 'gap_variation' in columns -%}
    percentile_cont(0.5) within group (order by summary.gap_variation) as median_gap_variation,
    {% endif -%}
    {% if 'calibration_age' in columns -%}
    max(summary.age - summary.calibration_age) as holdout_length,
    {% endif -%}
    {% if 'recent_frequency' in columns -%}
    {{ seg_sql.isum('summary.recent_frequency') }} as recent_orders,
    {% endif -%}
    max(summary.age) as longest_age,
    count(*) as customers
from {{ relation }} as summary
