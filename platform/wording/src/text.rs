//! Text that others wrote, on its way into a line of ours.

/// `text` as one line of at most `longest` characters: line breaks and other control characters
/// become a space, runs of spaces one, and marks that turn the direction of writing are dropped,
/// because what follows them would be shown in another order than it is written.
#[must_use]
pub fn single_line(text: &str, longest: usize) -> String {
    let mut line = String::with_capacity(text.len());
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = word.chars().filter(|c| !turns_direction(*c));
        for (place, character) in word.enumerate() {
            if place == 0 && length > 0 {
                line.push(' ');
                length += 1;
            }
            if length >= longest {
                return line.trim_end().to_owned();
            }
            line.push(character);
            length += 1;
        }
    }
    line.trim_end().to_owned()
}

/// The explicit bidirectional embeddings, overrides and isolates.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_and_no_more_than_it_may() {
        assert_eq!(
            single_line("Ann\r\nBcc: eve@example.com", 200),
            "Ann Bcc: eve@example.com"
        );
        assert_eq!(
            single_line("  Zoë \t  O'Neil\u{0}\u{85}\u{2028} x ", 200),
            "Zoë O'Neil x"
        );
        assert_eq!(single_line("a\u{202e}b\u{2067} \u{202e} c", 200), "ab c");
        assert_eq!(single_line("abc def", 5), "abc d");
        assert_eq!(single_line("abc def", 4), "abc");
        assert_eq!(single_line(" \n ", 9), "");
    }

    #[test]
    fn names_of_any_script_stay_as_they_are() {
        for name in ["ليلى حداد", "山田 太郎", "Łukasz Żółć", "שרה כהן"] {
            assert_eq!(single_line(name, 200), name);
        }
    }
}
