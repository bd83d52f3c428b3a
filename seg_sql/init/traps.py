"""The usual traps of order lines that a sample shows, each with a sentence and a setting."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from seg_sql.config import INPUT_COLUMNS
from seg_sql.init.columns import NUMBERS, has_money_sign
from seg_sql.init.look import Look, Setting
from seg_sql.init.names import names_file
from seg_sql.init.sample import (
    READABLE_DATES,
    Profile,
    Shape,
    Value,
    date_styles,
    is_zoned,
    lines_of,
    number_styles,
    render,
)
from seg_sql.init.wording import percent, shown
from seg_sql.wording import counted

# Words in the status of orders that did not happen, were taken back, or are not paid yet.
_NOT_HAPPENED = re.compile(
    r"cancel|void|fail|declin|reject|denied|abandon|charge.?back|expired|fraud|deleted|trash"
    r"|unavailable|storn|abgebrochen|annul|echou"
)
_TAKEN_BACK = re.compile(r"refund|return|retour|rembours|zuruck|erstatt")
_NOT_YET = re.compile(r"pending|unpaid|draft|hold|quote|await|offen|attente")
_IN_PART = re.compile(r"part|teil")
# So many item ids that are words are proposed as no products.
_FEW = 10


def settings(look: Look) -> list[Setting]:
    """Return what seg_sql.yml should say beside the column map, trap by trap."""
    cancelled = list(cancelled_orders(look))
    money = list(currencies(look, [s.value for s in cancelled if s.key == "where" and s.active]))
    carried = [s.value for s in money if s.key == "attributes"]
    return [
        *cancelled,
        *(setting for setting in money if setting.key != "attributes"),
        *attributes(look, carried),
        *dates(look),
        *numbers(look),
        *anonymous(look),
        *id_forms(look),
        *negatives(look),
        *not_products(look),
    ]


def cancelled_orders(look: Look) -> Iterator[Setting]:
    """Propose a filter for orders that did not happen."""
    has_negative = any(_negative_lines(look, role) for role in NUMBERS)
    conditions, said, everything = [], [], False
    for profile in look.named("status"):
        if profile.kind not in ("text", "other") or profile.different > 50:
            continue
        values = look.values(profile)
        # Where returns are negative lines, dropping what was returned would count it twice.
        gone = [v for v in values if _status(v.text) == "gone"]
        back = [v for v in values if _status(v.text) == "back"]
        open_ = [v for v in values if _status(v.text) == "open"]
        out = gone if has_negative else gone + back
        if out:
            conditions.append(_without(look, profile, out))
            said.append(f"{shown(profile.name)} says {_listed(out)}: not sales, left out.")
            everything = everything or sum(v.lines for v in out) == profile.lines
        if back and has_negative:
            said.append(
                f"{shown(profile.name)} also says {_listed(back)}: kept, because there are negative"
                " lines that take them back."
            )
        if open_ and out:
            said.append(
                f"{shown(profile.name)} also says {_listed(open_)}: kept; add it if it is no sale."
            )
        if out and profile.filled < profile.lines:
            share = percent(profile.lines - profile.filled, profile.lines)
            said.append(f"{shown(profile.name)} is empty on {share} of the lines: these are kept.")
    if conditions:
        if everything:
            said.append("As that is every line looked at, it is not switched on.")
        yield Setting("where", " and ".join(conditions), " ".join(said), not everything)


def _status(text: str) -> str:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    if _IN_PART.search(plain):
        return ""
    patterns = {"gone": _NOT_HAPPENED, "back": _TAKEN_BACK, "open": _NOT_YET}
    return next((name for name, pattern in patterns.items() if pattern.search(plain)), "")


def _listed(values: list[Value]) -> str:
    return ", ".join(f"{shown(v.text)} ({counted(v.lines, 'line')})" for v in values)


def _without(look: Look, profile: Profile, values: list[Value]) -> str:
    return render(
        "status_condition",
        column=look.identifier(profile.name),
        values=[look.literal(value.text) for value in values],
        is_enum=profile.kind == "other",
        may_be_null=profile.filled < profile.lines,
    ).strip()


def currencies(look: Look, conditions: list[object]) -> Iterator[Setting]:
    """Warn of amounts in several currencies."""
    for profile in look.named("currency")[:1]:
        values = look.values(profile)
        if not 2 <= profile.different <= 60:
            continue
        shares = [f"{shown(v.text)} {percent(v.lines, profile.filled)}" for v in values[:5]]
        why = (
            f"{shown(profile.name)} has {profile.different} values ({', '.join(shares)}): sums"
            " would mix them. Keep one of them with the line below, or convert the amounts first."
        )
        condition = render(
            "currency_condition",
            conditions=conditions,
            column=look.identifier(profile.name),
            currency=look.literal(values[0].text),
        ).strip()
        yield Setting("where", condition, why, active=False)
        yield Setting("attributes", profile.name)


def attributes(look: Look, carried: list[object]) -> Iterator[Setting]:
    """Propose columns to carry through, such as country, store and channel."""
    names = [str(name) for name in carried]
    for profile in look.named("attribute"):
        few = 2 <= profile.different <= min(1000, profile.filled / 2)
        if few and profile.name not in names and _may_be_attribute(profile):
            names.append(profile.name)
    yield Setting("attributes", names[:6])
    status = [profile.name for profile in look.named("status")]
    more = [
        p.name
        for p in look.sample.columns
        if p.name not in (*look.columns.values(), *names, *status)
        and p.kind == "text"
        and _may_be_attribute(p)
        and 2 <= p.different <= min(20, p.filled / 5)
        and not date_styles(p)
        and lines_of(number_styles(p).get("none", [])) >= 0.5 * p.filled
    ]
    if more:
        yield Setting("attributes", [*names, *more[:4]], active=False)


def _may_be_attribute(profile: Profile) -> bool:
    taken = {*INPUT_COLUMNS["order_lines"], "order_date"}
    return profile.name.lower() not in taken and profile.kind not in ("date", "timestamp")


def dates(look: Look) -> Iterator[Setting]:
    """Decide how dates are written, or say that the sample cannot decide it."""
    profile = look.profile("ordered_at")
    if profile is None:
        return
    zoned_type = profile.kind == "timestamp" and "with time zone" in profile.type.lower()
    if zoned_type or is_zoned(profile):
        why = (
            f"The times of {shown(profile.name)} carry their distance from UTC; which day an order"
            " belongs to depends on the time zone. Write your shop's, such as Europe/Paris."
        )
        yield Setting("timezone", "UTC", why)
    if profile.kind in ("date", "timestamp"):
        return
    styles = date_styles(profile)
    year_last = styles.get("year last", [])
    order = "ymd"
    if lines_of(year_last) > 0.5 * profile.filled:
        setting = _date_order(look, profile, year_last)
        order = str(setting.value)
        yield setting
    unread = lines_of(year_last) if order == "ymd" else lines_of(styles.get("eight digits", []))
    readable = sum(lines_of(styles.get(style, [])) for style in READABLE_DATES) - unread
    rest = [s for s in profile.shapes if not any(s in styles.get(r, []) for r in READABLE_DATES)]
    if readable < profile.filled:
        example = f", as {shown(rest[0].low)}" if rest else ""
        why = (
            f"{percent(profile.filled - readable, profile.filled)} of the values of"
            f" {shown(profile.name)} cannot be read as dates{example}; the build leaves those lines"
            " out and counts them in input_quality."
        )
        yield Setting("ordered_at", why=why)


def _date_order(look: Look, profile: Profile, shapes: list[Shape]) -> Setting:
    found = look.sample.day_month(profile.name, shapes)
    first, second = found["first_is_day"], found["second_is_day"]
    if first and second:
        order = "dmy" if first >= second else "mdy"
        why = (
            f"{shown(profile.name)} mixes day first ({shown(found['first_example'])}) with month"
            f" first ({shown(found['second_example'])}): no reading fits all, and dates below the"
            " 13th would be wrong in silence. Export them as 2026-03-04."
        )
    elif first or second:
        order = "dmy" if first else "mdy"
        example = found["first_example"] if first else found["second_example"]
        why = f"{shown(example)} can only be {'day' if first else 'month'} first."
    else:
        order = "dmy"
        why = (
            f"Dates such as {shown(shapes[0].low)} can be read in two ways, and in the sample no"
            " number above 12 decides it: the day is assumed to come first. Write mdy if it is the"
            " month."
        )
    return Setting("date_order", order, why)


def numbers(look: Look) -> Iterator[Setting]:
    """Decide whether numbers have decimal commas, and name those that cannot be read."""
    comma: list[tuple[str, Shape]] = []
    point: list[tuple[str, Shape]] = []
    either: list[tuple[str, Shape]] = []
    for role in NUMBERS:
        profile = look.profile(role)
        if profile is None or profile.kind == "number":
            continue
        styles = number_styles(profile)
        for found, style in ((comma, "comma"), (point, "point"), (either, "either")):
            found += [(profile.name, shape) for shape in styles.get(style, [])]
        if unread := styles.get("none", []):
            example = unread[0].low
            share = percent(lines_of(unread), profile.filled)
            why = (
                f"{share} of the values of {shown(profile.name)} cannot be read as numbers, as"
                f" {shown(example)}; the build leaves those lines out and counts them in"
                " input_quality."
            )
            if has_money_sign(example):
                why += " Export numbers without a currency."
            yield Setting(role, why=why)
    if comma:
        name, shape = comma[0]
        why = f"{shown(name)} has decimal commas, as {shown(shape.low)}."
        if point:
            other, odd = point[0]
            why += (
                f" But {shown(other)} has decimal points, as {shown(odd.low)}, and all columns are"
                " read one way: export them alike."
            )
        more = lines_of([s for _, s in comma]) >= lines_of([s for _, s in point])
        yield Setting("decimal_comma", True, why, active=more)
    elif either and not point:
        name, shape = either[0]
        why = (
            f"{shown(shape.low)} in {shown(name)} is read with a comma between thousands; if it is"
            " a decimal comma, switch this on."
        )
        yield Setting("decimal_comma", True, why, active=False)


def anonymous(look: Look) -> Iterator[Setting]:
    """Find ids that stand for many customers, and lines without one."""
    profile = look.profile("customer_id")
    if profile is None:
        return
    name = shown(profile.name)
    empty = profile.lines - profile.filled
    if empty >= 0.01 * profile.lines:
        why = (
            f"{name} is empty on {percent(empty, profile.lines)} of the lines: they count for items"
            " and are skipped by the tables of customers."
        )
        yield Setting("customer_id", why=why)
    order = look.profile("order_id")
    whole = order.different if order else profile.lines
    what = "orders" if order else "lines"
    counted = [(v.text, v.orders if order else v.lines) for v in look.values(profile)]
    known = [(text, n) for text, n in counted if _is_anonymous(text) and n >= max(2, 0.001 * whole)]
    if known:
        said = ", ".join(f"{shown(text)} ({percent(n, whole)} of the {what})" for text, n in known)
        why = f"{name} {said} is no customer: its lines are treated as without one."
        yield Setting("anonymous_ids", [_id(text) for text, _ in known], why)
    rest = [(text, n) for text, n in counted if not _is_anonymous(text)]
    # The rule of the warning that a build gives.
    if len(rest) > 1 and rest[0][1] > 0.01 * whole and rest[0][1] >= 20 * rest[1][1]:
        text, n = rest[0]
        why = (
            f"{name} {shown(text)} holds {percent(n, whole)} of the {what},"
            f" {n // rest[1][1]} times the next: if it stands for many customers, switch this on."
        )
        yield Setting("anonymous_ids", [*(_id(t) for t, _ in known), _id(text)], why, active=False)


def id_forms(look: Look) -> Iterator[Setting]:
    """Count the customers whose ids differ only by spaces at their ends, or by capitals."""
    profile = look.profile("customer_id")
    if profile is None or profile.kind not in ("text", "other"):
        return
    forms = {
        "spaces": ("with and without spaces at the ends", "Export them without."),
        "case": ("with small and with capital letters", "If they are one, export them alike."),
    }
    for found in look.sample.id_forms(profile.name):
        form, then = forms[found["difference"]]
        ids = counted(found["n_ids"], "id")
        why = (
            f"{shown(profile.name)} has {ids} {form}, as {shown(found['example'])}: each form is"
            f" a customer of its own. {then}"
        )
        yield Setting("customer_id", why=why)


@cache
def _anonymous_names() -> frozenset[str]:
    return frozenset(str(name).casefold() for name in names_file()["anonymous_ids"])


def _is_anonymous(text: str) -> bool:
    return text.strip().casefold() in _anonymous_names()


def _id(text: str) -> str | int:
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text


def negatives(look: Look) -> Iterator[Setting]:
    """Explain negative lines: refunds, and cancellations with their own order ids."""
    negative = {role: _negative_lines(look, role) for role in ("quantity", "amount")}
    role = max(negative, key=lambda r: negative[r])
    if not negative[role]:
        return
    numbers_ = [look.columns[r] for r in negative if r in look.columns]
    order_id = look.columns.get("order_id")
    groups = look.sample.prefixes(order_id, numbers_) if order_id else []
    signed = [
        g
        for g in groups
        if re.match(r"[^\W\d_]", g["prefix"]) and g["n_negative"] >= 0.9 * g["n_lines"]
    ]
    if signed and any(g["n_negative"] < 0.5 * g["n_lines"] for g in groups):
        prefixes = ", ".join(f"{g['prefix']} (as {shown(g['example'])})" for g in signed)
        what = f"Order ids that begin with {prefixes} have negative lines: cancellations."
    else:
        share = percent(negative[role], look.sample.lines)
        what = f"{shown(look.columns[role])} is negative on {share} of the lines: refunds."
    why = (
        f"{what} `net` takes them off the customer's money, and they do not count as purchases;"
        " `drop` ignores them."
    )
    yield Setting("refunds", "net", why)


def _negative_lines(look: Look, role: str) -> int:
    profile = look.profile(role)
    if profile is None:
        return 0
    return lines_of([s for s in profile.shapes if re.match(r"-[.,]?9", s.text)])


def not_products(look: Look) -> Iterator[Setting]:
    """Find words, as POST, among item ids that are numbered otherwise: postage, fees, samples."""
    profile = look.profile("item_id")
    if profile is None:
        return
    words = [shape for shape in profile.shapes if "9" not in shape.text]
    found = [shape.low for shape in words if shape.lines >= 2][:_FEW]
    if not found or lines_of(words) > 0.1 * profile.filled:
        return
    why = (
        f"{shown(profile.name)} {', '.join(map(shown, found))}: words, where other items have"
        " numbers. If they are postage, fees and the like, switch this on: their money counts, and"
        " they are not recommended."
    )
    yield Setting("not_products", found, why, active=False)
