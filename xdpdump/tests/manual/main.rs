//! The manual pages and shell completions in `docs/` are what the table of options gives, and the programs that read them
//! find nothing wrong.
//!
//! `cargo xtask docs` writes them anew: it runs these tests with `XDPDUMP_BLESS=1`.

mod page;
mod protocols;

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use clap_complete::Shell;
use xdpdump::cli;

/// Where the committed files are.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The names of the completions are those by which the shells look for them.
const COMPLETIONS: [(Shell, &str); 3] =
    [(Shell::Bash, "xdpdump"), (Shell::Zsh, "_xdpdump"), (Shell::Fish, "xdpdump.fish")];

/// Path below `docs/` and contents of each generated file.
fn generated() -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> =
        page::all().into_iter().map(|(name, text)| (Path::new("man").join(name), text)).collect();
    files.push((PathBuf::from("protocols.md"), protocols::page()));
    for (shell, name) in COMPLETIONS {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "xdpdump", &mut text);
        let text = String::from_utf8(text).expect("text");
        let text = if shell == Shell::Fish { for_fish(&text) } else { text };
        files.push((Path::new("completions").join(name), text));
    }
    files
}

/// clap_complete's functions for fish find out where a subcommand may be, and fail behind an option that still needs its
/// value; here a subcommand is one only as the first word. It also leaves the letter #, which begins a comment, unquoted.
fn for_fish(generated: &str) -> String {
    let command = cli::command();
    let subcommands: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let head = format!(
        "# A command of xdpdump is one only as the first word.\n\
         function __fish_xdpdump_first_word\n    test (count (commandline -opc)) -eq 1\nend\n\n\
         function __fish_xdpdump_needs_command\n    set -l words (commandline -opc)\n    \
         not contains -- \"$words[2]\" {}\nend\n\n\
         function __fish_xdpdump_using_subcommand\n    set -l words (commandline -opc)\n    \
         contains -- \"$words[2]\" $argv\nend\n\n",
        subcommands.join(" ")
    );
    let lines = generated.find("complete -c").expect("completions");
    let lines = generated[lines..]
        .replace(" -s # ", " -s '#' ")
        .replace("__fish_xdpdump_needs_command\" -a ", "__fish_xdpdump_first_word\" -a ");
    head + &lines
}

/// The generated files, written first if that is wanted.
fn files() -> &'static [(PathBuf, String)] {
    static FILES: LazyLock<Vec<(PathBuf, String)>> = LazyLock::new(|| {
        let files = generated();
        if env::var_os("XDPDUMP_BLESS").is_some() {
            for (path, text) in &files {
                let path = docs().join(path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("written");
            }
        }
        files
    });
    &FILES
}

/// What a command prints, whose input this is.
fn printed(command: &mut Command, input: &str) -> (bool, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap_or_else(
            |error| panic!("cannot run {command:?}: {error}; `cargo xtask test` installs it"),
        );
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("text"))
}

#[test]
fn committed_files_are_what_the_table_of_options_gives() {
    for (path, text) in files() {
        let committed = fs::read_to_string(docs().join(path)).unwrap_or_default();
        assert!(committed == *text, "docs/{} is stale: run `cargo xtask docs`", path.display());
    }
    // A subcommand that is gone leaves no page.
    for folder in ["man", "completions"] {
        for entry in fs::read_dir(docs().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let path = Path::new(folder).join(&name);
            let is_source = path == Path::new(page::SOURCE);
            assert!(is_source || files().iter().any(|(known, _)| *known == path), "docs/{}", path.display());
        }
    }
}

#[test]
fn manual_pages_are_set_without_a_warning() {
    for (path, text) in files().iter().filter(|(path, _)| path.starts_with("man")) {
        let (good, messages) = printed(Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]), text);
        assert!(good && messages.is_empty(), "{}: {messages}", path.display());
        let (good, messages) = printed(Command::new("mandoc").args(["-Tlint", "-Wwarning"]), text);
        // A page without a date is the same whenever it is made.
        let messages: Vec<_> = messages.lines().filter(|line| !line.contains("missing date")).collect();
        assert!(good || messages.is_empty(), "{}: {messages:#?}", path.display());
        assert!(messages.is_empty(), "{}: {messages:#?}", path.display());
    }
}

/// The page as it is read on a terminal, in one line.
fn read(name: &str) -> String {
    let (_, text) = files().iter().find(|(path, _)| path.ends_with(name)).expect("a page");
    let (_, page) = printed(Command::new("mandoc").args(["-Tutf8", "-Owidth=400"]), text);
    // Bold and underlined letters are struck twice.
    let mut letters: Vec<char> = Vec::new();
    for letter in page.chars() {
        if letter == '\u{8}' {
            letters.pop();
        } else {
            letters.push(letter);
        }
    }
    letters.into_iter().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manual_page_has_every_option_and_section() {
    let page = read("xdpdump.1");
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "Source",
        "Capture",
        "Accepted as in tcpdump",
        "COMMANDS",
        "DIFFERENCES FROM TCPDUMP",
        "EXAMPLES",
        "SIGNALS",
        "EXIT STATUS",
        "FILES",
        "PRIVILEGES",
        "SEE ALSO",
    ] {
        assert!(page.contains(section), "{section}");
    }
    let command = cli::command();
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        if let Some(name) = argument.get_long().map(|long| format!("--{long}")) {
            assert!(page.contains(&name), "{name}");
        }
    }
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let name = format!("xdpdump-{}", subcommand.get_name());
        assert!(page.contains(&format!("{name}(1)")), "{name}");
        assert!(read(&format!("{name}.1")).contains(&name));
    }
}

/// Completes `line` as bash does when the user presses the tabulator key behind it.
fn completed_by_bash(line: &str) -> Vec<String> {
    let file = docs().join("completions/xdpdump");
    let words: Vec<_> = line.split(' ').collect();
    let script = r#"
        file=$1; shift
        source "$file"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _xdpdump xdpdump "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    let (good, text) = printed(bash.args(["-c", script, "bash"]).arg(file).args(words), "");
    assert!(good, "{text}");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_options_values_and_commands() {
    files();
    assert_eq!(completed_by_bash("xdpdump --list-inter"), ["--list-interfaces"]);
    assert_eq!(completed_by_bash("xdpdump -i eth4 --transport "), ["auto", "perf", "ring"]);
    assert!(completed_by_bash("xdpdump rep").contains(&"repair".to_owned()));
}

#[test]
fn fish_completes_options_and_values() {
    files();
    let script = "source $argv[1]; complete --do-complete $argv[2]";
    for (line, wanted) in [
        ("xdpdump --list-inter", "--list-interfaces"),
        ("xdpdump -i eth4 --transport p", "perf"),
        ("xdpdump rep", "repair"),
        ("xdpdump repair --he", "--help"),
    ] {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "-c", script]).arg(docs().join("completions/xdpdump.fish")).arg(line);
        // fish wants a home for its history.
        let home = tempfile::tempdir().expect("a folder");
        let (good, text) = printed(fish.env("HOME", home.path()), "");
        assert!(good && text.lines().any(|line| line.split('\t').next() == Some(wanted)), "{line}: {text}");
    }
}

#[test]
fn zsh_accepts_its_completions() {
    files();
    let (good, text) =
        printed(Command::new("zsh").args(["-f", "-n"]).arg(docs().join("completions/_xdpdump")), "");
    assert!(good && text.is_empty(), "{text}");
    let text = fs::read_to_string(docs().join("completions/_xdpdump")).expect("a file");
    assert!(text.starts_with("#compdef xdpdump\n"), "zsh would not look into it");
}
