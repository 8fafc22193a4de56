//! Each mail in each language, as golden files.

use berth_events::booking::Booking;
use berth_notification::{
    model::{Brand, Declined, Letter, Subject},
    templates::{Rendered, render, sign_up},
};

use crate::sample::{booking, euro};

const PAY_URL: &str = "http://alpha-clinic.localhost/checkout/0199?proof=a";

fn brand() -> Brand {
    Brand {
        name: "Alpha Clinic".into(),
        legal_name: "Alpha Clinic GmbH".into(),
        address: "Torstraße 1\n10119 Berlin".into(),
        color: "#0f766e".into(),
        accent_color: "#0f766e".into(),
        logo_url: None,
    }
}

fn rendered(booking: Booking, subject: Subject) -> Rendered {
    render(
        &Letter {
            source: "sample".into(),
            booking,
            subject,
        },
        &brand(),
        PAY_URL,
    )
    .unwrap()
}

fn receipt(confirmed: bool) -> Subject {
    Subject::Receipt {
        confirmed,
        number: "R-2026-000042".into(),
        amount: euro(4_905),
        path: "receipts/sample.pdf".into(),
    }
}

#[test]
fn a_logo_stands_beside_the_name() {
    let letter = Letter {
        source: "sample".into(),
        booking: booking("en"),
        subject: Subject::Confirmation,
    };
    let branded = Brand {
        logo_url: Some("https://cdn.example/a.png?x=\"><b>".into()),
        ..brand()
    };
    let html = render(&letter, &branded, PAY_URL).unwrap().html;
    assert!(
        html.contains("<img src=\"https://cdn.example/a.png?x=&#34;&#62;"),
        "{html}"
    );
    assert!(
        !render(&letter, &brand(), PAY_URL)
            .unwrap()
            .html
            .contains("<img")
    );
}

/// The whole mail as one text.
fn shown(mail: &Rendered) -> String {
    format!(
        "{}\n\n==== text\n{}\n==== html\n{}",
        mail.subject, mail.text, mail.html
    )
}

#[test]
fn the_mail_to_sign_up() {
    let url = "http://localhost:8080/portal/sign-up/0199?proof=a&b=<c>";
    let mail = sign_up(url, "localhost").unwrap();
    assert!(!mail.html.contains("<c>"));
    insta::assert_snapshot!("sign_up.en", shown(&mail));
}

#[test]
fn a_receipts_mail_in_each_language() {
    for locale in ["en", "de"] {
        insta::assert_snapshot!(
            format!("receipt.{locale}"),
            shown(&rendered(booking(locale), receipt(true)))
        );
        insta::assert_snapshot!(
            format!("payment.{locale}"),
            shown(&rendered(booking(locale), receipt(false)))
        );
    }
}

#[test]
fn a_confirmation_in_each_language_free_or_paid_on_site() {
    for locale in ["en", "de"] {
        let mail = rendered(booking(locale), Subject::Confirmation);
        insta::assert_snapshot!(format!("confirmation.{locale}"), shown(&mail));

        let free = Booking {
            price: euro(0),
            quantity: 3,
            ..booking(locale)
        };
        let mail = rendered(free, Subject::Confirmation);
        insta::assert_snapshot!(format!("confirmation.free.{locale}"), shown(&mail));
    }
}

#[test]
fn an_offer_in_each_language() {
    for locale in ["en", "de"] {
        let until = "2026-07-13T16:30:00Z".parse().unwrap();
        let mail = rendered(booking(locale), Subject::Offer { until });
        insta::assert_snapshot!(format!("offer.{locale}"), shown(&mail));
    }
}

#[test]
fn a_request_and_its_answers_in_each_language() {
    let until = "2026-07-13T16:30:00Z".parse().unwrap();
    for locale in ["en", "de"] {
        for (name, subject) in [
            ("request", Subject::Request { until }),
            ("approval", Subject::Approval { until }),
            ("decline", Subject::Decline(Declined::Answered)),
            ("decline.late", Subject::Decline(Declined::TooLate)),
            ("decline.withdrawn", Subject::Decline(Declined::Withdrawn)),
        ] {
            let mail = rendered(booking(locale), subject);
            insta::assert_snapshot!(format!("{name}.{locale}"), shown(&mail));
        }
    }
}

#[test]
fn a_cancellation_in_each_language_with_and_without_a_refund() {
    for locale in ["en", "de"] {
        let asked = Subject::Cancellation {
            refund: None,
            by_customer: true,
        };
        insta::assert_snapshot!(
            format!("cancellation.{locale}"),
            shown(&rendered(booking(locale), asked))
        );

        let refund = Subject::Cancellation {
            refund: Some(euro(123_456)),
            by_customer: false,
        };
        let mail = rendered(booking(locale), refund);
        insta::assert_snapshot!(format!("cancellation.refund.{locale}"), shown(&mail));
    }
}

#[test]
fn names_that_try_to_be_more_stay_names() {
    let mut booking = booking("en");
    booking.customer.name = "Ann</p><script>alert(1)</script>\r\nBcc: eve@example.com".into();
    booking.product_name = "Yoga\" onmouseover=\"x\r\n\r\nDear {{ v.customer }}".into();
    let mail = rendered(booking, receipt(true));
    assert!(!mail.html.contains("<script>"), "{}", mail.html);
    assert!(!mail.subject.contains(['\r', '\n']), "{}", mail.subject);
    assert!(
        !mail.text.lines().any(|line| line.starts_with("Bcc:")),
        "{}",
        mail.text
    );
    insta::assert_snapshot!("injection", shown(&mail));
}
