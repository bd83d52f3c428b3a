-- A Gamma(shape, 1) number for a shape of 1 or more: the first of six tries that is accepted.
-- One draw in 60 million finds none and is the mean.
create or replace temp macro gamma_from_one(stream, id, shape) as
    coalesce(
        gamma_try(stream || ' 1', id, shape),
        gamma_try(stream || ' 2', id, shape),
        gamma_try(stream || ' 3', id, shape),
        gamma_try(stream || ' 4', id, shape),
        gamma_try(stream || ' 5', id, shape),
        gamma_try(stream || ' 6', id, shape),
        shape
    )
