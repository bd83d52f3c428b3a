{# The rate of repeat purchases in the last period before the holdout, as long as the holdout, carried
   on; of newer customers that of their time, at least one unit. An expression, no statement. #}
{{ seg_sql.lit(length) }} * coalesce(summary.last_period_frequency, 0)
    / greatest(least(summary.calibration_age, {{ seg_sql.lit(length) }}), 1)
