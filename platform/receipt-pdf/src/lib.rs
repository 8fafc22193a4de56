//! A receipt's content, set as a PDF page or more.
//!
//! Owns the look of a receipt (`templates/receipt/receipt.typ`, part of the binary), the fonts it
//! is set in, and the words on it that are the same for everybody, by language. It is a crate of
//! its own because typst is slow to build.
//!
//! It must not know amounts, time zones or tenants: every text arrives ready to be read. The
//! content reaches the template as a JSON file and is never a part of its source, so that no name
//! is taken for markup. The same content gives the same bytes, which is how a lost file is made
//! again: no clock, no chance, no font of the machine.
//!
//! To add a field: to [`Content`] with `#[serde(default)]`, since stored contents lack it; to
//! `tidy`; to the template. To add a language: a line in the template's `words`. To see the
//! result: `cargo run -p berth-receipt-pdf --example receipt -- /tmp/receipt.pdf`.
//!
//! Scripts: Latin with all diacritics, Greek, Cyrillic, Armenian, Hebrew, Arabic, Georgian and Lao
//! are set with the fonts on board. Chinese, Japanese, Korean, Thai and the scripts of India are
//! too large to carry along: [`add_fonts`] takes them from a directory. Without it their letters
//! show as empty boxes, and the text can still be copied and searched.

mod content;
mod fonts;
mod paper;
mod tidy;

use typst::diag::SourceDiagnostic;
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

pub use self::{
    content::{Content, Customer, Line, Seller},
    fonts::{FontError, add_fonts},
};

/// A receipt could not be set; its content is not to blame, the template is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content cannot be written as JSON.
    #[error("the receipt's content cannot be written")]
    Content(#[from] serde_json::Error),
    /// The template failed, in typst's words.
    #[error("the receipt's template failed: {0}")]
    Template(String),
}

/// How many receipts ago a memoised part of the typesetting must last have been of use to stay.
const REMEMBERED: usize = 8;

/// The receipt as a PDF, A4. Takes some milliseconds of one core: call it where blocking is
/// allowed.
///
/// # Errors
/// [`Error::Template`] if the template does not compile, which its tests rule out.
pub fn render(content: &Content) -> Result<Vec<u8>, Error> {
    let tidied = tidy::content(content);
    let paper = paper::Paper::new(serde_json::to_vec(&tidied)?);
    let document = typst::compile::<PagedDocument>(&paper)
        .output
        .map_err(|all| failed(&all))?;
    let options = PdfOptions {
        // Without a name of its own two receipts of one seller could share a document id.
        ident: typst::foundations::Smart::Custom(format!(
            "{}/{}",
            tidied.seller.name, tidied.number
        )),
        creator: typst::foundations::Smart::Custom(None),
        ..PdfOptions::default()
    };
    let pdf = typst_pdf::pdf(&document, &options).map_err(|all| failed(&all))?;
    typst::comemo::evict(REMEMBERED);
    Ok(pdf)
}

fn failed(diagnostics: &[SourceDiagnostic]) -> Error {
    let messages: Vec<_> = diagnostics
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    Error::Template(messages.join("; "))
}
