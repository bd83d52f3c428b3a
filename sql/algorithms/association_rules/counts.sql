{# Whether a line is an item in a basket. An expression, no statement. #}
order_id is not null and item_id is not null{{ " and coalesce(reason, 'kept') = 'kept'" if has_reason }}
