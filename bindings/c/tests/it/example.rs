//! C itself: the example is installed for, built with gcc against both libraries, run, and looked
//! at by valgrind, as is a program that does everything wrong.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const EXAMPLE: &str = "examples/quickstart.c";
const EXPECTED: &str = "\
ada may read: superusers may do everything
200 [{\"id\": 1, \"name\": \"contact 1\",\"offers\":[{\"id\": 7, \"name\": \"offer 7\"}]}]
to approve: contact 1
completed {\"yes\":true}
more than ten events, the first is number 1
unauthenticated: the token is malformed
closed: this deployment is closed; open it again
0 handles are left
";

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How often the example is tried under valgrind.
const ATTEMPTS_MAX: u32 = 3;

/// Runs something, and says all that it said if it fails.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    output
}

/// The folder with the libraries that were built with this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    test.parent().expect("it is in a folder").to_owned()
}

/// A program, built by what pkg-config says of an installation.
fn build(name: &str, source: &str, is_static: bool) -> PathBuf {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&prefix);
    run(Command::new(package().join("install.sh")).env("COPY", "ln -f").arg(&prefix).arg(built()));
    if is_static {
        fs::remove_file(prefix.join("lib/libbuildly.so")).expect("only the static one is left");
    }
    let mut asking = Command::new("pkg-config");
    asking.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(["--cflags", "--libs"]);
    asking.args(is_static.then_some("--static")).arg(concat!("buildly = ", env!("CARGO_PKG_VERSION")));
    let flags = String::from_utf8(run(&mut asking).stdout).expect("UTF-8");
    let program = prefix.join("program");
    let mut compile = Command::new("gcc");
    compile.args(["-std=gnu11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-g"]);
    compile.arg(package().join(source)).arg("-o").arg(&program);
    compile.args(flags.split_whitespace()).arg(format!("-Wl,-rpath,{}", prefix.join("lib").display()));
    run(&mut compile);
    program
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_example_runs_with_the_shared_library_and_leaks_nothing() {
    let program = build("c-shared", EXAMPLE, false);
    assert_eq!(said(&run(&mut Command::new(&program))), EXPECTED);
    leaks_nothing(&program, EXPECTED);
}

#[test]
fn a_program_that_does_everything_wrong_is_told_so_and_leaks_nothing() {
    let program = build("c-bad-input", "tests/it/bad_input.c", false);
    let expected = "37 refused, 0 handles are left\n";
    assert_eq!(said(&run(&mut Command::new(&program))), expected);
    leaks_nothing(&program, expected);
}

/// Looks at a program with valgrind.
fn leaks_nothing(program: &Path, expected: &str) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        skip("a program in C under valgrind: valgrind is not installed");
        return;
    }
    let mut looked_at = Command::new("valgrind");
    looked_at.args(["--quiet", "--leak-check=full", "--error-exitcode=99"]);
    looked_at.args(["--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect"]);
    looked_at.arg(program);
    // Some fifty times slower, beside all other tests, it may be too late for its own lease of two
    // seconds: then it is told to come again, as on any node, and does.
    for _ in 0..ATTEMPTS_MAX {
        let output = looked_at.output().expect("valgrind runs");
        let told = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(1) && told.contains("catching up") {
            continue;
        }
        assert!(output.status.success(), "{}: {told}", output.status);
        assert_eq!(said(&output), expected);
        return;
    }
    skip("a program in C under valgrind: the machine was too slow for it each time");
}

#[test]
fn the_example_runs_with_the_static_library() {
    let program = build("c-static", EXAMPLE, true);
    assert_eq!(said(&run(&mut Command::new(program))), EXPECTED);
}

#[test]
fn a_forked_child_is_refused() {
    let program = build("c-fork", "tests/it/fork.c", false);
    assert_eq!(said(&run(&mut Command::new(program))), "refused\n");
}

#[test]
fn the_header_is_one_of_cpp_too() {
    if Command::new("g++").arg("--version").output().is_err() {
        skip("the C header in C++: g++ is not installed");
        return;
    }
    let mut compile = Command::new("g++");
    compile.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++", "-include"]);
    run(compile.arg(package().join("include/buildly.h")).arg("/dev/null"));
}

#[test]
fn the_guide_shows_the_example_as_it_is() {
    let guide = package().join("../../docs/c.md");
    let guide = fs::read_to_string(guide).expect("the guide is there");
    let example = fs::read_to_string(package().join("examples/quickstart.c")).expect("the example is there");
    assert!(
        guide.contains(&format!("```c\n{example}```\n")),
        "docs/c.md does not show bindings/c/examples/quickstart.c as it is: copy it there"
    );
    assert!(guide.contains(&format!("```text\n{EXPECTED}```\n")), "docs/c.md does not show what it prints");
}

#[test]
fn the_guide_names_every_function_and_operation() {
    let guide = fs::read_to_string(package().join("../../docs/c.md")).expect("the guide is there");
    let header = fs::read_to_string(package().join("include/buildly.h")).expect("the header is there");
    let words = header.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    for name in words.filter(|word| word.starts_with("buildly_")) {
        assert!(guide.contains(name), "docs/c.md does not name `{name}`");
    }
    for operation in buildly_deployment::operation::NAMES {
        assert!(guide.contains(&format!("`{operation}`")), "docs/c.md does not name operation `{operation}`");
    }
}

/// Says that something was not tested; the gate counts these.
fn skip(reason: &str) {
    println!("skipped: {reason}");
    let Some(path) = std::env::var_os("XTASK_SKIPPED_TESTS") else { return };
    if let Ok(mut file) = fs::OpenOptions::new().create(true).append(true).open(path) {
        let _ = writeln!(file, "{reason}");
    }
}
