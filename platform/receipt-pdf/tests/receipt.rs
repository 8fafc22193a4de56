//! What a reader finds in a receipt: its texts, exactly as given.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use berth_receipt_pdf::{Content, Customer, Line, Seller, render};
use lopdf::Document;

fn content() -> Content {
    Content {
        number: "2026-000042".into(),
        issued_on: "7 March 2026".into(),
        seller: Seller {
            name: "Lagoon Yoga".into(),
            legal_name: "Lagoon Wellness GmbH".into(),
            address: vec!["Hafenstraße 12".into(), "20457 Hamburg".into()],
            color: "#0f766e".into(),
        },
        customer: Customer {
            name: "Ada Lovelace".into(),
            email: "ada@example.org".into(),
        },
        lines: vec![line("Vinyasa Flow", 2)],
        total_text: "49.05 €".into(),
        paid_with: Some("visa •••• 4242".into()),
        reference: "BK-7F3K2Q".into(),
        locale: "en-GB".into(),
    }
}

fn line(description: &str, quantity: u32) -> Line {
    Line {
        description: description.into(),
        detail: "Saturday, 10:00".into(),
        quantity,
        amount_text: "49.05 €".into(),
    }
}

/// The pages' texts, with line ends as spaces.
fn pages(content: &Content) -> Vec<String> {
    let pdf = Document::load_mem(&render(content).unwrap()).unwrap();
    let numbers = pdf.get_pages().into_keys();
    numbers
        .map(|page| {
            let text = pdf.extract_text(&[page]).unwrap().replace('\u{a0}', " ");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn only_page(content: &Content) -> String {
    let mut pages = pages(content);
    assert_eq!(pages.len(), 1);
    pages.remove(0)
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

#[test]
fn everything_on_a_receipt_can_be_read() {
    assert_has(
        &only_page(&content()),
        &[
            "Receipt no.",
            "2026-000042",
            "7 March 2026",
            "Lagoon Yoga",
            "Lagoon Wellness GmbH",
            "Hafenstraße 12",
            "Ada Lovelace",
            "ada@example.org",
            "Vinyasa Flow",
            "Saturday, 10:00",
            "Total paid",
            "49.05 €",
            "visa •••• 4242",
            "BK-7F3K2Q",
            "Page 1 of 1",
        ],
    );
}

#[test]
fn the_words_around_are_in_the_customer_s_language() {
    for (locale, word) in [
        ("de-AT", "Quittung Nr."),
        ("fr", "Total payé"),
        ("es", "Descripción"),
        ("it", "Intestata a"),
        ("ja", "Receipt no."),
        ("../x", "Receipt no."),
        ("", "Receipt no."),
    ] {
        let text = only_page(&Content {
            locale: locale.into(),
            ..content()
        });
        assert_has(&text, &[word]);
    }
}

#[test]
fn no_text_is_taken_for_markup() {
    let hostile = [
        "#evil[",
        "*bold*",
        "_it_",
        "$x^2$",
        "`code`",
        "= Heading",
        "#panic()",
        "]#",
        "\\u{41}",
        "@ref",
        "<label>",
        "\"quoted\"",
        "// gone",
        "#read(\"/etc/passwd\")",
        "'); drop--",
    ];
    for text in hostile {
        let mut content = content();
        content.customer.name = text.into();
        content.seller.name = text.into();
        content.seller.address = vec![text.into()];
        content.lines[0].description = text.into();
        content.lines[0].detail = text.into();
        content.paid_with = Some(text.into());
        let page = only_page(&content);
        assert!(page.matches(text).count() >= 6, "{text:?} in {page:?}");
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let first = render(&content()).unwrap();
    let other = render(&Content {
        number: "2026-000043".into(),
        ..content()
    })
    .unwrap();
    assert_ne!(first, other);
    assert!(first == render(&content()).unwrap());
    let stored = serde_json::to_string(&content()).unwrap();
    assert!(first == render(&serde_json::from_str(&stored).unwrap()).unwrap());
    let threads = [0; 4].map(|_| std::thread::spawn(|| render(&content()).unwrap()));
    for thread in threads {
        assert!(first == thread.join().unwrap());
    }
}

#[test]
fn many_lines_go_over_several_pages_with_the_heading_on_each() {
    let lines = (1..=200)
        .map(|number| line(&format!("Session {number:03}"), number))
        .collect();
    let pages = pages(&Content { lines, ..content() });
    assert!(pages.len() > 4, "{} pages", pages.len());
    let count = pages.len();
    for (at, page) in pages.iter().enumerate() {
        assert_has(
            page,
            &["Description", &format!("Page {} of {count}", at + 1)],
        );
    }
    let all = pages.join(" ");
    for number in 1..=200 {
        assert_has(&all, &[&format!("Session {number:03}")]);
    }
    assert_has(&pages[count - 1], &["Total paid"]);
}

#[test]
fn an_empty_content_is_a_page_still() {
    let empty = r#"{"number":"","issued_on":"","seller":{"name":""},"customer":{},"lines":[],
        "total_text":""}"#;
    let page = only_page(&serde_json::from_str(empty).unwrap());
    assert_has(&page, &["Receipt", "Total paid"]);
    assert!(
        !page.contains("Paid with") && !page.contains("Reference"),
        "{page:?}"
    );
}

#[test]
fn a_word_too_long_for_its_column_is_broken_and_nothing_is_lost() {
    let mut content = content();
    content.customer.email = format!("{}@example.org", "a".repeat(200));
    content.lines[0].description = "W".repeat(300);
    let page = only_page(&content);
    let letters = |letter| page.matches(letter).count();
    assert!(letters('W') >= 300, "{page:?}");
    assert!(letters('a') >= 200, "{page:?}");
}

#[test]
fn names_in_other_alphabets_have_their_letters() {
    let names = [
        "Þóra Łukaszewicz-Ștefănescu",
        "Nguyễn Thị Ánh",
        "Чайковський Ґалаґан",
        "Αλεξάνδρα Ώρα",
        "Արամ Խաչատրյան",
        "გიორგი",
    ];
    for name in names {
        let mut content = content();
        content.customer.name = name.into();
        assert_has(&only_page(&content), &[name]);
    }
}

#[test]
fn what_has_no_letters_on_board_does_not_stop_a_receipt() {
    for name in [
        "山田太郎",
        "김민수",
        "สมชาย",
        "प्रिया",
        "👩‍👩‍👧‍👦",
        "\u{202e}evil\u{0}",
        "a\u{301}\u{301}\u{301}",
    ] {
        let mut content = content();
        content.customer.name = name.into();
        assert_has(&only_page(&content), &["2026-000042", "Total paid"]);
    }
}
