-- One try at a Gamma(shape, 1) number, shape >= 1: NULL when the proposal is rejected.
-- Five tries of a hundred are rejected at a shape of 1, fewer at a larger one.
create or replace temp macro gamma_try(stream, id, shape) as
    case
        when
            ln(uniform(stream || ' accept', id))
            < pow(normal(stream, id), 2) / 2e0
            + (shape - 1e0 / 3e0)
            * (
                1e0 - gamma_proposal(stream, id, shape)
                + ln(greatest(gamma_proposal(stream, id, shape), 1e-300))
            )
            then (shape - 1e0 / 3e0) * gamma_proposal(stream, id, shape)
    end
