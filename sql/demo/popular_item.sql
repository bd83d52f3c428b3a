-- The number of an item drawn by popularity, which falls as 1 / (rank + 4): Zipf and Mandelbrot.
-- The inverse of P(rank <= n) = ln(1 + n / 4) / ln(101), for the 400 items of the catalogue.
create or replace temp macro popular_item(stream, id) as
    least(400, 1 + cast(floor(4e0 * pow(101e0, uniform(stream, id)) - 4e0) as integer))
