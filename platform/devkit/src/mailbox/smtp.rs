//! The receiving side of SMTP (RFC 5321), as far as a client in development
//! speaks it: no encryption, no sign-in, no relaying.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::store::{Envelope, Store};

/// The largest message taken, in bytes; announced by SIZE.
const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// The longest line taken, in bytes. Long enough for clients that do not fold.
const MAX_LINE: u64 = 1024 * 1024;

/// Recipients of one message.
const MAX_RECIPIENTS: usize = 1000;

/// A client that says nothing for so long is left.
const IDLE: Duration = Duration::from_secs(300);

/// Accepts clients until the socket fails.
pub(super) async fn serve(listener: TcpListener, store: Arc<Store>) {
    while let Ok((stream, _)) = listener.accept().await {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut session = Session::new(stream, store);
            if let Err(error) = session.run().await {
                eprintln!("smtp: a client was lost: {error}");
            }
        });
    }
}

/// One client's conversation.
struct Session {
    stream: BufReader<TcpStream>,
    store: Arc<Store>,
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
}

/// What follows after an answer.
enum Next {
    Command,
    Close,
}

impl Session {
    fn new(stream: TcpStream, store: Arc<Store>) -> Self {
        let stream = BufReader::new(stream);
        Self {
            stream,
            store,
            greeted: false,
            sender: None,
            recipients: Vec::new(),
        }
    }

    async fn run(&mut self) -> io::Result<()> {
        self.answer("220 mailbox.localhost ESMTP development mailbox")
            .await?;
        loop {
            let Ok(line) = tokio::time::timeout(IDLE, self.line()).await else {
                return self.answer("421 4.4.2 idle for too long").await;
            };
            let Some(line) = line? else { return Ok(()) };
            if let Next::Close = self.command(&String::from_utf8_lossy(&line)).await? {
                return Ok(());
            }
        }
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let line = line.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                self.greet();
                "250-mailbox.localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                 250 SIZE 33554432"
            }
            "HELO" => {
                self.greet();
                "250 mailbox.localhost"
            }
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" => return self.data().await,
            "RSET" => {
                self.reset();
                "250 2.0.0 forgotten"
            }
            "NOOP" => "250 2.0.0 fine",
            "VRFY" => "252 2.5.2 every address is taken",
            "QUIT" => {
                self.answer("221 2.0.0 goodbye").await?;
                return Ok(Next::Close);
            }
            _ => "502 5.5.1 this command is not known here",
        };
        self.answer(answer).await?;
        Ok(Next::Command)
    }

    fn greet(&mut self) {
        self.greeted = true;
        self.reset();
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    fn mail(&mut self, rest: &str) -> &'static str {
        if !self.greeted {
            return "503 5.5.1 say EHLO first";
        }
        if self.sender.is_some() {
            return "503 5.5.1 one sender was named already";
        }
        let Some((sender, parameters)) = path(rest, "FROM:") else {
            return "501 5.5.4 MAIL FROM:<address> is expected";
        };
        if announced_size(parameters).is_some_and(|size| size > MAX_MESSAGE) {
            return "552 5.3.4 the message is too large";
        }
        self.sender = Some(sender.to_owned());
        "250 2.1.0 sender taken"
    }

    fn rcpt(&mut self, rest: &str) -> &'static str {
        if self.sender.is_none() {
            return "503 5.5.1 say MAIL first";
        }
        match path(rest, "TO:") {
            None | Some(("", _)) => "501 5.5.4 RCPT TO:<address> is expected",
            Some(_) if self.recipients.len() == MAX_RECIPIENTS => "452 4.5.3 too many recipients",
            Some((recipient, _)) => {
                self.recipients.push(recipient.to_owned());
                "250 2.1.5 recipient taken"
            }
        }
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self.recipients.is_empty() {
            self.answer("503 5.5.1 say RCPT first").await?;
            return Ok(Next::Command);
        }
        self.answer("354 end with a dot on a line of its own")
            .await?;
        let Ok(message) = tokio::time::timeout(IDLE, self.message()).await else {
            self.answer("421 4.4.2 idle for too long").await?;
            return Ok(Next::Close);
        };
        let sender = self.sender.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        let answer = match message? {
            None => "552 5.3.4 the message is too large".to_owned(),
            Some(message) => {
                match self
                    .store
                    .deliver(Envelope { sender, recipients }, &message)
                {
                    Ok(id) => format!("250 2.0.0 kept as {id}"),
                    Err(error) => format!("451 4.3.0 it could not be kept: {error}"),
                }
            }
        };
        self.answer(&answer).await?;
        Ok(Next::Command)
    }

    /// Reads up to the lone dot; `None` for a message beyond the size limit,
    /// which is read to its end all the same.
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let mut too_large = false;
        loop {
            let line = self.line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line == b".\r\n" {
                return Ok((!too_large).then_some(message));
            }
            // A leading dot was doubled by the client.
            let line = line.strip_prefix(b".").unwrap_or(&line);
            too_large |= message.len() + line.len() > MAX_MESSAGE;
            if !too_large {
                message.extend_from_slice(line);
            }
        }
    }

    /// One line with its end; `None` when the client has gone.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.stream)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .await?;
        if read == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line was cut or too long",
            ));
        }
        Ok(Some(line))
    }

    async fn answer(&mut self, text: &str) -> io::Result<()> {
        self.stream
            .write_all(format!("{text}\r\n").as_bytes())
            .await?;
        self.stream.flush().await
    }
}

/// The address of `FROM:<address> PARAMETERS`, and the parameters.
fn path<'l>(rest: &'l str, keyword: &str) -> Option<(&'l str, &'l str)> {
    let head = rest.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    rest[keyword.len()..]
        .trim_start()
        .strip_prefix('<')?
        .split_once('>')
}

fn announced_size(parameters: &str) -> Option<usize> {
    parameters.split_ascii_whitespace().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if name.eq_ignore_ascii_case("SIZE") {
            value.parse().ok()
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_in_any_letter_case_and_with_parameters() {
        assert_eq!(
            path("FROM:<a@b.c> SIZE=12 BODY=8BITMIME", "FROM:")
                .unwrap()
                .0,
            "a@b.c"
        );
        assert_eq!(path("from: <>", "FROM:").unwrap().0, "");
        assert_eq!(path("TO:a@b.c", "TO:"), None);
        assert_eq!(path("é", "TO:"), None);
        assert_eq!(announced_size(" BODY=8BITMIME size=99"), Some(99));
    }
}
