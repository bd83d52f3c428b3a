-- The item of the same product in another colour: products and colours are numbered as items.sql
-- numbers them, and 283 is the inverse of 147 there, since 147 * 283 = 1 + 104 * 400.
create or replace temp macro in_colour(item_number, colour_number) as
    1 + ((((item_number - 1) * 283) % 400) // 10 * 10 + colour_number) * 147 % 400
