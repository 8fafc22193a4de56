//! What every page has around its content.

use crate::{assets::STYLE, brand::Brand, next::HOME};

/// Where in the portal a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Bookings,
    Payments,
    Payouts,
    Business,
    /// Outside: signing in, paying, refusals.
    None,
}

/// A line of the navigation.
pub(crate) struct Link {
    pub(crate) href: &'static str,
    pub(crate) word: &'static str,
    pub(crate) current: bool,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// What each form carries.
    pub(crate) csrf: String,
    /// Whether brand and legal data are theirs to change.
    pub(crate) manages_business: bool,
    /// Whether the payment account is theirs to manage.
    pub(crate) manages_account: bool,
}

/// A sentence above the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `good`, `calm`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) text: &'static str,
}

/// The page around the content.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// BCP 47 tag of the page's language.
    pub(crate) language: &'static str,
    pub(crate) brand: Brand,
    /// Allows the one style in the page.
    pub(crate) nonce: String,
    pub(crate) person: Option<Person>,
    pub(crate) section: Section,
    pub(crate) notice: Option<Notice>,
}

impl Shell {
    /// A page nobody is signed in at.
    pub(crate) fn outside(brand: Brand, nonce: String) -> Self {
        Self {
            language: "en",
            brand,
            nonce,
            person: None,
            section: Section::None,
            notice: None,
        }
    }

    pub(crate) fn style(&self) -> &'static str {
        &STYLE.path
    }

    /// The token each form carries; empty where nobody is signed in, and then matches nothing.
    pub(crate) fn csrf(&self) -> &str {
        self.person.as_ref().map_or("", |person| &person.csrf)
    }

    pub(crate) fn navigation(&self) -> Vec<Link> {
        let Some(person) = &self.person else {
            return Vec::new();
        };
        let link = |href, word, section| Link {
            href,
            word,
            current: self.section == section,
        };
        let mut links = vec![
            link(HOME, "Overview", Section::Overview),
            link("/portal/bookings", "Bookings", Section::Bookings),
            link("/portal/payments", "Payments", Section::Payments),
        ];
        if person.manages_account {
            links.push(link("/portal/payouts", "Payouts", Section::Payouts));
        }
        if person.manages_business {
            links.push(link("/portal/business", "Business", Section::Business));
        }
        links
    }
}

/// The sentence for what has just been done, named in the address by the redirect that follows
/// every form. Only names known here say anything.
pub(crate) fn notice(done: Option<&str>) -> Option<Notice> {
    let (tone, text) = match done? {
        "confirmed" => ("good", "The booking is confirmed."),
        "approved" => (
            "good",
            "The request is accepted. If it is to be paid online, the customer is written to.",
        ),
        "rejected" => (
            "good",
            "The request is declined. The customer is written to.",
        ),
        "cancelled" => (
            "good",
            "The booking is cancelled. If anything was paid online, it is on its way back.",
        ),
        "completed" => ("good", "The booking is marked as completed."),
        "checked_in" => ("good", "They are checked in."),
        "check_in_undone" => ("good", "They are not checked in any more."),
        "reinstated" => ("good", "The booking stands again."),
        "no_show" => ("good", "The booking is marked as a no-show."),
        "refunded" => ("good", "The refund is made."),
        "refund_pending" => ("good", "The refund is on its way."),
        "refund_failed" => ("bad", "The refund failed; no money was given back."),
        "saved" => ("good", "Saved."),
        "asked" => ("calm", "This is what Stripe says now."),
        "no_answer" => (
            "warn",
            "Stripe does not answer at the moment. This is what it said last.",
        ),
        _ => return None,
    };
    Some(Notice { tone, text })
}
