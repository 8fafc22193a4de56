//! Sets a sample receipt, for whoever works on the template: `receipt OUT.pdf [LANGUAGE]`.

use std::{env, fs, time::Instant};

use berth_receipt_pdf::{Content, Customer, Line, Seller, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "receipt.pdf".into());
    let mut content = sample(arguments.next().unwrap_or_else(|| "en".into()));
    for round in 0..6 {
        content.number = format!("2026-{:06}", 42 + round);
        let begun = Instant::now();
        let pdf = render(&content)?;
        println!("{} bytes in {} ms", pdf.len(), begun.elapsed().as_millis());
        fs::write(&path, pdf)?;
    }
    Ok(())
}

fn sample(locale: String) -> Content {
    let line = |description: &str, detail: &str, quantity, amount: &str| Line {
        description: description.into(),
        detail: detail.into(),
        quantity,
        amount_text: amount.into(),
    };
    Content {
        number: String::new(),
        issued_on: "7 March 2026".into(),
        seller: Seller {
            name: "Lagoon Yoga".into(),
            legal_name: "Lagoon Wellness GmbH".into(),
            address: vec![
                "Hafenstraße 12".into(),
                "20457 Hamburg".into(),
                "VAT DE 123456789".into(),
            ],
            color: "#0f766e".into(),
        },
        customer: Customer {
            name: "Þóra Łukaszewicz-Ștefănescu".into(),
            email: "thora@example.org".into(),
        },
        lines: vec![
            line(
                "Vinyasa Flow",
                "Saturday 14 March 2026, 10:00–11:15 · with Αλεξάνδρα",
                2,
                "38.00\u{a0}€",
            ),
            line("Mat and towel", "", 2, "6.00\u{a0}€"),
            line(
                "Чай и печенье",
                "שלום · مرحبا · გამარჯობა",
                1,
                "5.05\u{a0}€",
            ),
        ],
        total_text: "49.05\u{a0}€".into(),
        paid_with: Some("visa •••• 4242".into()),
        reference: "BK-7F3K2Q".into(),
        locale,
    }
}
