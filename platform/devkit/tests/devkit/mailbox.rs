//! The mailbox through a real SMTP conversation and its HTTP side.

use std::net::SocketAddr;
use std::path::Path;

use berth_devkit::mailbox::{Config, Filter, Mailbox, MessageDetail, MessageSummary, Running};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A message as mail clients write it: text and HTML with a picture, and a PDF
/// whose name is not ASCII.
const MESSAGE: &str = "From: =?utf-8?q?Caf=C3=A9_Berth?= <bookings@berth.localhost>\r\n\
To: Ada <Ada@Example.org>\r\n\
Subject: =?utf-8?q?Booking_confirmed_=E2=80=93_Z=C3=BCrich?=\r\n\
Message-ID: <one@berth.localhost>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=outer\r\n\
\r\n\
--outer\r\n\
Content-Type: multipart/alternative; boundary=inner\r\n\
\r\n\
--inner\r\n\
Content-Type: text/plain; charset=utf-8\r\n\
\r\n\
See you.\r\n\
..a line that began with a dot\r\n\
--inner\r\n\
Content-Type: text/html; charset=utf-8\r\n\
\r\n\
<p>See <b>you</b> <img src=\"cid:logo\"></p><script>alert(1)</script>\r\n\
--inner--\r\n\
--outer\r\n\
Content-Type: image/png\r\n\
Content-ID: <logo>\r\n\
Content-Disposition: inline; filename=logo.png\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
aGVsbG8=\r\n\
--outer\r\n\
Content-Type: application/pdf\r\n\
Content-Disposition: attachment; filename*=utf-8''Beleg%20Z%C3%BCrich.pdf\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
JVBERi0xLjc=\r\n\
--outer--\r\n";

async fn mailbox(directory: &Path) -> Running {
    Mailbox::start(Config::local(directory)).await.unwrap()
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        let mut client = Self { stream };
        assert_eq!(client.answer().await, "220");
        client
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one answer, of any number of lines, and gives its code.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            if line.get(3..4) != Some("-") {
                return line[..3].to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.send(&format!("{line}\r\n")).await;
        self.answer().await
    }

    async fn deliver(&mut self, recipient: &str, message: &str) -> String {
        assert_eq!(self.say("EHLO test").await, "250");
        assert_eq!(
            self.say("MAIL FROM:<bookings@berth.localhost> SIZE=900")
                .await,
            "250"
        );
        assert_eq!(self.say(&format!("RCPT TO:<{recipient}>")).await, "250");
        assert_eq!(self.say("DATA").await, "354");
        self.say(&format!("{message}.")).await
    }
}

/// A bare HTTP request; gives status, headers and body.
async fn http(running: &Running, method: &str, path: &str) -> (u16, String, Vec<u8>) {
    let address = running.http_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

async fn listed(running: &Running, query: &str) -> Vec<MessageSummary> {
    let (status, _, body) = http(running, "GET", &format!("/api/messages{query}")).await;
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_message_is_kept_decoded_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    let mut client = Client::connect(running.smtp_addr).await;
    assert_eq!(client.deliver("Ada@Example.org", MESSAGE).await, "250");
    assert_eq!(client.say("QUIT").await, "221");

    let found = listed(&running, "?to=ada%40example.ORG&subject=z%C3%BCrich").await;
    let [summary] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(summary.subject, "Booking confirmed – Zürich");
    assert_eq!(summary.from, "Café Berth <bookings@berth.localhost>");
    assert_eq!(summary.to, ["ada@example.org"]);
    assert_eq!(summary.message_id.as_deref(), Some("one@berth.localhost"));
    assert_eq!(summary.deliveries, 1);
    let names: Vec<&str> = summary
        .attachments
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["logo.png", "Beleg Zürich.pdf"]);

    let (status, _, body) = http(&running, "GET", &format!("/api/messages/{}", summary.id)).await;
    assert_eq!(status, 200);
    let detail: MessageDetail = serde_json::from_slice(&body).unwrap();
    assert!(detail.html.as_deref().unwrap().contains("<b>you</b>"));
    assert_eq!(
        detail.text.unwrap().lines().nth(1),
        Some(".a line that began with a dot")
    );

    let (status, head, body) = http(&running, "GET", &summary.attachments[1].url).await;
    assert_eq!((status, body.as_slice()), (200, b"%PDF-1.7".as_slice()));
    assert!(
        head.contains("attachment; filename*=UTF-8''Beleg%20Z%C3%BCrich.pdf"),
        "{head}"
    );
}

#[tokio::test]
async fn the_html_part_is_shown_where_it_can_run_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    let mut client = Client::connect(running.smtp_addr).await;
    client.deliver("a@example.org", MESSAGE).await;
    let found = running.messages(&Filter::default());

    let (_, _, page) = http(&running, "GET", &found[0].url).await;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<iframe sandbox "), "{page}");
    assert!(!page.contains("<script"), "{page}");
    let (_, head, html) = http(&running, "GET", &format!("{}/html", found[0].url)).await;
    let policy = head
        .lines()
        .find(|line| line.starts_with("content-security-policy"))
        .unwrap();
    assert!(policy.contains("sandbox; default-src 'none'"), "{policy}");
    let picture = format!("src=\"{}\"", found[0].attachments[0].url);
    assert!(String::from_utf8(html).unwrap().contains(&picture));
}

#[tokio::test]
async fn a_message_sent_twice_is_one_message_with_two_deliveries() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    let mut client = Client::connect(running.smtp_addr).await;
    client.deliver("a@example.org", MESSAGE).await;
    client.deliver("b@example.org", MESSAGE).await;
    let other = MESSAGE.replace("one@berth", "two@berth");
    client.deliver("a@example.org", &other).await;

    let found = listed(&running, "?to=b%40example.org").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].deliveries, 2);
    assert_eq!(found[0].to, ["a@example.org", "b@example.org"]);
    assert_eq!(listed(&running, "?subject=CONFIRMED").await.len(), 2);
    assert!(listed(&running, "?to=ample.org").await.is_empty());
}

#[tokio::test]
async fn messages_survive_a_restart_and_are_deleted_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let first = mailbox(dir.path()).await;
    let mut client = Client::connect(first.smtp_addr).await;
    client.deliver("a@example.org", MESSAGE).await;
    let before = first.messages(&Filter::default());
    drop(first);

    let second = mailbox(dir.path()).await;
    assert_eq!(second.messages(&Filter::default()), before);
    let (status, ..) = http(&second, "DELETE", "/api/messages").await;
    assert_eq!(status, 204);
    assert!(listed(&second, "").await.is_empty());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    let mut client = Client::connect(running.smtp_addr).await;
    assert_eq!(client.say("EHLO test").await, "250");
    client
        .send("MAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n")
        .await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(client.answer().await);
    }
    assert_eq!(codes, ["250", "250", "501", "250", "354"]);
    assert_eq!(client.say("Subject: piped\r\n\r\nhello\r\n.").await, "250");
    assert_eq!(
        running.messages(&Filter::default())[0].to,
        ["a@b.c", "d@e.f"]
    );
}

#[tokio::test]
async fn a_client_that_breaks_the_order_is_told_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    let mut client = Client::connect(running.smtp_addr).await;
    assert_eq!(client.say("MAIL FROM:<a@b.c>").await, "503");
    assert_eq!(client.say("HELO test").await, "250");
    assert_eq!(client.say("RCPT TO:<a@b.c>").await, "503");
    assert_eq!(client.say("DATA").await, "503");
    assert_eq!(client.say("MAIL FROM:<a@b.c> SIZE=99999999").await, "552");
    assert_eq!(client.say("MAIL TO:<a@b.c>").await, "501");
    assert_eq!(client.say("EXPN list").await, "502");
    assert_eq!(client.say("MAIL FROM:<a@b.c>").await, "250");
    assert_eq!(client.say("MAIL FROM:<a@b.c>").await, "503");
    assert_eq!(client.say("RSET").await, "250");
    assert_eq!(client.say("DATA").await, "503");
    // A client that goes in the middle of a message leaves nothing.
    assert_eq!(client.say("MAIL FROM:<a@b.c>").await, "250");
    assert_eq!(client.say("RCPT TO:<a@b.c>").await, "250");
    assert_eq!(client.say("DATA").await, "354");
    client.send("Subject: half\r\n").await;
    drop(client);
    let mut after = Client::connect(running.smtp_addr).await;
    assert_eq!(after.say("NOOP").await, "250");
    assert!(running.messages(&Filter::default()).is_empty());
}

#[tokio::test]
async fn what_is_not_there_answers_404() {
    let dir = tempfile::tempdir().unwrap();
    let running = mailbox(dir.path()).await;
    for path in [
        "/messages/none",
        "/api/messages/none",
        "/messages/..%2Fx/raw",
    ] {
        assert_eq!(http(&running, "GET", path).await.0, 404, "{path}");
    }
}
