//! A host of a calendar outside, on this machine.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::civil::Date;
use tokio::{net::TcpListener, task::JoinHandle};

/// What the host of a calendar answers.
#[derive(Clone, Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A host of one calendar, on this machine.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    /// How often it was asked.
    asked: Arc<AtomicU32>,
    /// How often with the tag it gave out.
    asked_again: Arc<AtomicU32>,
    serving: JoinHandle<()>,
}

impl Host {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(Answer::default()));
        let (asked, asked_again) = (Arc::<AtomicU32>::default(), Arc::<AtomicU32>::default());
        let (shared, all, again) = (
            Arc::clone(&answer),
            Arc::clone(&asked),
            Arc::clone(&asked_again),
        );
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, all, again) =
                    (Arc::clone(&shared), Arc::clone(&all), Arc::clone(&again));
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    all.fetch_add(1, Ordering::SeqCst);
                    let answer = respond(&shared.lock().unwrap(), &request, &again);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self {
            address,
            answer,
            asked,
            asked_again,
            serving,
        }
    }

    pub(crate) fn says(&self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        *self.answer.lock().unwrap() = Answer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            body: body.to_owned(),
        };
    }

    /// Says that somebody is busy in these stretches, on the clock of Berlin.
    pub(crate) fn is_busy(&self, tag: &str, stretches: &[(Date, i8, i8)]) {
        let event = |(day, from, to): &(Date, i8, i8)| {
            let day = day.strftime("%Y%m%d");
            format!(
                "BEGIN:VEVENT\r\nUID:{day}-{from}\r\nDTSTART;TZID=Europe/Berlin:{day}T{from:02}0000\r\n\
                 DTEND;TZID=Europe/Berlin:{day}T{to:02}0000\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\n"
            )
        };
        let events: String = stretches.iter().map(event).collect();
        self.says(200, &[("etag", tag)], &calendar(&events));
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn asked_again(&self) -> u32 {
        self.asked_again.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/secret/calendar.ics", self.address)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn respond<B>(answer: &Answer, request: &Request<B>, again: &AtomicU32) -> Response<Full<Bytes>> {
    let tag = answer.headers.iter().find(|(name, _)| *name == "etag");
    let known = request.headers().get("if-none-match");
    if let (Some((_, tag)), Some(known)) = (tag, known)
        && known.as_bytes() == tag.as_bytes()
    {
        again.fetch_add(1, Ordering::SeqCst);
        let same = Response::builder().status(304);
        return same.body(Full::default()).unwrap();
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(answer.body.clone().into()).unwrap()
}

/// A calendar of these events.
pub(crate) fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{events}END:VCALENDAR\r\n")
}
