//! `buildly workflow lint`: a template's text alone, without a server or a database.

use serde_json::{Value, json};

use crate::process::{Folder, run_with_input};

/// A fault a line: an unknown variable and level, links in a circle, nobody to do a task, a wait
/// without end.
const BAD: &str = "
name: bad
levels:
  - {name: first, do: {emit: {event: x, payload: inptu.name}}}
  - {name: second, after: [third], do: {emit: {event: x, payload: levels.nobody}}}
  - {name: third, after: [second], do: {emit: {event: x}}}
  - {name: fourth, deadline: 1h, do: {task: {}}}
  - {name: fifth, do: {wait: {signal: {name: go}}}}
";
const SOUND: &str = "name: sound\nlevels: [{name: one, do: {call: {operation: crm.create}}}]";
const WARNED: &str = "name: warned\nlevels: [{name: one, do: {wait: {signal: {name: go}}}}]";

fn lint(folder: &Folder, arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let output = run_with_input(&folder.0, &[&["workflow", "lint"], arguments].concat(), input);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn what_is_wrong_stands_on_a_line_each_and_the_command_fails() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("bad.yaml"), BAD).unwrap();
    std::fs::write(folder.0.join("sound.yaml"), SOUND).unwrap();
    let (said, code) = lint(&folder, &["bad.yaml", "sound.yaml"], "");
    assert_eq!(code, Some(1), "{said}");
    for line in [
        "bad.yaml: first: there is no variable `inptu`; read `input`, `levels`, `vars` or `run`\n",
        "bad.yaml: second: there is no level `nobody`; correct the name\n",
        "bad.yaml: second: it waits for `third`, which waits for it; remove one of the links\n",
        "bad.yaml: fourth: nobody may do it; name a `group` or a `user`\n",
        "bad.yaml: fifth: warning: it waits for a signal without a limit; add `deadline`, and a branch `on` it\n",
        "sound.yaml: no findings\n",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    assert!(!folder.0.join("data").exists(), "nothing is made");
}

#[test]
fn a_text_that_is_no_template_is_refused_with_its_place() {
    let folder = Folder::new();
    for (case, text, expected) in [
        ("no YAML", "a: [", "-: Expected JSON or YAML"),
        ("JSON that breaks off", "{\"name\":", "-: Expected JSON or YAML"),
        ("nothing", "", "-: Expected JSON or YAML, got an empty text"),
        ("another thing", "[1, 2]", "-: "),
        ("another format", "format: 9\nname: a\nlevels: []", "-: expected format 1, got 9"),
        (
            "an unknown kind",
            "name: a\nlevels: [{name: one, do: {jump: {}}}]",
            "-: one: unknown variant `jump`",
        ),
        ("a name that is none", "name: a\nlevels: [{name: One, do: {emit: {event: x}}}]", "-: One: "),
        ("no expression", "name: a\nlevels: [{name: one, when: '1 +', do: {emit: {event: x}}}]", "-: one: "),
    ] {
        let (said, code) = lint(&folder, &["-"], text);
        assert!(said.starts_with(expected) && said.ends_with('\n'), "{case}: {said}");
        assert_eq!(code, Some(1), "{case}");
    }
    let (said, code) = lint(&folder, &["nowhere.yaml"], "");
    assert!(said.starts_with("nowhere.yaml: cannot be read: "), "{said}");
    assert_eq!(code, Some(1));
    std::fs::write(folder.0.join("binary.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(lint(&folder, &["binary.yaml"], "").1, Some(1));
    let missing = run_with_input(&folder.0, &["workflow", "lint"], "");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("<FILE>"), "{missing:?}");
}

#[test]
fn warnings_refuse_only_where_that_is_wanted() {
    let folder = Folder::new();
    assert_eq!(lint(&folder, &["-"], SOUND), ("-: no findings\n".to_owned(), Some(0)));
    let (said, code) = lint(&folder, &["-"], WARNED);
    assert!(said.starts_with("-: one: warning: "), "{said}");
    assert_eq!(code, Some(0));
    assert_eq!(lint(&folder, &["-", "--deny-warnings"], WARNED).1, Some(1));
    let (said, code) = lint(&folder, &["-", "--json"], WARNED);
    let found: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&found[0]["file"], code), (&json!("-"), Some(0)));
    let finding = &found[0]["findings"][0];
    assert_eq!((&finding["severity"], &finding["level"]), (&json!("warning"), &json!("one")));
    assert!(finding["reason"].is_string() && finding["mending"].is_string(), "{finding}");
}
