//! The payment page's words, in the customer's language.

use berth_wording::Language;

use super::state::State;

/// Everything the page says that is not about one state.
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) what: &'static str,
    pub(super) when: &'static str,
    pub(super) places: &'static str,
    pub(super) total: &'static str,
    pub(super) reference: &'static str,
    pub(super) held_until: &'static str,
    /// On the button; `{}` is the amount.
    pub(super) pay: &'static str,
    pub(super) paying: &'static str,
    pub(super) loading: &'static str,
    pub(super) no_script: &'static str,
    pub(super) not_loaded: &'static str,
    pub(super) declined: &'static str,
    pub(super) again: &'static str,
    pub(super) safe: &'static str,
    said: Said,
}

/// A title and a sentence for each state; `{}` is an amount.
struct Said {
    requested: (&'static str, &'static str),
    preparing: (&'static str, &'static str),
    waiting: (&'static str, &'static str),
    payable: (&'static str, &'static str),
    checking: (&'static str, &'static str),
    processing: (&'static str, &'static str),
    paid: (&'static str, &'static str),
    confirmed: (&'static str, &'static str),
    over: (&'static str, &'static str),
    failed: (&'static str, &'static str),
    cancelled: (&'static str, &'static str),
    cancelled_with_refund: (&'static str, &'static str),
    not_ready: (&'static str, &'static str),
}

impl Words {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }

    /// The tone, title and sentence of a state.
    pub(super) fn say(
        &self,
        state: &State,
        language: Language,
    ) -> (&'static str, &'static str, String) {
        let said = &self.said;
        let (tone, (title, text)) = match state {
            State::Requested => ("wait", said.requested),
            State::Preparing => ("wait", said.preparing),
            State::Waiting => ("wait", said.waiting),
            State::Payable { .. } => ("calm", said.payable),
            State::Checking => ("wait", said.checking),
            State::Processing => ("wait", said.processing),
            State::Paid => ("good", said.paid),
            State::Confirmed => ("good", said.confirmed),
            State::Over => ("calm", said.over),
            State::Failed => ("bad", said.failed),
            State::Cancelled(None) => ("calm", said.cancelled),
            State::Cancelled(Some(due)) => {
                let (title, text) = said.cancelled_with_refund;
                return ("calm", title, text.replace("{}", &language.money(*due)));
            }
            State::NotReady => ("bad", said.not_ready),
        };
        (tone, title, text.to_owned())
    }
}

static ENGLISH: Words = Words {
    heading: "Your booking",
    what: "What",
    when: "When",
    places: "Places",
    total: "Total",
    reference: "Reference",
    held_until: "Held for you until",
    pay: "Pay {}",
    paying: "Paying…",
    loading: "Loading the payment form…",
    no_script: "The payment form needs JavaScript. Please switch it on and reload the page.",
    not_loaded: "The payment form could not be loaded. Check your connection and reload the page.",
    declined: "The payment did not go through. Nothing was charged; please try again or use another card.",
    again: "Back to the payment form",
    safe: "Card details go straight to Stripe, over an encrypted connection.",
    said: Said {
        requested: (
            "Your request is with the business",
            "There is nothing to pay yet. You get an e-mail once it is answered.",
        ),
        preparing: (
            "One moment",
            "Your payment is being prepared. This page goes on by itself.",
        ),
        waiting: (
            "A moment longer",
            "The payment service does not answer. Your place is held; this page keeps trying by itself.",
        ),
        payable: ("Payment", "Your place is held while you pay."),
        checking: (
            "Thank you",
            "Your payment was handed in. We are waiting for word of it; this page goes on by itself.",
        ),
        processing: (
            "At your bank",
            "Your bank is working on the payment. You can close this page; we write to you when it is done.",
        ),
        paid: (
            "Paid",
            "Your payment has arrived and your booking is being confirmed.",
        ),
        confirmed: (
            "Your booking is confirmed",
            "A confirmation is on its way to you by e-mail.",
        ),
        over: ("This booking is over", "There is nothing left to pay."),
        failed: (
            "This booking was not paid",
            "The time to pay is over, or the payment failed, and the place is free again. If money was taken all the same, it comes back by itself. You are welcome to book again.",
        ),
        cancelled: ("This booking was cancelled", "There is nothing to pay."),
        cancelled_with_refund: (
            "This booking was cancelled",
            "{} goes back to you the way you paid.",
        ),
        not_ready: (
            "Payment is not possible yet",
            "This business cannot take payments at the moment. Please get in touch with it.",
        ),
    },
};

static GERMAN: Words = Words {
    heading: "Ihre Buchung",
    what: "Was",
    when: "Wann",
    places: "Plätze",
    total: "Gesamt",
    reference: "Buchungsnummer",
    held_until: "Für Sie reserviert bis",
    pay: "{} bezahlen",
    paying: "Wird bezahlt…",
    loading: "Das Zahlungsformular wird geladen…",
    no_script: "Das Zahlungsformular braucht JavaScript. Bitte schalten Sie es ein und laden Sie die Seite neu.",
    not_loaded: "Das Zahlungsformular konnte nicht geladen werden. Prüfen Sie Ihre Verbindung und laden Sie die Seite neu.",
    declined: "Die Zahlung ist fehlgeschlagen. Es wurde nichts abgebucht; bitte versuchen Sie es noch einmal oder mit einer anderen Karte.",
    again: "Zurück zum Zahlungsformular",
    safe: "Kartendaten gehen verschlüsselt direkt an Stripe.",
    said: Said {
        requested: (
            "Ihre Anfrage liegt beim Anbieter",
            "Es ist noch nichts zu bezahlen. Sie bekommen eine E-Mail, sobald sie beantwortet ist.",
        ),
        preparing: (
            "Einen Moment",
            "Ihre Zahlung wird vorbereitet. Diese Seite geht von selbst weiter.",
        ),
        waiting: (
            "Noch einen Moment",
            "Der Zahlungsdienst antwortet nicht. Ihr Platz bleibt reserviert; diese Seite versucht es von selbst weiter.",
        ),
        payable: (
            "Zahlung",
            "Ihr Platz bleibt reserviert, während Sie bezahlen.",
        ),
        checking: (
            "Vielen Dank",
            "Ihre Zahlung ist abgeschickt. Wir warten auf die Bestätigung; diese Seite geht von selbst weiter.",
        ),
        processing: (
            "Bei Ihrer Bank",
            "Ihre Bank bearbeitet die Zahlung. Sie können diese Seite schließen; wir schreiben Ihnen, wenn es so weit ist.",
        ),
        paid: (
            "Bezahlt",
            "Ihre Zahlung ist eingegangen, und Ihre Buchung wird bestätigt.",
        ),
        confirmed: (
            "Ihre Buchung ist bestätigt",
            "Eine Bestätigung ist per E-Mail zu Ihnen unterwegs.",
        ),
        over: (
            "Diese Buchung ist vorbei",
            "Es ist nichts mehr zu bezahlen.",
        ),
        failed: (
            "Diese Buchung wurde nicht bezahlt",
            "Die Zeit zum Bezahlen ist abgelaufen, oder die Zahlung ist fehlgeschlagen, und der Platz ist wieder frei. Falls dennoch Geld abgebucht wurde, kommt es von selbst zurück. Buchen Sie gerne neu.",
        ),
        cancelled: (
            "Diese Buchung wurde storniert",
            "Es ist nichts zu bezahlen.",
        ),
        cancelled_with_refund: (
            "Diese Buchung wurde storniert",
            "{} gehen auf dem Weg an Sie zurück, auf dem Sie bezahlt haben.",
        ),
        not_ready: (
            "Bezahlen ist noch nicht möglich",
            "Dieser Anbieter kann zurzeit keine Zahlungen annehmen. Bitte wenden Sie sich an ihn.",
        ),
    },
};
