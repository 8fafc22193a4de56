//! Pages that Stripe hosts: plain forms that work without scripts, and the
//! script that stands in for Stripe.js.

pub(crate) mod onboarding;
pub(crate) mod stripe_js;
pub(crate) mod three_d_secure;

use poem::{Response, http::StatusCode};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #5b6478; --paper: #fff; --ground: #f6f8fb;
  --line: #dfe3eb; --act: #533afd; --warn: #b3093c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf2; --soft: #a5adc0; --paper: #1b2030;
  --ground: #10131d; --line: #343b50; --act: #8b7bff; --warn: #ff7d9c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 28rem; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; }
p { margin: 0 0 1rem; color: var(--soft); }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.5rem; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
form { display: grid; gap: .75rem; }
button { min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; cursor: pointer; }
button.main { background: var(--act); border-color: var(--act); color: #fff; font-weight: 600; }
button.stop { color: var(--warn); }
button:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
small { display: block; margin-top: 1.5rem; color: var(--soft); }
";

/// A whole page around `content`, which is HTML already.
fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{content}\n\
         <small>Stripe emulator. No real money moves here.</small>\n\
         </main>\n</body>\n</html>\n"
    );
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// The page for what is not there.
fn not_found(what: &str) -> Response {
    page(
        StatusCode::NOT_FOUND,
        "Not found",
        &format!("<p>{}</p>", escape(what)),
    )
}

/// Sends the browser on with a GET.
fn redirect(url: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header("location", url)
        .finish()
}

/// A form with one button for each `(value, style, text)`.
fn buttons(choices: &[(&str, &str, &str)]) -> String {
    let buttons: String = choices
        .iter()
        .map(|(value, style, text)| {
            format!(
                "<button class=\"{style}\" id=\"{value}\" name=\"action\" value=\"{value}\">{text}\
                 </button>\n"
            )
        })
        .collect();
    format!("<form method=\"post\">\n{buttons}</form>")
}

/// Text made safe for HTML, in attributes too.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
