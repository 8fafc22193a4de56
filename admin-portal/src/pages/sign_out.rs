//! Signing out: the session ends here and at the server.

use poem::{Response, handler, http::header};

use crate::{
    dress::see_other,
    session::{Bare, Cookie, Submission},
    stop::Stop,
};

#[handler]
pub(crate) async fn act(
    Submission {
        visit,
        form: Bare {},
    }: Submission<Bare>,
) -> Result<Response, Stop> {
    let house = &visit.house;
    house
        .users
        .portal_sign_out(&visit.ctx.tenant, visit.user.session, &visit.ctx.clock)
        .await?;
    let mut response = see_other("/portal/sign-in?done=signed_out");
    if let Some(cleared) = house.cookies.clear(Cookie::Session) {
        response.headers_mut().append(header::SET_COOKIE, cleared);
    }
    Ok(response)
}
