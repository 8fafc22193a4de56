//! The two files typst sees: the template, and the content as JSON beside it.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt as _, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

use crate::fonts::{Fonts, fonts};

static LIBRARY: LazyLock<LazyHash<Library>> =
    LazyLock::new(|| LazyHash::new(Library::builder().build()));

/// Parsed once: later receipts only lay it out.
static TEMPLATE: LazyLock<Source> = LazyLock::new(|| {
    let text = include_str!("../../../templates/receipt/receipt.typ");
    Source::new(file("receipt.typ"), text.to_owned())
});

static CONTENT: LazyLock<FileId> = LazyLock::new(|| file("content.json"));

fn file(name: &str) -> FileId {
    #[expect(clippy::expect_used, reason = "the two names are given above")]
    let path = VirtualPath::new(name).expect("a plain file name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// All that the typesetting of one receipt can see.
pub(crate) struct Paper {
    content: Bytes,
    fonts: &'static Fonts,
}

impl Paper {
    pub(crate) fn new(json: Vec<u8>) -> Self {
        Self {
            content: Bytes::new(json),
            fonts: fonts(),
        }
    }
}

impl World for Paper {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        TEMPLATE.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == TEMPLATE.id() {
            Ok(TEMPLATE.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *CONTENT {
            Ok(self.content.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.fonts.get(index).cloned()
    }

    /// A receipt's day is in its content; today would make each printing another file.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
