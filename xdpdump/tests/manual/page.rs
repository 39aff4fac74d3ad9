//! The manual pages: what the table of options says, by clap_mangen, between sections that are written by hand.

use std::fs;

use clap_mangen::{
    Man,
    roff::{Roff, roman},
};
use xdpdump::cli;

/// The sections behind the options, in roff; below `docs/`.
pub const SOURCE: &str = "man/sections.roff";

/// File name and text of the pages of the tool and of its subcommands.
pub fn all() -> Vec<(String, String)> {
    let mut command = cli::command();
    command.build();
    let mut pages = vec![(file_name(&command), of_tool(&command))];
    add_subcommands(&command, &mut pages);
    pages
}

fn add_subcommands(command: &clap::Command, pages: &mut Vec<(String, String)>) {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        pages.push((file_name(subcommand), of_subcommand(subcommand)));
        add_subcommands(subcommand, pages);
    }
}

fn file_name(command: &clap::Command) -> String {
    format!("{}.1", command.get_display_name().unwrap_or(command.get_name()))
}

/// What every page begins with, up to the options.
fn begin(man: &Man) -> Vec<u8> {
    let mut page = Vec::new();
    man.render_title(&mut page).expect("rendered");
    man.render_name_section(&mut page).expect("rendered");
    man.render_synopsis_section(&mut page).expect("rendered");
    man.render_description_section(&mut page).expect("rendered");
    man.render_options_section(&mut page).expect("rendered");
    page
}

fn of_tool(command: &clap::Command) -> String {
    let man = man(command);
    let mut page = begin(&man);
    man.render_subcommands_section(&mut page).expect("rendered");
    differences(command).to_writer(&mut page).expect("rendered");
    let by_hand = fs::read_to_string(super::docs().join(SOURCE)).expect("the sections by hand");
    tidy(&page) + &by_hand
}

fn of_subcommand(command: &clap::Command) -> String {
    let man = man(command);
    let mut page = begin(&man);
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page).expect("rendered");
    }
    if command.get_after_long_help().or(command.get_after_help()).is_some() {
        man.render_extra_section(&mut page).expect("rendered");
    }
    tidy(&page).replace(".SH EXTRA\n", ".SH NOTES\n") + ".SH SEE ALSO\n\\fBxdpdump\\fR(1)\n"
}

fn man(command: &clap::Command) -> Man {
    // An option that the short help leaves out has its text here too.
    let with_text = |arg: clap::Arg| match (arg.get_long_help(), arg.get_help().cloned()) {
        (None, Some(help)) => arg.long_help(help),
        _ => arg,
    };
    let command = command.clone().mut_args(with_text).subcommand_help_heading("COMMANDS");
    Man::new(command).manual("User Commands").source(concat!("xdpdump ", env!("CARGO_PKG_VERSION")))
}

/// What differs from tcpdump: columns as they are in the help.
fn differences(command: &clap::Command) -> Roff {
    let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut lines = text.lines();
    let mut roff = Roff::new();
    roff.control("SH", [lines.next().unwrap_or_default().trim_end_matches(':').to_uppercase().as_str()]);
    roff.control("nf", []);
    let mut filled = false;
    for line in lines {
        if !filled && !line.starts_with(' ') {
            roff.control("fi", []);
            roff.control("PP", []);
            filled = true;
        }
        roff.text([roman(line)]);
    }
    roff
}

/// Takes out what clap_mangen repeats before each section and what mandoc warns of; makes the groups of options subsections.
fn tidy(page: &[u8]) -> String {
    let text = str::from_utf8(page).expect("text").replace("\\*(Aq", "\\(aq");
    let text = text.replace("\n\n", "\n.sp\n").replace(".br\n.sp\n.br\n", ".sp\n");
    let (mut tidied, mut among_options) = (String::new(), false);
    for line in text.lines() {
        // They define the string for an apostrophe, which stands as itself now.
        if line.starts_with(".ie ") || line.starts_with(".el ") {
            continue;
        }
        let heading = line.strip_prefix(".SH ");
        among_options = match heading {
            Some("OPTIONS") => true,
            Some("COMMANDS" | "EXTRA") => false,
            _ => among_options,
        };
        match heading {
            Some(heading) if among_options && heading != "OPTIONS" => {
                let heading = heading.trim_matches('"');
                let lower = heading[1..].to_lowercase();
                tidied += &format!(".SS {}{lower}\n", &heading[..1]);
            }
            // No date, so that the page is the same whenever it is made.
            _ if line.starts_with(".TH ") => tidied += &format!("{}\n", line.replacen("  ", " \"\" ", 1)),
            _ => tidied += &format!("{}\n", line.trim_end()),
        }
    }
    tidied
}
