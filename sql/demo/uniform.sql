-- A number in (0, 1) that follows from the seed, a stream (a text) and an id (an integer) alone.
-- One integer is hashed, at a place of its own for each stream: a hash of two small ones is uneven.
create or replace temp macro uniform(stream, id) as
    ((hash(id + cast(hash('{{ seed }}/' || stream) >> 4 as bigint)) >> 12) + 0.5e0) / pow(2e0, 52)
