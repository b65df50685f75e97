use super::*;

#[test]
fn an_ellipsis_stands_for_what_differs_between_indexes() {
    let same = |line: &str, item: &str| without_differences(line, &[item, "words-3-abcde"], Style::default());
    assert_eq!(same("no such file: /data/foo.txt", "foo.txt"), "no such file: /data/…");
    assert_eq!(same("took 12.5 s at 2026-01-01T00:00:00Z", ""), "took … s at …T…Z");
    assert_eq!(same("request 550e8400-e29b-41d4-a716-446655440000 failed", ""), "request … failed");
    assert_eq!(same("commit 3f9a1c2b77 is bad", ""), "commit … is bad");
    assert_eq!(same("deadbeef is a word, defaced too", ""), "deadbeef is a word, defaced too");
    assert_eq!(same("a cat sat", "a"), "… cat sat");
    assert_eq!(same("in words-3-abcde: é 3", ""), "in …: é …");
    assert_eq!(same("err42or", ""), "err…or");
    assert_eq!(same("", "x"), "");
    let plain = Style { plain: true, ..Style::default() };
    assert_eq!(
        without_differences("… took 12.5 s of 13", &[], plain),
        "… took ... s of ...",
        "the line's own sign stays"
    );
}

#[test]
fn the_largest_group_comes_first_then_the_lowest_index() {
    let members = [(0, 'b', 1), (1, 'a', 10), (2, 'c', 100), (3, 'a', 1000), (4, 'c', 10_000), (5, 'd', 0)];
    let groups = group_indexes(members, |_, sum, next| *sum += next);
    let sums: Vec<_> = groups.iter().map(|group| (group.indexes.as_slice(), group.shared)).collect();
    assert_eq!(sums, [(&[1, 3][..], 1010), (&[2, 4], 10_100), (&[0], 1), (&[5], 0)]);
}

#[test]
fn the_last_line_is_not_blank() {
    assert_eq!(last_line(Some("first\n  second \n \n\n")), "second");
    assert_eq!(last_line(Some("\n")), "");
    assert_eq!(last_line(None), "");
}
