"""Which raw column is which column of order_lines: by its usual names, checked against a sample."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from seg_sql.init.names import ROLES, STRONG, fold, name_score, names_of, words_of
from seg_sql.init.sample import (
    READABLE_DATES,
    Profile,
    Sample,
    date_styles,
    lines_of,
    number_styles,
)
from seg_sql.init.wording import shown

NUMBERS = ("quantity", "unit_price", "amount")

# Totals of a whole order by name: on order lines they are of less use than quantity and price.
_ORDER_TOTALS = re.compile(
    r"(grand|sub|order|invoice)?total(amount|price|ttc|ht)?|amountpaid"
    r"|(order|invoice|transaction|payment)(amount|value|total.*)"
)


@dataclass(frozen=True)
class Remark:
    """A sentence about the data, and the key of seg_sql.yml that it belongs to."""

    place: str
    text: str


@dataclass(frozen=True)
class Choice:
    """A column map.

    Attributes:
        columns: The raw column of each role that was decided.
        others: Raw columns that a role could have instead, best first.
        remarks: Why something was taken, or was not.
    """

    columns: Mapping[str, str]
    others: Mapping[str, tuple[str, ...]]
    remarks: tuple[Remark, ...] = ()


def choose(sample: Sample) -> Choice:
    """Decide on a raw column for each role, as far as names and values do.

    The best match is settled first, so that `item_id` is an item where it repeats, and the id of
    a line where it does not.
    """
    every_name = [profile.name for profile in sample.columns]
    fitting: list[tuple[float, str, Profile]] = []
    refused: dict[str, list[Remark]] = {}
    refused_names: dict[str, list[str]] = {}
    for profile in sample.columns:
        for role in ROLES:
            score = name_score(profile.name, role, every_name)
            if not score:
                continue
            reason = objection(role, profile)
            if reason:
                text = f"{shown(profile.name)} is not taken as {role}: {reason}"
                refused.setdefault(role, []).append(Remark(role, text))
                refused_names.setdefault(role, []).append(profile.name)
            else:
                # A column that is mostly empty gives way to one that is not.
                filled = profile.filled / profile.lines
                fitting.append((score * (0.5 + 0.5 * filled), role, profile))
    fitting.sort(key=lambda found: (-found[0], ROLES.index(found[1])))
    columns: dict[str, str] = {}
    for _, role, profile in fitting:
        if role not in columns and profile.name not in columns.values():
            columns[role] = profile.name
    # Where nothing names an order or an item, a bare `id` is that of an order.
    if not {"order_id", "item_id"} & columns.keys() and fold(columns.get("line_id", "")) == "id":
        columns["order_id"] = columns.pop("line_id")
    columns, remarks = _by_values(columns, sample.columns)
    others = {
        role: tuple(
            profile.name
            for score, found, profile in fitting
            if found == role and score > STRONG and profile.name not in columns.values()
        )
        for role in ROLES
    }
    for role in ROLES:
        wanted = role not in columns and (role != "amount" or "unit_price" not in columns)
        if wanted and role not in ("quantity", "unit_price", "line_id"):
            free = [name for name in refused_names.get(role, []) if name not in columns.values()]
            likely = _likely(role, sample.columns, columns.values())
            others[role] = tuple(dict.fromkeys((*others[role], *free, *likely)))
            remarks += refused.get(role, [])
    if "ordered_at" not in columns and "ordered_at" not in refused:
        remarks += _unread_dates(sample.columns, columns.values())
    return Choice(columns, {role: names[:3] for role, names in others.items()}, tuple(remarks))


def _unread_dates(profiles: Sequence[Profile], taken: Collection[str]) -> list[Remark]:
    """Say which column has dates, under whatever name, that a build cannot read."""
    for profile in profiles:
        styles = date_styles(profile)
        # Under such a name a number of five digits may be anything.
        styles.pop("days since 1900", None)
        dates = sum(lines_of(shapes) for shapes in styles.values())
        if profile.name in taken or dates < 0.9 * profile.filled:
            continue
        if profile.filled and (reason := _no_date(profile)):
            text = f"{shown(profile.name)} is not taken as ordered_at: {reason}"
            return [Remark("ordered_at", text)]
    return []


def objection(role: str, profile: Profile) -> str | None:
    """Return why the values of a column do not fit a role; None where they do."""
    if not profile.filled:
        return "it is empty."
    if role == "ordered_at":
        return _no_date(profile)
    if role in NUMBERS:
        return _no_number(profile)
    if profile.kind in ("date", "timestamp", "boolean"):
        return f"it is a {profile.kind}."
    if role == "line_id":
        enough = profile.different >= 0.9 * profile.lines
        return None if enough else "not every line has its own."
    if profile.constant:
        return "it has one value only."
    if role in ("customer_id", "item_id") and profile.unique:
        who = "who came back" if role == "customer_id" else "which items were bought again"
        return (
            f"no value repeats in the {profile.filled:,} lines looked at, so that it cannot tell"
            f" {who}."
        )
    return None


def _no_date(profile: Profile) -> str | None:
    styles = date_styles(profile)
    readable = {style: lines_of(styles.get(style, [])) for style in READABLE_DATES}
    if profile.kind == "number":
        readable = {}
    if sum(readable.values()) >= 0.5 * profile.filled:
        return None
    unread = {style: shapes for style, shapes in styles.items() if style not in readable}
    if not unread:
        example = profile.shapes[0].low if profile.shapes else ""
        return f"its values are no dates, as {shown(example)}."
    style, shapes = max(unread.items(), key=lambda found: lines_of(found[1]))
    example = shown(shapes[0].low)
    if style.endswith("1900"):
        return (
            f"it counts {style} as workbooks do, as {example}. Export it as a date, or make one of"
            " it in a view with date '1899-12-30' + days."
        )
    if style.endswith("1970"):
        return (
            f"it counts {style}, as {example}. Export it as a timestamp, or make one of it in a"
            " view with to_timestamp()."
        )
    what = "has numbers of eight digits" if style == "eight digits" else f"has {style}"
    return f"it {what}, as {example}. Export dates as 2026-03-04 or 2026-03-04 12:30:00."


def _no_number(profile: Profile) -> str | None:
    styles = number_styles(profile)
    unread = styles.pop("none", [])
    if sum(map(lines_of, styles.values())) >= 0.5 * profile.filled:
        return None
    example = shown(unread[0].low) if unread else f"a {profile.kind}"
    if unread and has_money_sign(unread[0].low):
        return f"its numbers carry a currency, as {example}. Export plain numbers."
    return f"its values are no numbers, as {example}."


def has_money_sign(text: str) -> bool:
    """Return whether a text is an amount with a currency, as `$12.50` or `12,50 EUR`.

    >>> has_money_sign("12,50 €"), has_money_sign("CHF 5"), has_money_sign("n/a")
    (True, True, False)
    """
    return (
        re.fullmatch(r"[-+(]*([^\d\s]{1,3} ?[\d.,' ]*\d|\d[\d.,' ]*([^\d\s]{1,3}))\)?", text)
        is not None
    )


def _by_values(
    columns: Mapping[str, str], profiles: Sequence[Profile]
) -> tuple[dict[str, str], list[Remark]]:
    """Add a date and an amount whose names say nothing, where only one column can be it."""
    found = dict(columns)
    remarks = []
    for role in ("ordered_at", "amount"):
        if role in found or (role == "amount" and "unit_price" in found):
            continue
        likely = _likely(role, profiles, found.values())
        if len(likely) == 1:
            found[role] = likely[0]
            text = f"{shown(likely[0])} is taken as {role} because of its values: check it."
            remarks.append(Remark(role, text))
    return found, remarks


def _likely(role: str, profiles: Sequence[Profile], taken: Collection[str]) -> list[str]:
    """Return the columns that a role could have by their values, whatever their names."""
    _, never = names_of(role)
    free = [
        profile
        for profile in profiles
        if profile.name not in taken
        and not never.intersection(words_of(profile.name))
        and not any(name_score(profile.name, other) > STRONG for other in ROLES if other != role)
    ]
    if role == "ordered_at":
        return [p.name for p in free if _surely_date(p)]
    if role == "amount":
        return [p.name for p in free if _surely_decimal(p)]
    if role not in ("customer_id", "order_id", "item_id"):
        return []
    ids = [
        p
        for p in free
        if p.kind in ("text", "number", "other")
        and max(10, p.filled // 1000) < p.different
        and (role == "order_id" or not p.unique)
        and not _surely_decimal(p)
        and not date_styles(p).keys() & set(READABLE_DATES[:2])
    ]
    return [p.name for p in sorted(ids, key=lambda p: (-p.filled, -p.different))]


def _surely_date(profile: Profile) -> bool:
    if profile.kind == "number" or not profile.filled:
        return False
    styles = date_styles(profile)
    sure = lines_of(styles.get("year first", [])) + lines_of(styles.get("year last", []))
    return sure >= 0.9 * profile.filled


def _surely_decimal(profile: Profile) -> bool:
    if profile.kind == "number":
        return not re.fullmatch(r".*(int|serial|hugeint).*", profile.type, re.I)
    styles = number_styles(profile)
    decimals = lines_of(styles.get("point", [])) + lines_of(styles.get("comma", []))
    return 0 < 0.9 * profile.filled <= decimals + lines_of(styles.get("integer", [])) and (
        decimals >= 0.5 * profile.filled
    )


def settle_orders(sample: Sample, choice: Choice) -> Choice:
    """Leave out an order id that several customers share: it numbers each customer's orders."""
    order_id, customer_id = choice.columns.get("order_id"), choice.columns.get("customer_id")
    if order_id is None or customer_id is None:
        return choice
    found = sample.orders(order_id, customer_id, [])
    shared, orders = found["n_shared"], found["n_orders"]
    if shared < max(3, 0.05 * orders):
        return choice
    text = (
        f"{shown(order_id)} is not taken as order_id: {shared:,} of its {orders:,} values belong to"
        " several customers."
    )
    columns = {role: name for role, name in choice.columns.items() if role != "order_id"}
    others = {**choice.others, "order_id": (order_id, *choice.others.get("order_id", ()))}
    return Choice(columns, others, (*choice.remarks, Remark("order_id", text)))


def settle_money(sample: Sample, choice: Choice) -> Choice:
    """Decide what the money of a line is: quantity x unit_price, or an amount.

    An amount that is the same on all lines of each order is the order's total; summed over lines
    it would count several times.
    """
    columns, others = dict(choice.columns), dict(choice.others)
    remarks = list(choice.remarks)
    if "amount" not in columns:
        if "unit_price" not in columns or "quantity" in columns:
            return choice
        columns["amount"] = columns.pop("unit_price")
        text = f"There is no quantity: {shown(columns['amount'])} is taken as the amount of a line."
        remarks.append(Remark("amount", text))
    amount = columns["amount"]
    total = _order_total(sample, columns, amount)
    by_price = {"quantity", "unit_price"} <= columns.keys()
    if by_price and (total or _ORDER_TOTALS.fullmatch(fold(amount))):
        del columns["amount"]
        if total:
            remarks.append(Remark("unit_price", f"{total} quantity x unit_price is used instead."))
        return Choice(columns, others, tuple(remarks))
    # A price that is not used would be a second, different money.
    price = columns.pop("unit_price", None)
    if by_price:
        others["amount"] = (f"quantity x {price}",)
    elif total and price:
        columns["amount"] = price
        text = f"{total} {shown(price)} is taken as the amount of a line instead."
        remarks.append(Remark("amount", text))
    elif total:
        del columns["amount"]
        others["amount"] = (amount,)
        text = (
            f"{total} It is left out: give each line its own amount, or make a file or view with"
            " one line per order and map that."
        )
        remarks = [*choice.remarks, Remark("amount", text)]
    return Choice(columns, others, tuple(remarks))


def _order_total(sample: Sample, columns: Mapping[str, str], amount: str) -> str | None:
    """Return the sentence that an amount is the order's total, where it is."""
    order_id = columns.get("order_id")
    if order_id is None:
        return None
    found = sample.orders(order_id, None, [amount])
    several, same = found["n_multi_line"], found["constant_0"]
    if several < 3 or same < 0.9 * several or found["levels_0"] < 2:
        return None
    return (
        f"{shown(amount)} is the same on all lines of {same:,} of the {several:,} orders with"
        " several lines: it looks like the order's total, which a sum over lines would count"
        " several times."
    )
