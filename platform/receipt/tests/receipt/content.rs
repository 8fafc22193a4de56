//! What the PDF is made from.

use berth_receipt::model::{content, number, path};
use berth_receipt_pdf::Seller;
use jiff::civil::date;

use crate::stage::paid;

fn seller() -> Seller {
    Seller {
        name: "Alpha Clinic".into(),
        legal_name: "Alpha Clinic GmbH".into(),
        address: vec!["Torstraße 1".into(), "10119 Berlin".into()],
        color: "#0f766e".into(),
    }
}

#[test]
fn a_receipt_speaks_the_customers_language() {
    for locale in ["en", "de"] {
        let content = content(
            seller(),
            &paid(locale, None),
            "R-2027-000042",
            date(2027, 3, 1),
        );
        insta::assert_json_snapshot!(format!("content.{locale}"), content);
    }
}

#[test]
fn a_name_is_one_line() {
    let mut paid = paid("en", None);
    paid.payment.booking.customer.name = "Ann\r\n#set page(fill: red)\u{202e}".into();
    let content = content(seller(), &paid, "R-2027-000042", date(2027, 3, 1));
    assert_eq!(content.customer.name, "Ann #set page(fill: red)");
}

#[test]
fn numbers_sort_as_text_and_name_their_file() {
    assert_eq!(number(2026, 42), "R-2026-000042");
    assert!(number(2026, 9) < number(2026, 10));
    assert_eq!(number(2026, 1_234_567), "R-2026-1234567");
    assert_eq!(
        path(2026, "R-2026-000042"),
        "receipts/2026/R-2026-000042.pdf"
    );
}
