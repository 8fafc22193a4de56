//! Mails in words: subject line, text and HTML, in the customer's language.
//!
//! Each mail has three templates a language: `templates/mail/{language}/{mail}.subject.txt`,
//! `.txt` and `.html`. What they show is reckoned here into text, so that a template decides
//! nothing but order and wording. HTML is escaped by Askama; text that others wrote is one line
//! before it gets there.

use askama::Template;
use berth_wording::{Language, single_line};

use crate::model::{Brand, Declined, Letter, Subject};

/// Characters of a name that are shown.
const LONGEST: usize = 200;

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Subject line: one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// What templates show.
struct View {
    language: &'static str,
    sender: Sender,
    customer: String,
    product: String,
    /// The day alone, for the subject line.
    day: String,
    /// Day, hours and zone.
    when: String,
    reference: String,
    quantity: i32,
    price: String,
    free: bool,
    /// Number and amount of the receipt, where one is attached.
    receipt_number: String,
    paid: String,
    /// What goes back, where something does.
    refund: Option<String>,
    by_customer: bool,
    /// Whether a request was not answered, or withdrawn; the business said no to any other that has ended.
    too_late: bool,
    withdrawn: bool,
    /// Until when a place is held, and where it is paid.
    until: String,
    pay_url: String,
}

/// The tenant as a mail shows it.
struct Sender {
    name: String,
    legal_name: String,
    address: Vec<String>,
    /// Address of its logo.
    logo: Option<String>,
    /// `#rrggbb`.
    color: String,
    /// What can be read on `color`.
    ink: &'static str,
    /// Colour of buttons, `#rrggbb`.
    accent: String,
    /// What can be read on `accent`.
    accent_ink: &'static str,
}

/// What the template of a sign-up's mail shows.
struct SignUpView {
    language: &'static str,
    sender: Sender,
    url: String,
}

/// What the platform calls itself.
pub const PLATFORM: &str = "Berth";
/// Its colour.
const PLATFORM_COLOR: &str = "#1f4b99";

/// Renders three templates over one view.
macro_rules! words {
    ($view:expr, $View:ty, $subject:tt, $text:tt, $html:tt) => {{
        #[derive(Template)]
        #[template(path = $subject, escape = "none")]
        struct SubjectLine<'a> {
            v: &'a $View,
        }
        #[derive(Template)]
        #[template(path = $text, escape = "none")]
        struct Text<'a> {
            v: &'a $View,
        }
        #[derive(Template)]
        #[template(path = $html, escape = "html")]
        struct Html<'a> {
            v: &'a $View,
        }
        let v: &$View = $view;
        Ok(Rendered {
            subject: single_line(&SubjectLine { v }.render()?, LONGEST),
            text: Text { v }.render()?,
            html: Html { v }.render()?,
        })
    }};
}

/// Puts `letter` into words, from a tenant of this brand; where something is to be paid, at `pay_url`.
///
/// # Errors
/// When a template fails, which a test with its data would have shown.
#[rustfmt::skip]
pub fn render(letter: &Letter, brand: &Brand, pay_url: &str) -> Result<Rendered, askama::Error> {
    let language = Language::of(&letter.booking.customer.locale);
    let v = &view(letter, brand, pay_url, language);
    match (&letter.subject, language) {
        (Subject::Receipt { confirmed: false, .. }, Language::English) => {
            words!(v, View, "mail/en/payment.subject.txt", "mail/en/payment.txt", "mail/en/payment.html")
        }
        (Subject::Receipt { confirmed: false, .. }, Language::German) => {
            words!(v, View, "mail/de/payment.subject.txt", "mail/de/payment.txt", "mail/de/payment.html")
        }
        (Subject::Receipt { .. }, Language::English) => {
            words!(v, View, "mail/en/receipt.subject.txt", "mail/en/receipt.txt", "mail/en/receipt.html")
        }
        (Subject::Receipt { .. }, Language::German) => {
            words!(v, View, "mail/de/receipt.subject.txt", "mail/de/receipt.txt", "mail/de/receipt.html")
        }
        (Subject::Confirmation, Language::English) => {
            words!(v, View, "mail/en/confirmation.subject.txt", "mail/en/confirmation.txt", "mail/en/confirmation.html")
        }
        (Subject::Confirmation, Language::German) => {
            words!(v, View, "mail/de/confirmation.subject.txt", "mail/de/confirmation.txt", "mail/de/confirmation.html")
        }
        (Subject::Offer { .. }, Language::English) => {
            words!(v, View, "mail/en/offer.subject.txt", "mail/en/offer.txt", "mail/en/offer.html")
        }
        (Subject::Offer { .. }, Language::German) => {
            words!(v, View, "mail/de/offer.subject.txt", "mail/de/offer.txt", "mail/de/offer.html")
        }
        (Subject::Request { .. }, Language::English) => {
            words!(v, View, "mail/en/request.subject.txt", "mail/en/request.txt", "mail/en/request.html")
        }
        (Subject::Request { .. }, Language::German) => {
            words!(v, View, "mail/de/request.subject.txt", "mail/de/request.txt", "mail/de/request.html")
        }
        (Subject::Approval { .. }, Language::English) => {
            words!(v, View, "mail/en/approval.subject.txt", "mail/en/approval.txt", "mail/en/approval.html")
        }
        (Subject::Approval { .. }, Language::German) => {
            words!(v, View, "mail/de/approval.subject.txt", "mail/de/approval.txt", "mail/de/approval.html")
        }
        (Subject::Decline(_), Language::English) => {
            words!(v, View, "mail/en/decline.subject.txt", "mail/en/decline.txt", "mail/en/decline.html")
        }
        (Subject::Decline(_), Language::German) => {
            words!(v, View, "mail/de/decline.subject.txt", "mail/de/decline.txt", "mail/de/decline.html")
        }
        (Subject::Cancellation { .. }, Language::English) => {
            words!(v, View, "mail/en/cancellation.subject.txt", "mail/en/cancellation.txt", "mail/en/cancellation.html")
        }
        (Subject::Cancellation { .. }, Language::German) => {
            words!(v, View, "mail/de/cancellation.subject.txt", "mail/de/cancellation.txt", "mail/de/cancellation.html")
        }
    }
}

/// The mail with the link to sign up at `url`, from the platform at `host`.
///
/// # Errors
/// As [`render`].
#[rustfmt::skip]
pub fn sign_up(url: &str, host: &str) -> Result<Rendered, askama::Error> {
    let v = &SignUpView {
        language: Language::English.tag(),
        sender: Sender {
            name: PLATFORM.to_owned(),
            legal_name: host.to_owned(),
            address: Vec::new(),
            logo: None,
            color: PLATFORM_COLOR.to_owned(),
            ink: ink_on(PLATFORM_COLOR),
            accent: PLATFORM_COLOR.to_owned(),
            accent_ink: ink_on(PLATFORM_COLOR),
        },
        url: url.to_owned(),
    };
    words!(v, SignUpView, "mail/en/sign_up.subject.txt", "mail/en/sign_up.txt", "mail/en/sign_up.html")
}

fn view(letter: &Letter, brand: &Brand, pay_url: &str, language: Language) -> View {
    let booking = &letter.booking;
    let (receipt_number, paid) = match &letter.subject {
        Subject::Receipt { number, amount, .. } => (number.clone(), language.money(*amount)),
        _ => Default::default(),
    };
    let (refund, by_customer) = match &letter.subject {
        Subject::Cancellation {
            refund,
            by_customer,
        } => (refund.map(|money| language.money(money)), *by_customer),
        _ => Default::default(),
    };
    View {
        language: language.tag(),
        sender: Sender {
            name: single_line(&brand.name, LONGEST),
            legal_name: single_line(&brand.legal_name, LONGEST),
            address: brand
                .address
                .lines()
                .map(|line| single_line(line, LONGEST))
                .collect(),
            logo: brand.logo_url.clone(),
            color: brand.color.clone(),
            ink: ink_on(&brand.color),
            accent: brand.accent_color.clone(),
            accent_ink: ink_on(&brand.accent_color),
        },
        customer: single_line(&booking.customer.name, LONGEST),
        product: single_line(&booking.product_name, LONGEST),
        day: language.day(berth_wording::local_date(
            booking.starts_at,
            &booking.timezone,
        )),
        when: language.period(booking.starts_at, booking.ends_at, &booking.timezone),
        reference: booking.reference.clone(),
        quantity: booking.quantity,
        price: language.money(booking.price),
        free: booking.price.is_zero(),
        receipt_number,
        paid,
        refund,
        by_customer,
        until: match &letter.subject {
            Subject::Offer { until } | Subject::Request { until } | Subject::Approval { until } => {
                language.moment(*until, &booking.timezone)
            }
            _ => String::new(),
        },
        too_late: letter.subject == Subject::Decline(Declined::TooLate),
        withdrawn: letter.subject == Subject::Decline(Declined::Withdrawn),
        pay_url: pay_url.to_owned(),
    }
}

/// Black or white, whichever stands out more from `#rrggbb` by WCAG's relative luminance.
fn ink_on(color: &str) -> &'static str {
    let channel = |at: usize| {
        let value = color
            .get(at..at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let share = f64::from(value.unwrap_or_default()) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    // Where the contrasts with black and with white are equal.
    if luminance > 0.179 {
        "#000000"
    } else {
        "#ffffff"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_a_brand_colour_can_be_read() {
        assert_eq!(ink_on("#1f4b99"), "#ffffff");
        assert_eq!(ink_on("#ffd400"), "#000000");
        assert_eq!(ink_on("#000000"), "#ffffff");
        assert_eq!(ink_on("#ffffff"), "#000000");
    }
}
