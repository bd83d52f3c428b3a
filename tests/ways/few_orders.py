"""The order lines of a very small shop."""

ORDERS = [
    # customer, order, moment, item, pieces, price
    ("ann", "1", "2026-01-05 10:00", "tea", 2, 3.5),
    ("ann", "2", "2026-02-05 10:00", "mug", 1, 12.25),
    ("bob", "3", "2026-01-20 09:30", "tea", 1, 3.5),
    ("bob", "4", "2026-03-01 09:30", "pot", 1, 40.0),
    ("cid", "5", "2026-03-20 18:00", "tea", 4, 3.5),
    ("dee", "6", "2026-02-11 12:00", "mug", 2, 12.25),
    ("dee", "7", "2026-03-28 12:00", "tea", 1, 3.5),
    ("eve", "8", "2026-01-02 12:00", "pot", 1, 40.0),
    (None, "9", "2026-03-30 12:00", "tea", 1, 3.5),
]
"""Nine order lines of five customers and a guest; as_of is 2026-04-01."""
