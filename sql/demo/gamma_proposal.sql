-- What one try of Marsaglia and Tsang (2000) proposes as a gamma number, divided by shape - 1/3.
-- The cube of a normal number near 1: negative once in a while, and rejected then.
create or replace temp macro gamma_proposal(stream, id, shape) as
    pow(1e0 + normal(stream, id) / sqrt(9e0 * shape - 3e0), 3)
