//! The page for what cannot be shown or done.

use askama::Template;
use poem::Response;

use crate::{
    pages::html,
    shell::Shell,
    stop::{Stop, Words},
};

#[derive(Template)]
#[template(path = "portal/refusal.html")]
struct Page {
    shell: Shell,
    title: &'static str,
    detail: String,
}

/// The page; its status is set by whoever asks for it.
pub(crate) fn page(shell: Shell, words: Words) -> Result<Response, Stop> {
    html(&Page {
        shell,
        title: words.title,
        detail: words.detail,
    })
}

#[cfg(test)]
mod tests {
    use berth_kernel::Problem;

    use super::*;
    use crate::{pages::sample, shell::Section, stop::of_problem};

    #[test]
    fn golden() {
        let words = of_problem(&Problem::not_found());
        let shell = sample::shell(Section::None);
        let page = Page {
            shell,
            title: words.title,
            detail: words.detail,
        };
        insta::assert_snapshot!(page.render().unwrap());
    }
}
