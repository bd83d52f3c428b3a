-- The catalogue: forty products, each in ten colours and numbered by popularity, and shipping.
-- Multiplying by 147, which shares no factor with 400, spreads the popular numbers about.
create or replace temp table items as

with

products as (

    select
        product_number,
        product,
        category,
        cast(list_price as double) as list_price
    from (
        values
            (0, 'Ceramic Teapot', 'Tableware', 18.50),
            (1, 'Ceramic Cup', 'Tableware', 6.25),
            (2, 'Ceramic Saucer', 'Tableware', 3.40),
            (3, 'Ceramic Mug', 'Tableware', 7.95),
            (4, 'Glass Carafe', 'Tableware', 14.90),
            (5, 'Glass Tumbler', 'Tableware', 4.20),
            (6, 'Linen Napkin', 'Tableware', 3.10),
            (7, 'Linen Tablecloth', 'Tableware', 24.00),
            (8, 'Chopping Board', 'Kitchen', 12.75),
            (9, 'Paring Knife', 'Kitchen', 8.40),
            (10, 'Mixing Bowl', 'Kitchen', 9.60),
            (11, 'Silicone Whisk', 'Kitchen', 5.35),
            (12, 'Baking Tray', 'Kitchen', 11.20),
            (13, 'Oven Glove', 'Kitchen', 6.90),
            (14, 'Storage Jar', 'Kitchen', 4.75),
            (15, 'Spice Tin', 'Kitchen', 2.60),
            (16, 'Scented Candle', 'Home', 8.95),
            (17, 'Candle Holder', 'Home', 5.80),
            (18, 'Photo Frame', 'Home', 9.25),
            (19, 'Wall Clock', 'Home', 26.50),
            (20, 'Cushion Cover', 'Home', 11.80),
            (21, 'Wool Blanket', 'Home', 34.00),
            (22, 'Bath Towel', 'Home', 13.60),
            (23, 'Soap Dish', 'Home', 4.10),
            (24, 'Garden Trowel', 'Garden', 7.30),
            (25, 'Garden Gloves', 'Garden', 5.95),
            (26, 'Plant Pot', 'Garden', 6.60),
            (27, 'Watering Can', 'Garden', 15.40),
            (28, 'Seed Box', 'Garden', 3.85),
            (29, 'Bird Feeder', 'Garden', 10.90),
            (30, 'Picnic Basket', 'Garden', 29.00),
            (31, 'Picnic Blanket', 'Garden', 19.75),
            (32, 'Notebook', 'Stationery', 4.60),
            (33, 'Fountain Pen', 'Stationery', 16.20),
            (34, 'Ink Bottle', 'Stationery', 5.50),
            (35, 'Desk Tray', 'Stationery', 12.30),
            (36, 'Gift Wrap', 'Stationery', 2.90),
            (37, 'Ribbon Reel', 'Stationery', 2.20),
            (38, 'Greeting Card', 'Stationery', 2.40),
            (39, 'Wooden Puzzle', 'Toys', 9.90)
    ) as listed (product_number, product, category, list_price)

),

colours as (

    select
        colour_number,
        colour
    from (
        values
            (0, 'Blue'), (1, 'White'), (2, 'Green'), (3, 'Red'), (4, 'Grey'),
            (5, 'Yellow'), (6, 'Black'), (7, 'Pink'), (8, 'Orange'), (9, 'Natural')
    ) as listed (colour_number, colour)

),

numbered as (

    select
        1 + ((products.product_number * 10 + colours.colour_number) * 147) % 400 as item_number,
        products.product || ' ' || colours.colour as name,
        products.category,
        products.list_price
    from products
    cross join colours

)

select
    item_number,
    'P' || cast(1000 + item_number as varchar) as sku,
    name,
    category,
    list_price,
    true as is_product
from numbered

union all

select
    401 as item_number,
    'SHIPPING' as sku,
    'Shipping' as name,
    'Service' as category,
    {{ truth.shipping_price }} as list_price,
    false as is_product

order by item_number
