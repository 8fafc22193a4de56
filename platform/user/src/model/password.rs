//! Which passwords are good enough: long ones that are not the first guess. No rule asks for
//! special characters, which makes passwords worse.

use berth_kernel::FieldError;

/// Characters of the shortest and of the longest password taken. The longest bounds the work of
/// hashing what a stranger sends.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=128;

/// What guessers try first among passwords long enough to get here; in lower case.
const COMMON: &[&str] = &[
    "0123456789",
    "0987654321",
    "1020304050",
    "1122334455",
    "12345678910",
    "1234567890",
    "123456789a",
    "123456789q",
    "1234567890a",
    "1234567891",
    "1234567898",
    "123qweasdzxc",
    "147258369a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "3rjs1la7qe",
    "789456123a",
    "a123456789",
    "abcd123456",
    "abcde12345",
    "abcdefghij",
    "administrator",
    "asdfghjkl1",
    "asdfghjkl;",
    "basketball",
    "changeme123",
    "chocolate1",
    "computer123",
    "football123",
    "iloveyou123",
    "iloveyou12",
    "jennifer123",
    "letmein123",
    "liverpool1",
    "michael123",
    "mypassword",
    "mypassword1",
    "passw0rd123",
    "password01",
    "password10",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password123!",
    "p@ssw0rd123",
    "p@ssword123",
    "princess123",
    "q1w2e3r4t5",
    "q1w2e3r4t5y6",
    "qazwsxedc123",
    "qazwsxedcrfv",
    "qwer123456",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop123",
    "qwertzuiop",
    "sunshine123",
    "superman123",
    "superman12",
    "trustno1trustno1",
    "welcome123",
    "welcome1234",
    "yuantuo2012",
    "zaq12wsxcde3",
    "zxcvbnm123",
];

/// Refuses a password somebody else would guess: too short, among the most common, one character
/// over and over, or the person's own address or name.
pub(crate) fn check_password(
    field: &str,
    password: &str,
    email: &str,
    name: &str,
) -> Result<(), FieldError> {
    let refuse = |code, detail: &str| {
        Err(FieldError {
            field: field.to_owned(),
            code,
            detail: detail.to_owned(),
        })
    };
    if !LENGTH.contains(&password.chars().count()) {
        return refuse("PASSWORD_LENGTH", "A password has 10 to 128 characters.");
    }
    let folded = password.trim().to_lowercase();
    let mut chars = folded.chars();
    let first = chars.next();
    if COMMON.contains(&folded.as_str()) || chars.all(|c| Some(c) == first) {
        return refuse(
            "PASSWORD_COMMON",
            "This password is among the first that are guessed.",
        );
    }
    let email = email.trim().to_lowercase();
    let own = [
        email.as_str(),
        email.split('@').next().unwrap_or_default(),
        name.trim(),
    ];
    if own.iter().any(|text| text.to_lowercase() == folded) {
        return refuse(
            "PASSWORD_OWN_NAME",
            "A password may not be your address or name.",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Option<&'static str> {
        check_password(
            "password",
            password,
            "Ada.Lovelace@example.org",
            "Countess Ada",
        )
        .err()
        .map(|error| error.code)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(code("ninechars"), Some("PASSWORD_LENGTH"));
        assert_eq!(code("пароль ёж ш"), None);
        assert_eq!(code(&"ab".repeat(64)), None);
        assert_eq!(
            code(&format!("{}a", "ab".repeat(64))),
            Some("PASSWORD_LENGTH")
        );
    }

    #[test]
    fn the_first_guesses_are_refused() {
        assert_eq!(code("Password123"), Some("PASSWORD_COMMON"));
        assert_eq!(code("aaaaaaaaaaaa"), Some("PASSWORD_COMMON"));
        assert_eq!(code("            "), Some("PASSWORD_COMMON"));
        assert_eq!(code("ada.lovelace@EXAMPLE.org"), Some("PASSWORD_OWN_NAME"));
        assert_eq!(code("Ada.Lovelace"), Some("PASSWORD_OWN_NAME"));
        assert_eq!(code("countess ada"), Some("PASSWORD_OWN_NAME"));
        assert_eq!(code("correct horse battery"), None);
    }

    #[test]
    fn the_list_holds_only_what_can_match() {
        for word in COMMON {
            assert!(
                LENGTH.contains(&word.chars().count()) && *word == word.to_lowercase(),
                "{word}"
            );
        }
    }
}
