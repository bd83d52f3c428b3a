-- A standard normal number by the method of Box and Muller (1958), from two uniform ones.
-- The same stream and id always give the same number.
create or replace temp macro normal(stream, id) as
    sqrt(-2e0 * ln(uniform(stream || ' radius', id)))
    * cos(2e0 * pi() * uniform(stream || ' angle', id))
