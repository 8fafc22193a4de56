//! Cancelling a booking: asked once more before it is done.

use askama::Template;
use berth_booking::{Booking, Status};
use berth_kernel::BookingId;
use poem::{Response, handler, web::Path};
use serde::Deserialize;

use super::booking::{View, path};
use crate::{
    dress::see_other,
    pages::html,
    session::{Submission, Visit},
    shell::{Section, Shell},
    stop::Stop,
};

#[derive(Template)]
#[template(path = "portal/cancel.html")]
struct Page {
    shell: Shell,
    booking: View,
    version: i64,
    /// Whether money came in, which then goes back.
    paid: bool,
}

#[derive(Deserialize)]
struct CancelForm {
    /// What the person saw; another version is not cancelled unseen.
    version: i64,
}

#[handler]
pub(crate) async fn show(visit: Visit, Path(id): Path<BookingId>) -> Result<Response, Stop> {
    let booking = visit.house.bookings.get(&visit.ctx, id).await?;
    if booking.status.step(Status::Cancelled).is_err() {
        return Ok(see_other(&path(id)));
    }
    html(&page(visit.shell(Section::Bookings), &booking))
}

fn page(shell: Shell, booking: &Booking) -> Page {
    Page {
        shell,
        version: booking.version,
        paid: booking.paid,
        booking: booking.into(),
    }
}

#[handler]
pub(crate) async fn act(
    Submission { visit, form }: Submission<CancelForm>,
    Path(id): Path<BookingId>,
) -> Result<Response, Stop> {
    visit
        .house
        .bookings
        .cancel(&visit.ctx, id, Some(form.version), None)
        .await?;
    Ok(see_other(&format!("{}?done=cancelled", path(id))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;

    #[test]
    fn golden() {
        let page = page(
            sample::shell(Section::Bookings),
            &sample::booking(Status::Confirmed),
        );
        let html = page.render().unwrap();
        assert!(!html.contains("<script"));
        insta::assert_snapshot!(html);
    }

    #[test]
    fn golden_unpaid() {
        let page = page(
            sample::shell(Section::Bookings),
            &sample::booking(Status::Pending),
        );
        insta::assert_snapshot!(page.render().unwrap());
    }
}
