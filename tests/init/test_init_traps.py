"""The traps of order lines that `seg-sql init` sees in a sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from retail_map import RETAIL

from seg_sql.engines import Engine

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "init"


def test_an_order_total_on_each_line_gives_way_to_prices(look: Any, noted: Any) -> None:
    # order_total.csv: 4 of the 8 orders have several lines, each with the same total.
    proposal, lines = look(FIXTURES / "order_total.csv")
    assert lines["columns"]["quantity"] == "qty"
    assert lines["columns"]["unit_price"] == "price"
    assert "amount" not in lines["columns"]
    assert "4 of the 4 orders" in noted(proposal, "total is the same on all lines", "quantity x")


def test_an_order_total_without_prices_is_not_summed(look: Any, noted: Any) -> None:
    # order_total_only.csv: the same, with neither quantity nor price.
    proposal, lines = look(FIXTURES / "order_total_only.csv")
    assert "amount" not in lines["columns"]
    assert "# amount: total" in proposal.files["seg_sql.yml"]
    noted(proposal, "total is the same on all lines", "one line per order")


def test_one_price_for_everything_is_no_order_total(look: Any, changed: Any) -> None:
    # Every line costs 5.00: constant within orders, but also between them.
    path = changed("order_total_only.csv", (r"\d+\.\d\d$", "5.00"))
    proposal, lines = look(path)
    assert lines["columns"]["amount"] == "total"
    assert proposal.notes == ()


def test_ids_that_differ_by_spaces_are_counted(look: Any, changed: Any, noted: Any) -> None:
    path = changed("cancelled.csv", (r"\Z", "1001,K1 ,2026-01-15 10:29:00,CUP,1.00,delivered\n"))
    proposal, _ = look(path)
    noted(proposal, "customer_id has 1 id with and without spaces at the ends, as K1: each form")


def test_ids_that_differ_by_case_are_counted(look: Any, changed: Any, noted: Any) -> None:
    path = changed("cancelled.csv", (r"\Z", "1001,k1,2026-01-15 10:29:00,CUP,1.00,delivered\n"))
    proposal, _ = look(path)
    noted(proposal, "customer_id has 1 id with small and with capital letters, as K1: each form")
    assert not [note for note in proposal.notes if "spaces" in note]


def test_spaces_that_all_forms_of_an_id_have_are_no_fault(look: Any, changed: Any) -> None:
    proposal, _ = look(changed("cancelled.csv", (r",(K\d+),", r",\1 ,")))
    assert not [note for note in proposal.notes if "spaces" in note]


@pytest.mark.parametrize("negative", [True, False])
def test_words_among_numbered_items_may_be_no_products(
    tmp_path: Path, look: Any, noted: Any, negative: bool
) -> None:
    lines = [f"{n},K{n % 5},2026-01-{n % 28 + 1:02d},P{n % 7},1,2.50" for n in range(40)]
    lines += ["50,K1,2026-02-01,POST,1,4.00", "51,K2,2026-02-01,POST,1,4.00"]
    lines += ["52,K3,2026-02-02,ONCE,1,4.00"]  # one line may be a slip of the pen
    lines += ["53,K3,2026-02-02,P1,-1,2.50"] if negative else []
    path = tmp_path / "lines.csv"
    head = "order_id,customer_id,order_date,sku,quantity,unit_price"
    path.write_text("\n".join([head, *lines]) + "\n")
    proposal, _ = look(path)
    noted(proposal, "sku POST: words, where other items have numbers")
    text = proposal.files["seg_sql.yml"]
    assert "  # not_products: [POST]\n" in text
    assert ("\nvars:\n" in text) == negative


def test_items_that_are_all_words_are_products(look: Any) -> None:
    # cancelled.csv: CUP, POT and so on.
    proposal, _ = look(FIXTURES / "cancelled.csv")
    assert not [note for note in proposal.notes if "words, where" in note]


def test_cancelled_orders_are_filtered_out(look: Any, noted: Any) -> None:
    # cancelled.csv: one cancelled, one returned and one pending order.
    proposal, lines = look(FIXTURES / "cancelled.csv")
    assert lines["where"] == "status not in ('cancelled', 'returned')"
    assert "pending (2 lines): kept" in noted(proposal, "status says cancelled (1 line)")


def test_a_status_that_may_be_empty_keeps_its_empty_lines(
    memory: Engine, look: Any, changed: Any, noted: Any
) -> None:
    # In SQL, NULL is not "not in" anything: without coalesce, lines without a status would go.
    path = changed("cancelled.csv", ("status$", "Order Status"), ("pending$", ""))
    proposal, lines = look(path)
    condition = """coalesce("Order Status", '') not in ('cancelled', 'returned')"""
    assert lines["where"] == condition
    noted(proposal, "is empty on 12 % of the lines: these are kept")
    found = memory.fetch(f"select count(*) from read_csv('{path}') where {condition}").rows
    # 17 lines, less one cancelled and one returned.
    assert found == [(15,)]


def test_returned_orders_stay_where_returns_are_negative_lines(
    look: Any, changed: Any, noted: Any
) -> None:
    path = changed("cancelled.csv", (r",([\d.]+),returned$", r",-\1,returned"))
    proposal, lines = look(path)
    assert lines["where"] == "status not in ('cancelled')"
    noted(proposal, "also says returned (1 line): kept, because there are negative")
    written = yaml.safe_load(proposal.files["seg_sql.yml"])
    assert written["vars"] == {"refunds": "net"}


def test_a_filter_that_would_drop_everything_is_not_switched_on(look: Any, changed: Any) -> None:
    path = changed("cancelled.csv", ("(delivered|pending|returned|cancelled)$", "Failed"))
    proposal, lines = look(path)
    assert "where" not in lines
    assert """# where: "status not in ('Failed')\"""" in proposal.files["seg_sql.yml"]


def test_several_currencies_are_said(look: Any, noted: Any) -> None:
    # currencies.csv: 17 lines, 10 of them in EUR, 3 in USD, 4 in GBP.
    proposal, lines = look(FIXTURES / "currencies.csv")
    assert lines["attributes"] == ["currency"]
    assert "where" not in lines
    assert """# where: "currency = 'EUR'\"""" in proposal.files["seg_sql.yml"]
    assert "EUR 59 %, USD 18 %, GBP 24 %" in noted(proposal, "3 values", "would mix them")


def test_a_currency_is_offered_beside_the_filter_of_a_status(look: Any, changed: Any) -> None:
    path = changed(
        "cancelled.csv",
        ("^order_id", "currency,order_id"),
        (r"^(\d)", r"EUR,\1"),
        ("^EUR,1002", "CHF,1002"),
    )
    proposal, lines = look(path)
    condition = "status not in ('cancelled', 'returned')"
    assert lines["where"] == condition
    # The line that is switched on, and the one to change it to.
    assert proposal.files["seg_sql.yml"].count(f'where: "{condition}') == 2
    assert f"""# where: "{condition} and currency = 'EUR'\"""" in proposal.files["seg_sql.yml"]


def test_one_currency_is_no_trap(look: Any, changed: Any) -> None:
    path = changed("currencies.csv", ("(USD|GBP)$", "EUR"))
    proposal, _ = look(path)
    assert proposal.notes == ()


def test_amounts_with_a_currency_sign_are_refused(look: Any, noted: Any) -> None:
    # square.csv: $1.99 in the sales.
    proposal, lines = look(FIXTURES / "square.csv")
    assert "amount" not in lines["columns"]
    assert set(proposal.undecided["amount"]) == {"Net Sales", "Gross Sales"}
    noted(proposal, "'Net Sales'", "carry a currency", "$")


def test_guests_are_no_customer(tmp_path: Path, look: Any, noted: Any) -> None:
    # guests.csv: GUEST has 3 of the 8 orders; woocommerce.csv: 0 has 2 of 8.
    proposal, lines = look(FIXTURES / "guests.csv")
    assert lines["anonymous_ids"] == ["GUEST"]
    noted(proposal, "GUEST (38 % of the orders)")
    _, lines = look(FIXTURES / "woocommerce.csv", tmp_path / "woo")
    assert lines["anonymous_ids"] == [0]


@pytest.mark.parametrize("written", ["-1", "unknown", "Gast", "N/A", "(not set)"])
def test_other_ids_of_guests(written: str, look: Any, changed: Any) -> None:
    _, lines = look(changed("guests.csv", ("GUEST", written)))
    assert lines["anonymous_ids"] == [-1 if written == "-1" else written]


def test_empty_customers_are_said(look: Any, changed: Any, noted: Any) -> None:
    proposal, lines = look(changed("guests.csv", ("GUEST", "")))
    assert "anonymous_ids" not in lines
    noted(proposal, "customer_id is empty on")


def test_an_id_with_far_more_orders_than_the_next_is_offered(
    tmp_path: Path, look: Any, noted: Any
) -> None:
    # The rule of the build's warning: over 1 % of the orders, and 20 times the second.
    rows = [f"{n},{'M-7' if n <= 40 else f'K{n % 30}'},2026-01-31,P{n % 3},2.50" for n in range(70)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(["order_id,customer_id,date,sku,amount", *rows]), "utf-8")
    proposal, lines = look(path)
    assert "anonymous_ids" not in lines
    assert "# anonymous_ids: [M-7]" in proposal.files["seg_sql.yml"]
    # 41 of 70 orders; each K has one.
    noted(proposal, "M-7 holds 59 % of the orders, 41 times the next")


def test_cancellation_invoices_are_explained(look: Any, noted: Any) -> None:
    # cancelled_invoices.csv: two ids with C and negative quantities.
    proposal, lines = look(FIXTURES / "cancelled_invoices.csv")
    assert lines["columns"] == RETAIL
    noted(proposal, "begin with C (as C536379)", "cancellations", "`net`")
    assert yaml.safe_load(proposal.files["seg_sql.yml"])["vars"] == {"refunds": "net"}


def test_negative_lines_without_ids_of_their_own_are_explained(
    look: Any, changed: Any, noted: Any
) -> None:
    path = changed("cancelled_invoices.csv", ("C536379", "539001"), ("C536383", "539002"))
    proposal, _ = look(path)
    # 2 of 19 lines.
    noted(proposal, "Quantity is negative on 11 % of the lines")
