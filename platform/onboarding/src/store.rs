//! All SQL of the table `platform.sign_up`.

use berth_kernel::{SignUpId, TenantId};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::SignUp;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// A sign-up with what it became.
pub(crate) struct Row {
    email: String,
    expires_at: jiff_sqlx::Timestamp,
    tenant_id: Option<Uuid>,
    slug: Option<String>,
    name: Option<String>,
    status: Option<String>,
}

impl Row {
    /// How far it is; none once its link is too old.
    pub(crate) fn standing(self, now: Timestamp) -> Option<SignUp> {
        match (self.tenant_id, self.slug, self.name) {
            (Some(id), Some(slug), Some(name)) => Some(SignUp::Done {
                tenant_id: id.into(),
                slug,
                name,
                open: self.status.as_deref() != Some("opening"),
            }),
            _ => (now < self.expires_at.to_jiff()).then_some(SignUp::Proven { email: self.email }),
        }
    }
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: SignUpId,
    email: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO platform.sign_up (id, email, requested_at, expires_at, mail_due_at)
         VALUES ($1, $2, $3, $4, $3)",
        id.uuid(),
        email,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(expires_at) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find(conn: &mut PgConnection, id: SignUpId) -> Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT s.email, s.expires_at AS "expires_at: _", s.tenant_id, t.slug AS "slug?",
                  t.name AS "name?", t.status AS "status?"
           FROM platform.sign_up s LEFT JOIN platform.tenant t ON t.id = s.tenant_id
           WHERE s.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The same, with the row held until the transaction ends.
pub(crate) async fn hold(conn: &mut PgConnection, id: SignUpId) -> Result<Option<Row>> {
    sqlx::query!(
        "SELECT id FROM platform.sign_up WHERE id = $1 FOR UPDATE",
        id.uuid()
    )
    .fetch_optional(&mut *conn)
    .await?;
    find(conn, id).await
}

pub(crate) async fn became(conn: &mut PgConnection, id: SignUpId, tenant: TenantId) -> Result<()> {
    sqlx::query!(
        "UPDATE platform.sign_up SET tenant_id = $2, mail_due_at = NULL WHERE id = $1",
        id.uuid(),
        tenant.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut PgConnection, before: Timestamp) -> Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM platform.sign_up WHERE requested_at < $1",
        jiff_sqlx::Timestamp::from(before) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A mail that is due.
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) requested_at: jiff_sqlx::Timestamp,
    pub(crate) mail_tries: i32,
}

/// Takes mails that are due, for so long that whoever sends them can; another sender sees them after
/// that only.
pub(crate) async fn take_due(
    conn: &mut PgConnection,
    now: Timestamp,
    again_at: Timestamp,
) -> Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        r#"UPDATE platform.sign_up s SET mail_due_at = $2, mail_tries = mail_tries + 1
           WHERE s.id IN (SELECT id FROM platform.sign_up
                          WHERE mail_due_at <= $1 ORDER BY mail_due_at LIMIT 20
                          FOR UPDATE SKIP LOCKED)
           RETURNING s.id, s.email, s.requested_at AS "requested_at: _", s.mail_tries"#,
        jiff_sqlx::Timestamp::from(now) as _,
        jiff_sqlx::Timestamp::from(again_at) as _,
    )
    .fetch_all(conn)
    .await
}

/// Puts the mail off, or, with no time, off for good; unless another sender has taken it since.
pub(crate) async fn mail_due(
    conn: &mut PgConnection,
    id: SignUpId,
    tries: i32,
    at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE platform.sign_up SET mail_due_at = $2
         WHERE id = $1 AND tenant_id IS NULL AND mail_tries = $3",
        id.uuid(),
        at.map(jiff_sqlx::Timestamp::from) as _,
        tries,
    )
    .execute(conn)
    .await?;
    Ok(())
}
