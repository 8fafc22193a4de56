//! `/v1/events`: what happened, for those who missed the webhook.

use super::call::{Answer, Call};

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Answer {
    call.show(&call.books().events, id)
}

pub(crate) fn list(call: &Call<'_>) -> Answer {
    let types = call.params.list("types");
    let delivered = call.params.choice("delivery_success")?;
    call.page(&call.books().events, "/v1/events", |event| {
        kind_fits(call.params.text("type"), &event.kind)
            && (types.is_empty() || types.iter().any(|kind| kind_fits(Some(kind), &event.kind)))
            && delivered.is_none_or(|wanted| wanted == (event.pending == 0))
    })
}

/// `charge.*` stands for everything that begins with `charge.`.
fn kind_fits(wanted: Option<&str>, kind: &str) -> bool {
    match wanted {
        None => true,
        Some(wanted) => match wanted.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == wanted,
        },
    }
}
