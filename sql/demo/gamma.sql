-- A Gamma(shape, 1) number: the first of six tries that is accepted; one draw in 60 million finds
-- none and is the mean. A shape below 1 is drawn one higher and scaled by a power of a uniform.
create or replace temp macro gamma(stream, id, shape) as
    case
        when shape < 1
            then gamma_from_one(stream, id, shape + 1e0)
                * pow(uniform(stream || ' scale', id), 1e0 / shape)
        else gamma_from_one(stream, id, shape)
    end
