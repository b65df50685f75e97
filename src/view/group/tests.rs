use super::*;

#[test]
fn lines_are_the_same_but_for_what_is_an_indexs_own() {
    let same = |line: &str, item: &str| common(line, &[item, "words-3-abcde"]);
    assert_eq!(same("no such file: /data/foo.txt", "foo.txt"), "no such file: /data/…");
    assert_eq!(same("took 12.5 s at 2026-01-01T00:00:00Z", ""), "took … s at …T…Z");
    assert_eq!(same("request 550e8400-e29b-41d4-a716-446655440000 failed", ""), "request … failed");
    assert_eq!(same("commit 3f9a1c2b77 is bad", ""), "commit … is bad");
    assert_eq!(same("deadbeef is a word, defaced too", ""), "deadbeef is a word, defaced too");
    assert_eq!(same("a cat sat", "a"), "… cat sat");
    assert_eq!(same("in words-3-abcde: é 3", ""), "in …: é …");
    assert_eq!(same("err42or", ""), "err…or");
    assert_eq!(same("", "x"), "");
}

#[test]
fn the_largest_group_comes_first_then_the_lowest_index() {
    let members = [(0, 'b', 1), (1, 'a', 10), (2, 'c', 100), (3, 'a', 1000), (4, 'c', 10_000), (5, 'd', 0)];
    let groups = groups(members, |_, told, next| *told += next);
    let told: Vec<_> = groups.iter().map(|group| (group.indexes.as_slice(), group.told)).collect();
    assert_eq!(told, [(&[1, 3][..], 1010), (&[2, 4], 10_100), (&[0], 1), (&[5], 0)]);
}

#[test]
fn the_last_line_is_one_that_says_something() {
    assert_eq!(last_line(Some("first\n  second \n \n\n")), "second");
    assert_eq!(last_line(Some("\n")), "");
    assert_eq!(last_line(None), "");
}
