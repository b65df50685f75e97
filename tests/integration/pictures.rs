//! The pictures of the README are drawn from screens of a real terminal.
//!
//! `tests/pictures/make` takes the screens on the test cluster, and `UPDATE=1 cargo test --test integration pictures`
//! draws them. `tests/pictures/make --check` compares the screens with those of the program.

use anstyle_svg::Term;

use crate::support::{file, files, root};

#[test]
fn the_pictures_show_the_stored_screens() {
    let screens = files("tests/pictures", "ansi");
    assert_eq!(screens.len(), 4, "{screens:?}");
    for screen in screens {
        let picture = screen.replace(".ansi", ".svg");
        // A terminal has empty lines after the last line of output.
        let drawn = Term::new().render_svg(file(&screen).trim_end());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(root().join(&picture), &drawn).unwrap();
        }
        let advice = "UPDATE=1 cargo test --test integration pictures draws it anew";
        assert!(file(&picture) == drawn, "{picture} does not show {screen}; {advice}");
    }
}

#[test]
fn the_readme_has_every_picture() {
    for picture in files("tests/pictures", "svg") {
        assert!(file("README.md").contains(&picture), "the README has no {picture}");
    }
}
