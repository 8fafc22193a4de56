//! The fonts receipts are set in: those on board, and those an operator adds at start.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use typst::{
    foundations::Bytes,
    text::{Font, FontBook},
    utils::LazyHash,
};

static FONTS: OnceLock<Fonts> = OnceLock::new();

/// Fonts, and the book typst chooses from.
pub(crate) struct Fonts {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) fonts: Vec<Font>,
}

/// Fonts could not be added.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// A receipt was set already; with other fonts it would come out differently.
    #[error("fonts must be added before the first receipt is set")]
    TooLate,
    /// The directory or a file in it cannot be read.
    #[error("fonts cannot be read from {path}")]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Adds every font of a directory (`.ttf`, `.otf`, `.ttc`, `.otc`) for the letters that the fonts
/// on board lack; returns how many were found. Call it once, at start, and with the same files
/// everywhere: a receipt's bytes depend on them.
///
/// # Errors
/// [`FontError`] if the directory cannot be read, or receipts were set before.
pub fn add_fonts(directory: &Path) -> Result<usize, FontError> {
    let added = in_directory(directory)?;
    let count = added.len();
    FONTS
        .set(Fonts::on_board_and(added))
        .map_err(|_| FontError::TooLate)?;
    Ok(count)
}

/// What receipts are set in from now on.
pub(crate) fn fonts() -> &'static Fonts {
    FONTS.get_or_init(|| Fonts::on_board_and(Vec::new()))
}

impl Fonts {
    fn on_board_and(added: Vec<Font>) -> Self {
        let on_board = [
            notosans::REGULAR_TTF,
            notosans::BOLD_TTF,
            dejavu::sans::regular(),
            dejavu::sans::bold(),
        ];
        let mut fonts: Vec<Font> = on_board
            .into_iter()
            .flat_map(|file| Font::iter(Bytes::new(file)))
            .collect();
        fonts.extend(added);
        Self {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
        }
    }
}

fn in_directory(directory: &Path) -> Result<Vec<Font>, FontError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| FontError::Unreadable { path, source }
    };
    let mut files = fs::read_dir(directory)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(unreadable(directory))
        .map(|files: Vec<PathBuf>| files)?;
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| {
            ["ttf", "otf", "ttc", "otc"].contains(&extension.to_ascii_lowercase().as_str())
        })
    });
    // A directory has no order of its own, and the order decides between equal fonts.
    files.sort();
    let mut fonts = Vec::new();
    for path in files {
        let bytes = fs::read(&path).map_err(unreadable(&path))?;
        fonts.extend(Font::iter(Bytes::new(bytes)));
    }
    Ok(fonts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_on_board_have_the_letters_promised() {
        let fonts = Fonts::on_board_and(Vec::new());
        for letter in "ẞőşłǆ ΆΩώ Жїґқ Հ א ب ش ა ກ €₺₽₴ • –".chars()
        {
            let found = fonts
                .fonts
                .iter()
                .any(|font| font.info().coverage.contains(letter as u32));
            assert!(found, "{letter}");
        }
    }

    #[test]
    fn a_directory_s_fonts_join_and_its_other_files_do_not() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.TTF"), dejavu::sans_mono::regular()).unwrap();
        fs::write(directory.path().join("b.otf"), "no font").unwrap();
        fs::write(directory.path().join("LICENSE"), "text").unwrap();
        let added = in_directory(directory.path()).unwrap();
        assert_eq!(added.len(), 1);
        let all = Fonts::on_board_and(added);
        assert!(all.book.contains_family("dejavu sans mono"));
        let gone = in_directory(&directory.path().join("gone"));
        assert!(matches!(gone, Err(FontError::Unreadable { .. })));
    }
}
