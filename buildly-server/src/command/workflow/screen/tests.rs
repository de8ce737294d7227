use super::*;

fn rows(count: usize, live: usize) -> Vec<Row> {
    (0..count).map(|n| Row::new(&format!("l{n}"), (n == live).then_some("live"))).collect()
}

#[test]
fn a_tree_stands_where_the_one_before_stood() {
    let (mut screen, size) = (Screen::default(), Size { columns: 80, rows: 24 });
    let first = screen.redraw("run 1: running\n", &rows(3, 0), size, false);
    assert_eq!(first, "\x1b[Jrun 1: running\n  l0: calls a.b [live]\n  l1: calls a.b\n  l2: calls a.b\n");
    let second = screen.redraw("run 1: running\n", &rows(3, 1), size, false);
    assert!(second.starts_with("\x1b[4A\r\x1b[J"), "{second:?}");
    let third = screen.redraw("run 1: completed\n", &rows(2, 9), size, true);
    assert!(
        third.starts_with("\x1b[4A\r\x1b[J") && third.contains("\x1b[2m  l0: calls a.b\x1b[0m\n"),
        "{third:?}"
    );
}

#[test]
fn a_tree_never_takes_more_than_the_terminal_and_shows_what_is_live() {
    for (columns, height) in [(80, 24), (20, 10), (12, 5), (3, 2), (1, 1), (0, 0)] {
        for live in [0, 50, 99] {
            let size = Size { columns, rows: height };
            let drawn = Screen::default().redraw("run\n", &rows(100, live), size, false);
            let lines: Vec<&str> = drawn.trim_start_matches(CLEAR).lines().collect();
            assert!(height < 5 || lines.len() < height, "{size:?}: {lines:?}");
            assert!(
                columns < 12 || lines.iter().any(|line| line.contains(&format!("l{live}"))),
                "{size:?}: {lines:?}"
            );
            let cut =
                lines.iter().filter(|line| line.contains(" l")).all(|line| line.chars().count() <= columns);
            assert!(columns < 12 || cut, "{size:?}: {lines:?}");
        }
    }
}
