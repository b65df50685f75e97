//! The pictures of the README are drawn from screens that a real terminal had.
//!
//! `tests/pictures/make` takes the screens on the test cluster, and `UPDATE=1 cargo test --test integration pictures`
//! draws them. That the screens are still what the program shows, `tests/pictures/make --check` checks there.

use anstyle_svg::Term;

use crate::support::{file, files, root};

#[test]
fn they_show_the_screens_that_are_kept() {
    let screens = files("tests/pictures", "ansi");
    assert_eq!(screens.len(), 4, "{screens:?}");
    for screen in screens {
        let picture = screen.replace(".ansi", ".svg");
        // A terminal has empty lines below its last one.
        let drawn = Term::new().render_svg(file(&screen).trim_end());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(root().join(&picture), &drawn).unwrap();
        }
        let advice = "UPDATE=1 cargo test --test integration pictures draws it anew";
        assert!(file(&picture) == drawn, "{picture} does not show {screen}; {advice}");
    }
}

#[test]
fn each_is_in_the_readme() {
    for picture in files("tests/pictures", "svg") {
        assert!(file("README.md").contains(&picture), "the README has no {picture}");
    }
}
